"""An ELECTRA with another vocabulary, and the settings of a start that name heads."""

import numpy as np
import pytest

from pretrain.checkpoint import store
from pretrain.config import TrainConfig
from pretrain.learning.objectives import OBJECTIVES
from pretrain.model.config import read_bert_config
from pretrain.runtime.devices import one_device
from pretrain.train.start import start_at_frequencies, start_from
from pretrain.train.state import new_state
from pretrain.vocab import resize
from tests.conftest import default_settings
from tests.pretrain.helpers import ELECTRA
from tests.pretrain.small_model import PIECES, FakeTokenizer, write_electra


def test_the_rows_of_both_halves_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(resize, "load_tokenizer", lambda folder: FakeTokenizer())
    source = write_electra(tmp_path / "model")
    ids = [*range(8), 12, 10]
    rows = [resize.EmbeddingRow(PIECES[i], (i,)) for i in ids]
    (tmp_path / "out").mkdir()
    resize.write_model(resize.open_model(source), str(tmp_path / "out"), rows)
    before, after = (store.read(store.find(str(tmp_path / n))) for n in ("model", "out"))
    assert before.keys() == after.keys()
    with_rows = {"electra/embeddings/word_embeddings", "generator_predictions/output_bias"}
    for name, array in before.items():
        expected = array[ids] if name in with_rows else array
        assert np.array_equal(after[name], expected), name


@pytest.fixture
def state():
    sets = ["objective=replaced_tokens", f"bert_config_file={ELECTRA}"]
    config = default_settings(TrainConfig, sets)
    return new_state(one_device(), read_bert_config(ELECTRA), config)


def test_the_generators_bias_starts_at_the_frequencies(state, info):
    start_at_frequencies(state, info)
    bias = state.variables["generator_predictions/output_bias"].numpy()
    assert np.exp(bias).sum() == pytest.approx(1, rel=1e-4)
    assert bias.max() - bias.min() > 4


def test_heads_are_left_out(state, tmp_path):
    shapes = OBJECTIVES["replaced_tokens"].variables(read_bert_config(ELECTRA), None)
    ones = {name: np.ones(shape, "f4") for name, shape in shapes.items()}
    store.save(str(tmp_path / "model.ckpt-1"), ones)
    start_from(state, str(tmp_path / "model.ckpt-1"), reinit_heads=True)
    for name in ("generator_predictions/dense/kernel", "discriminator_predictions/dense_1/kernel"):
        assert not (state.variables[name].numpy() == 1).all()
    for name in (
        "generator/encoder/layer_0/output/dense/kernel",
        "electra/embeddings/LayerNorm/beta",
    ):
        assert (state.variables[name].numpy() == 1).all()
