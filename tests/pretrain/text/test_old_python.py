"""Text on Python 3.7, where the generator does not run."""

import sys

import pytest

from data_gen.shared.errors import UserError
from pretrain.text.sentences import read_lines, sentences_of
from pretrain.text.tokenizer import load_tokenizer
from tests.pretrain.small_model import write_model

pytestmark = pytest.mark.skipif(sys.version_info >= (3, 9), reason="is about Python 3.7")


def test_whatever_reads_text_names_the_newer_python(tmp_path):
    model = write_model(tmp_path / "model")
    for read in (
        lambda: list(sentences_of([__file__])),
        lambda: list(read_lines([__file__])),
        lambda: load_tokenizer(model),
    ):
        with pytest.raises(UserError, match=r"^text needs Python 3\.9 or newer: there, pip .*data"):
            read()
