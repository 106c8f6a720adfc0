"""An entry of TOKENIZERS is all that a tokenizer needs."""

import json

import pytest

from data_gen.__main__ import main
from data_gen.shared.dataset.dataset_info import read_info
from data_gen.shared.errors import UserError
from data_gen.shared.vocabulary import SPECIALS, read_vocabulary
from data_gen.show.readable import readable_examples
from data_gen.tokenization.tokenizer import Tokenizer
from data_gen.tokenization.tokenizers import TOKENIZERS, TokenizerKind
from data_gen.tokenization.training import VOCABULARY, vocabulary_file
from tests.data_gen.helpers import GOLDEN

SPACE = "_"


class Letters(Tokenizer):
    """Every character is a piece; a space is written as _."""

    identity = "letters"

    def encode(self, sentences):
        texts = [sentence.replace(" ", SPACE) for sentence in sentences]
        return [
            (
                [self.ids.get(letter, self.unk) for letter in text],
                [(i, i if letter == SPACE else i + 1) for i, letter in enumerate(text)],
            )
            for text in texts
        ]

    def join(self, pieces):
        return "".join(self.pieces[i] for i in pieces).replace(SPACE, " ")

    @property
    def reachable_ids(self):
        return range(len(SPECIALS), len(self.pieces))

    @property
    def clause_marks(self):
        return frozenset()


def load(vocab_file, model, do_lower_case):
    with open(model, encoding="utf-8") as handle:
        assert handle.read() == "no secrets"
    return Letters(read_vocabulary(vocab_file))


def train(text, do_lower_case, options):
    letters = {letter for sentence in text.sentences() for letter in sentence.replace(" ", SPACE)}
    assert "".join(text.words()).replace(" ", "") == "".join(text.sentences()).replace(" ", "")
    pieces = [*SPECIALS, *sorted(letters)][: options.size]
    return {"letters.model": b"no secrets", VOCABULARY: vocabulary_file(pieces)}


@pytest.fixture
def letters(monkeypatch):
    kind = TokenizerKind(
        load,
        train,
        join=lambda left, right: right.replace(SPACE, " "),
        model_file="letters.model",
        keeps_spaces=True,
    )
    monkeypatch.setitem(TOKENIZERS, "letters", kind)


def test_an_entry_of_the_table_is_all_that_a_tokenizer_needs(letters, tmp_path, capsys):
    text = tmp_path / "text.txt"
    lines = ["the cat sat on the mat。", "猫坐在 the mat 上。", "mat and cat。"]
    text.write_text("\n".join(lines * 9), encoding="utf-8")
    settings = ["--config", "configs/data/wwm_128.yaml", "--input", str(text)]
    for setting in ("tokenizer.name=letters", "segmenter.name=jieba"):
        settings += ["--set", setting]
    vocabulary = str(tmp_path / "vocabulary")
    assert main(["vocab", "train", *settings, "--output", vocabulary]) == 0
    settings += ["--set", f"vocab_file={vocabulary}/vocab.txt"]
    settings += ["--set", f"tokenizer.model={vocabulary}/letters.model"]
    data = str(tmp_path / "data")
    assert main(["build", *settings, "--output", data, "--workers", "1"]) == 0
    assert read_info(data).manifest["tokenizer"] == "letters"
    capsys.readouterr()
    assert main(["show", data, "-n", "1000"]) == 0
    assert "example 1 of " in capsys.readouterr().out
    examples = readable_examples(read_info(data), read_vocabulary(f"{vocabulary}/vocab.txt"))
    for shown in examples(only=range(1, 10)):
        for _, runs in shown.segments:
            assert "".join(run.original for run in runs) in "".join(lines * 9)
    settings += ["--set", "segmenter.name=presegmented", "--output", str(tmp_path / "none")]
    assert main(["build", *settings]) == 1
    assert "and letters would write them into the pieces" in capsys.readouterr().err


def test_a_build_of_a_tokenizer_that_is_no_more_is_not_shown(letters, tmp_path):
    info = read_info(GOLDEN)
    config = json.loads(json.dumps(info.manifest["config"]))
    config["tokenizer"]["name"] = "runes"
    info = info._replace(manifest={**info.manifest, "config": config})
    with pytest.raises(UserError, match=r"tokenizer runes, not one of wordpiece, .*, letters"):
        readable_examples(info, SPECIALS)
