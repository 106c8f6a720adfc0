"""The pieces that a discriminator takes for replaced."""

import json

import numpy as np
import pytest

from data_gen.shared.errors import UserError
from pretrain.__main__ import main
from pretrain.checkpoint import store
from pretrain.checkpoint.load import load_model
from pretrain.model.electra import discriminator_scores
from pretrain.predict.detect import Detector
from pretrain.runtime.tensorflow import tf
from pretrain.text import tokenizer
from tests.pretrain.small_model import FakeTokenizer, write_electra

LINES = ["天地日月。山水人", "木金火" * 30]


@pytest.fixture
def model(tmp_path):
    return write_electra(tmp_path)


@pytest.fixture(autouse=True)
def fake_tokenizer(monkeypatch):
    monkeypatch.setattr(tokenizer, "load_tokenizer", lambda folder: FakeTokenizer())


def probabilities(folder, text):
    """Of each piece, by the graph function."""
    model = load_model(folder)
    ids = [[FakeTokenizer.cls, *FakeTokenizer().encode([text])[0][0], FakeTokenizer.sep]]
    batch = {"input_ids": ids, "input_mask": np.ones_like(ids), "segment_ids": np.zeros_like(ids)}
    tensors = {name: tf.constant(x, tf.int32) for name, x in batch.items()}
    scores = discriminator_scores(model.variables, tensors, model.config)
    return tf.sigmoid(scores).numpy()[0, 1:-1]


def test_pieces_above_the_bound_are_listed_with_their_places(model):
    detect = Detector(load_model(model), FakeTokenizer())
    found = list(detect(LINES, above=0.5))
    assert [(one["line"], one["start"]) for one in found] == [(1, 0), (1, 5), (2, 0)]
    assert "".join(one["text"] for one in found) == "".join(LINES)
    first = probabilities(model, "天地日月。")
    listed = {piece["start"]: piece["probability"] for piece in found[0]["replaced"]}
    assert set(listed) == set(np.flatnonzero(first >= 0.5).tolist())
    assert 0 < len(listed) < 5
    for place, probability in listed.items():
        assert probability == pytest.approx(first[place], rel=1e-3)
        assert found[0]["text"][place] == "天地日月。"[place]
    (all_found,) = list(detect(["天地日月。"], above=0.0))
    assert len(all_found["replaced"]) == 5
    longest = next(iter(detect(LINES[1:], above=0.0)))["replaced"]
    assert [piece["start"] for piece in longest] == list(range(90))  # longer than the model


def test_where_no_piece_seems_replaced_the_bound_is_said(model, capsys):
    assert main(["predict", "--model", model, "--above", "1", *LINES[:1]]) == 0
    said = capsys.readouterr()
    assert said.out.count("\n") == 2  # its two sentences
    assert "no piece seems replaced by --above 1: lower values list more\n" in said.err


def test_the_command(model, capsys):
    assert main(["predict", "--model", model, "--json", *LINES[:1]]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["task"] for one in found] == ["detect", "detect"]
    assert main(["predict", "--model", model, "--above", "0", *LINES[:1]]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "天地日月。"
    assert said[1].startswith("  0-1 天 ")
    assert said[1].endswith("%")


@pytest.mark.parametrize("option", [["--top", "3"], ["--ratio", "2"]])
def test_options_of_proposals_are_refused(model, option, capsys):
    assert main(["predict", "--model", model, *option, "天"]) != 0
    assert "whose discriminator proposes nothing: leave it out" in capsys.readouterr().err


def test_a_discriminator_without_its_head_says_so(model):
    arrays = store.read(store.find(model))
    kept = {n: tf.constant(x) for n, x in arrays.items() if "discriminator_pred" not in n}
    store.save(f"{model}/model.ckpt-1", kept)
    with pytest.raises(UserError, match=r"lacks discriminator_predictions/dense/kernel"):
        load_model(model)
