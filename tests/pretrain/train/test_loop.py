import json
import os
import re
import shutil

import numpy as np
import pytest

from data_gen.shared.errors import UserError
from pretrain.checkpoint import store
from pretrain.checkpoint.folder import METRICS
from pretrain.checkpoint.load import load_model
from pretrain.evaluate.measure import evaluate
from pretrain.exchange.export_release import export_tf1
from pretrain.inputs.batches import training_batches
from pretrain.model.bert import variable_shapes
from pretrain.runtime.devices import one_device, processes
from pretrain.runtime.log import log
from pretrain.runtime.stopping import Stop
from pretrain.runtime.tensorflow import tf
from pretrain.train import loop, start
from pretrain.train.journal import Journal
from pretrain.train.loop import train
from pretrain.train.state import new_state
from pretrain.train.step import TrainStep
from tests.pretrain.helpers import DATA, MODEL, features_of, losses_of_batch


def metrics(folder):
    with open(os.path.join(str(folder), METRICS), encoding="utf-8") as handle:
        return [json.loads(line) for line in handle]


def test_the_loss_falls(trained):
    lines = metrics(trained)
    assert [line["step"] for line in lines] == [5, 10, 15, 20]
    assert lines[0]["loss"] > 10  # log(21128) + log(2) = 10.65
    assert lines[-1]["masked_lm_loss"] < lines[0]["masked_lm_loss"] - 1
    assert lines[-1]["learning_rate"] < lines[1]["learning_rate"]


def test_a_restored_model_has_the_same_loss(trained):
    first = evaluate(load_model(trained), DATA)
    again = evaluate(load_model(store.find(trained)), DATA, batch_size=16)
    earlier = evaluate(load_model(os.path.join(trained, "model.ckpt-10")), DATA)
    assert first["masked_lm_loss"] == pytest.approx(again["masked_lm_loss"], rel=1e-5)
    assert first["masked_lm_loss"] < earlier["masked_lm_loss"] - 0.1
    assert first["examples"] == 78


TWO_STAGES = "stages=[{num_train_steps: 7}, {train_batch_size: 16, num_train_steps: 13}]"


@pytest.mark.parametrize("stages", ["stages=[]", TWO_STAGES])
def test_an_interrupted_training_goes_on_as_if_nothing_had_happened(
    settings, tmp_path, monkeypatch, stages
):
    config = settings(stages)
    data = [DATA] * len(config.resolved_stages())
    whole, output = str(tmp_path / "whole"), str(tmp_path / "out")
    train(config, data, whole, None)
    original = TrainStep.__call__
    calls = []

    def stop_at_18(self, batch, stop):
        calls.append(batch)
        if len(calls) == 18:  # after the log of step 15
            raise KeyboardInterrupt
        return original(self, batch, stop)

    monkeypatch.setattr(TrainStep, "__call__", stop_at_18)
    with pytest.raises(KeyboardInterrupt):
        train(config, data, output, None)
    monkeypatch.setattr(TrainStep, "__call__", original)
    assert store.latest(output).endswith("model.ckpt-10")
    train(config, data, output, None)
    first, second = (store.read(store.find(folder)) for folder in (whole, output))
    for name, array in first.items():
        assert np.array_equal(array, second[name]), name
    lines = [metrics(folder) for folder in (whole, output)]
    for line in lines[0] + lines[1]:
        for speed in ("tokens_per_second", "examples_per_second", "utilisation"):
            del line[speed]
    assert lines[0] == lines[1]


def test_a_finished_training_is_not_done_again(trained, settings, tmp_path, monkeypatch):
    output = str(tmp_path / "out")
    shutil.copytree(trained, output)
    monkeypatch.setattr(loop, "_train_stage", None)
    assert train(settings(), [DATA], output, None).endswith("model.ckpt-20")


def test_stages_follow_each_other_and_start_their_schedule_anew(settings, tmp_path):
    stages = "stages=[{num_train_steps: 6, num_warmup_steps: 3}, {train_batch_size: 16}]"
    config = settings(stages, "log_steps=1", "num_train_steps=4", "num_warmup_steps=2")
    train(config, [DATA, DATA], str(tmp_path), None)
    rates = [line["learning_rate"] / 0.02 for line in metrics(tmp_path)]
    first = [0, 1 / 3, 2 / 3, 1 / 2, 1 / 3, 1 / 6]
    assert rates == pytest.approx([*first, 0, 1 / 2, 1 / 2, 1 / 4], abs=1e-6)
    with pytest.raises(UserError, match="has 2 stage"):
        train(config, [DATA], str(tmp_path / "other"), None)


def test_without_a_pair_task_its_head_is_saved_but_not_trained(
    settings, tmp_path, model, monkeypatch
):
    no_task = data_with(tmp_path / "data", pair_task="none")
    train(settings("pair_task=none"), [no_task], str(tmp_path / "out"), None)
    arrays = store.read(store.find(str(tmp_path / "out")))
    head = "cls/seq_relationship/output_weights"
    start = new_state(one_device(), model, settings()).variables
    assert np.array_equal(arrays[head], start[head].numpy())
    query = "bert/encoder/layer_0/attention/self/query/kernel"
    assert not np.array_equal(arrays[query], start[query].numpy())


def data_with(folder, **changed):
    """The golden data set with other settings in its manifest."""
    shutil.copytree(DATA, str(folder))
    path = os.path.join(str(folder), "dataset.json")
    with open(path, encoding="utf-8") as handle:
        manifest = json.load(handle)
    manifest["config"].update(changed)
    with open(path, "w", encoding="utf-8") as handle:
        json.dump(manifest, handle)
    return str(folder)


def test_an_exported_release_is_googles_without_slots(trained, model, tmp_path):
    prefix = export_tf1(trained, str(tmp_path / "release"))
    arrays = store.read(prefix)
    assert {n: a.shape for n, a in arrays.items()} == dict(variable_shapes(model))
    names = sorted(os.listdir(str(tmp_path / "release")))
    assert names == [
        "bert_config.json",
        "bert_model.ckpt.data-00000-of-00001",
        "bert_model.ckpt.index",
        "tokenizer_config.json",
        "vocab.txt",
    ]
    assert evaluate(load_model(prefix), DATA) == {
        **evaluate(load_model(trained), DATA),
        "checkpoint": prefix,
    }
    with pytest.raises(UserError, match="is not empty"):
        export_tf1(trained, str(tmp_path / "release"))


@pytest.mark.parametrize(
    ("changed", "override", "sentence"),
    [
        ({"pair_task": "nsp"}, "random_seed=1", "built with pair_task nsp"),
        ({"max_seq_length": 64}, "random_seed=1", "sequences of 64, the model has 48 positions"),
        ({}, "stages=[{max_seq_length: 128}]", "sequences of 48, the stage wants 128"),
    ],
)
def test_data_that_do_not_belong_to_the_model_are_refused(
    settings, tmp_path, changed, override, sentence
):
    folder = data_with(tmp_path / "data", **changed)
    with pytest.raises(UserError, match=sentence):
        train(settings(override), [folder], str(tmp_path / "out"), None)


def test_held_out_data_of_another_task_are_refused(settings, tmp_path):
    heldout = data_with(tmp_path / "data", pair_task="nsp")
    with pytest.raises(UserError, match="built with pair_task nsp"):
        train(settings(), [DATA], str(tmp_path / "out"), None, heldout=heldout)


def test_what_tensorflow_1_cannot_do_on_several_hosts_is_refused(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(start, "is_version_1", lambda: True)
    monkeypatch.setattr(start, "processes", lambda: (2, 0))
    with pytest.raises(UserError, match="several steps a call: steps_per_call=1"):
        train(settings("steps_per_call=5"), [DATA], str(tmp_path / "out"), None)


def test_data_of_another_vocabulary_are_refused(settings, tmp_path):
    vocab = tmp_path / "vocab.txt"
    shutil.copy("configs/vocab/bert_base_chinese.txt", str(vocab))
    with open(str(vocab), "a", encoding="utf-8") as handle:
        handle.write("“\n")
    with pytest.raises(UserError, match="were made with the vocabulary 45bbac6b"):
        train(settings(f"vocab_file={vocab}"), [DATA], str(tmp_path / "out"), None)


def first_metrics(one_step, bert, *overrides):
    """The metrics of the first step of a training, by name."""
    _, step, batch = one_step(bert, *overrides)
    return step(batch).sums


def test_training_drops_out_and_evaluation_does_not(one_step, settings, model, plain_model, info):
    config = settings()
    batches = training_batches(
        one_device(), info, features_of(info), config.resolved_stages()[0], 1, 0
    )
    batch = {name: x[0, 0] for name, x in next(batches).items()}
    variables = new_state(one_device(), model, config).variables
    expected = float(losses_of_batch(variables, batch, model, config)["loss"])
    assert first_metrics(one_step, plain_model)["loss"] == pytest.approx(expected, abs=1e-5)
    assert abs(first_metrics(one_step, model)["loss"] - expected) > 1e-5


def of_two_processes(index):
    cluster = {"worker": ["one:1", "two:2"]}
    return json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}})


def test_of_several_processes_only_the_first_writes(
    one_step, settings, model, tmp_path, monkeypatch, capsys
):
    state, _, _ = one_step(model)
    for index, written in ((1, []), (0, ["checkpoint", "events", METRICS, "model.ckpt-0"])):
        monkeypatch.setenv("TF_CONFIG", of_two_processes(index))
        journal = Journal(str(tmp_path), 0)
        journal.write(METRICS, 1, {"loss": 1.0})
        parts = one_device(), model, settings(), state, str(tmp_path), journal
        loop.Training(*parts, stop=Stop()).save()
        log("done")
        found = sorted({re.sub(r"\.(out|data|index).*", "", n) for n in os.listdir(str(tmp_path))})
        assert found == written
        assert capsys.readouterr().err == ("" if index else "done\n")


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("{", "TF_CONFIG must look like"),
        ("[1]", "TF_CONFIG must look like"),
        (of_two_processes("last"), "TF_CONFIG must look like"),
        (of_two_processes(2), "TF_CONFIG's task worker 2 is not in its cluster"),
    ],
)
def test_a_cluster_that_cannot_be_is_an_error(monkeypatch, value, sentence):
    monkeypatch.setenv("TF_CONFIG", value)
    with pytest.raises(UserError, match=sentence):
        processes()


def test_every_step_and_every_part_of_a_batch_drops_out_otherwise(one_step, model):
    # At this rate the weights stay.
    _, step, half = one_step(model, "train_batch_size=4", "learning_rate=1.0e-30")
    first, second = (step(half).sums["loss"] for _ in range(2))
    assert abs(first - second) > 1e-5
    _, step, _ = one_step(model, "gradient_accumulation_steps=2")
    twice = {name: tf.concat([x, x], axis=1) for name, x in half.items()}
    assert abs(step(twice).sums["loss"] - first) > 1e-5


def test_a_device_drops_out_as_a_part_does(one_step, model, two_devices):
    parts = first_metrics(one_step, model, "gradient_accumulation_steps=2")
    _, step, batch = one_step(model, strategy=two_devices)
    assert step(batch).sums == pytest.approx(parts, rel=1e-5)


def test_xla_computes_the_same_where_there_is_one(one_step, plain_model):
    xla = "jit_compile=true"
    if tf.__version__.startswith("1."):
        with pytest.raises(UserError, match="jit_compile=false"):
            first_metrics(one_step, plain_model, xla)
    else:
        expected = first_metrics(one_step, plain_model)
        assert first_metrics(one_step, plain_model, xla) == pytest.approx(expected, rel=1e-4)


def test_a_vocabulary_larger_than_the_models_is_refused(settings, tmp_path):
    path = tmp_path / "small.json"
    path.write_text(json.dumps({**MODEL, "vocab_size": 21127}))
    with pytest.raises(UserError, match="has 21128 pieces, the model's vocab_size is 21127"):
        train(settings(f"bert_config_file={path}"), [DATA], str(tmp_path / "out"), None)
    with pytest.raises(UserError, match=r"cannot read the vocabulary nowhere\.txt"):
        train(settings("vocab_file=nowhere.txt"), [DATA], str(tmp_path / "out"), None)
