"""A discriminator that is fine-tuned: Google's head, and what other programs make of it."""

import json

import numpy as np
import pytest

pytest.importorskip("safetensors")
pytest.importorskip("tokenizers")

from data_gen.shared.errors import UserError
from pretrain.__main__ import main
from pretrain.checkpoint import store
from pretrain.checkpoint.load import load_model
from pretrain.exchange import electra
from pretrain.exchange.export_release import export_hf
from pretrain.learning import classification, span
from pretrain.model.bert import encode, init
from pretrain.model.config import read_bert_config
from pretrain.model.electra import electra_shapes
from pretrain.runtime.tensorflow import tf
from tests.pretrain.finetuned import finetuned
from tests.pretrain.helpers import ELECTRA
from tests.pretrain.small_model import PIECES, write_electra


@pytest.fixture(scope="module")
def classified(tmp_path_factory):
    """The folder of a run, and of the model that it started from."""
    folder = tmp_path_factory.mktemp("classified")
    return finetuned(folder, "classification", write=write_electra), str(folder / "model")


@pytest.fixture(scope="module")
def answering(tmp_path_factory):
    return finetuned(tmp_path_factory.mktemp("answering"), "cmrc2018", write=write_electra)


def batch_of(length=9):
    rng = np.random.RandomState(5)
    mask = np.array([[1] * length, [1] * (length - 3) + [0] * 3])
    ids = rng.randint(6, len(PIECES), [2, length]) * mask
    return {"input_ids": ids, "input_mask": mask, "segment_ids": mask * 0}


def tensors(batch):
    return {name: tf.constant(x, tf.int32) for name, x in batch.items()}


def theirs(kind, folder):
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
    batch = batch_of()
    model, report = getattr(transformers, kind).from_pretrained(folder, output_loading_info=True)
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    with torch.no_grad():
        return model.eval()(
            input_ids=torch.tensor(batch["input_ids"]),
            attention_mask=torch.tensor(batch["input_mask"]),
            token_type_ids=torch.tensor(batch["segment_ids"]),
        )


def test_it_starts_from_the_discriminator_alone(classified):
    run, start = classified
    model, before = load_model(run), store.read(store.find(start))
    assert set(model.variables) == {name for name in before if name.startswith("electra/")} | {
        classification.WEIGHTS,
        classification.BIAS,
    }
    name = "electra/encoder/layer_0/output/dense/kernel"
    moved = np.abs(model.variables[name].numpy() - before[name]).max()
    assert 0 < moved < 0.05  # at the rate of the settings, from the discriminator's weights


def test_its_head_is_googles(classified):
    """The first piece's vector, dropout, one dense layer; no pooler."""
    model = load_model(classified[0])
    batch = tensors(batch_of())
    first = encode(model.variables, batch, model.config).numpy()[:, 0]
    weights, bias = (model.variables[n].numpy() for n in (classification.WEIGHTS, "output_bias"))
    expected = first @ weights.T + bias
    found = classification.logits(model.variables, batch, model.config).numpy()
    assert np.abs(found - expected).max() < 1e-6


def test_transformers_classifies_the_same(classified, tmp_path):
    there = export_hf(classified[0], str(tmp_path / "there"))
    found = theirs("ElectraForSequenceClassification", there).logits.numpy()
    model = load_model(classified[0])
    expected = classification.logits(model.variables, tensors(batch_of()), model.config)
    assert np.abs(found - expected.numpy()).max() < 1e-5


def test_more_labels_than_the_head_has_room_for_are_refused(tmp_path):
    config = load_model(write_electra(tmp_path / "model")).config
    head = {classification.WEIGHTS: np.ones([5, 8], "f4"), classification.BIAS: np.ones(5, "f4")}
    with pytest.raises(UserError, match=r"has room for 4 labels .*, and this model has 5"):
        electra.classifier(config, head)


def test_transformers_answers_the_same(answering, tmp_path):
    there = export_hf(answering, str(tmp_path / "there"))
    found = theirs("ElectraForQuestionAnswering", there)
    model, batch = load_model(answering), batch_of()
    expected = span.logits(model.variables, tensors(batch), model.config).numpy()
    real = batch["input_mask"] > 0
    for theirs_, ours in zip((found.start_logits, found.end_logits), expected):
        assert np.abs(theirs_.numpy() - ours)[real].max() < 1e-5


def test_predict_and_tf1_take_it(classified, tmp_path, capsys):
    there = str(tmp_path / "there")
    assert main(["export", "--format", "tf1", "--model", classified[0], "--output", there]) == 0
    answers = []
    for folder in (classified[0], there):
        capsys.readouterr()
        assert main(["predict", "--model", folder, "--json", "天地日人"]) == 0
        answers.append(json.loads(capsys.readouterr().out))
    assert answers[0] == answers[1]
    assert answers[0]["task"] == "classification"


def test_the_sizes_of_a_new_model_are_those_of_its_parts():
    config = read_bert_config(ELECTRA)
    shapes = electra_shapes(config)
    variables = init(config, 1, shapes)
    assert {name: tuple(v.shape) for name, v in variables.items()} == dict(shapes)
    project = variables["electra/embeddings_project/kernel"].numpy()
    bound = (6 / sum(project.shape)) ** 0.5  # TensorFlow's default, which Google's code leaves
    assert 0.9 * bound < np.abs(project).max() <= bound
    dense = variables["discriminator_predictions/dense/kernel"].numpy()
    assert np.abs(dense).max() <= 2 * config.initializer_range
