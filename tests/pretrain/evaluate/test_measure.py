"""Evaluations after a training and during one, and what they leave behind."""

import functools
import glob
import inspect
import json
import os
import signal
import struct

import numpy as np
import pytest

from data_gen.shared.dataset.similar_words import SourceArrays, table_file
from data_gen.shared.errors import UserError
from pretrain.checkpoint import store
from pretrain.checkpoint.folder import EVALUATIONS, METRICS
from pretrain.checkpoint.load import load_model
from pretrain.evaluate import measure
from pretrain.evaluate.measure import evaluate
from pretrain.evaluate.similar_pairs import read_similar_pairs
from pretrain.inputs.batches import all_batches, training_batches
from pretrain.inputs.checks import split_heldout
from pretrain.learning import masked_lm_evaluation
from pretrain.model.heads import Outputs
from pretrain.runtime.devices import one_device
from pretrain.runtime.tensorflow import compiled, is_version_1, tf
from pretrain.train import loop
from pretrain.train.loop import train
from pretrain.train.step import TrainStep
from tests.pretrain.helpers import DATA, features_of

SETS = ["num_train_steps=10", "save_checkpoints_steps=5", "heldout_shards=1"]


@pytest.fixture(scope="module")
def trained(settings, root, tmp_path_factory):
    """A training of 10 steps that keeps one of the two shards back."""
    output = str(tmp_path_factory.mktemp("trained"))
    train(settings(*SETS), [os.path.join(root, DATA)], output, None)
    return output


@pytest.fixture
def repeating(monkeypatch):
    """A model that repeats what it sees and calls every pair 1."""

    def repeat(variables, sequence, batch, model):
        seen = tf.gather(batch["input_ids"], batch["masked_lm_positions"], batch_dims=1)
        pairs = tf.one_hot(tf.ones_like(batch["next_sentence_labels"][:, 0]), 2)
        return Outputs(tf.one_hot(tf.reshape(seen, [-1]), 21128), pairs)

    monkeypatch.setattr(masked_lm_evaluation, "apply_heads", repeat)


def masked_pairs(info):
    """(original, seen) of every masked piece, and every pair label."""
    pieces, labels = [], []
    for batch in all_batches(one_device(), info, features_of(info), 32):
        ids, positions = batch["input_ids"].numpy(), batch["masked_lm_positions"].numpy()
        seen = np.take_along_axis(ids, positions, axis=1)
        real = batch["example_weights"].numpy() > 0
        there = (batch["masked_lm_weights"].numpy() > 0) & real[:, None]
        pieces += zip(batch["masked_lm_ids"].numpy()[there].tolist(), seen[there].tolist())
        labels += batch["next_sentence_labels"].numpy()[real, 0].tolist()
    return pieces, labels


def test_it_tells_what_the_model_saw(trained, repeating, info):
    """One that repeats its input is always right on kept words and never on replaced ones."""
    result = evaluate(load_model(trained), DATA)
    pieces, labels = masked_pairs(info)
    kept = sum(old == seen for old, seen in pieces)
    assert result["masked_pieces_by_kind"] == {"replaced": len(pieces) - kept, "kept": kept}
    assert result["masked_lm_accuracy_by_kind"] == {"replaced": 0.0, "kept": 1.0}
    assert result["masked_lm_accuracy"] == pytest.approx(kept / len(pieces))
    swapped = sum(labels)
    assert result["pair_confusion"] == [[0, len(labels) - swapped], [0, swapped]]
    assert result["pair_accuracy"] == pytest.approx(swapped / len(labels))
    assert result["perplexity"] == pytest.approx(np.exp(result["masked_lm_loss"]))


def table_of(path, words, neighbours):
    """A table of one source, as data_gen/synonyms/table.py writes it."""
    count = sum(map(len, neighbours))
    source = SourceArrays(
        keys=np.arange(len(words), dtype=np.uint64),
        pieces=np.array([p for word in words for p in word], np.int32),
        starts=np.cumsum([0] + [len(word) for word in words]),
        neighbours=np.array([c for others in neighbours for c in others], np.int32),
        similarities=np.ones([count], np.float32),
        neighbour_starts=np.cumsum([0] + [len(others) for others in neighbours]),
        scripts=np.zeros([len(words)], np.uint8),
    )
    arrays, metadata = table_file({"toolkit": source}, {})
    header = {"__metadata__": metadata}
    stop = 0
    for name, array in arrays.items():
        start, stop = stop, stop + array.nbytes
        dtype = array.dtype.kind.upper() + str(8 * array.dtype.itemsize)
        header[name] = {"dtype": dtype, "shape": [array.size], "data_offsets": [start, stop]}
    text = json.dumps(header).encode()
    data = struct.pack("<Q", len(text)) + text + b"".join(a.tobytes() for a in arrays.values())
    path.write_bytes(data)
    return str(path)


def test_similar_words_are_those_of_the_table(tmp_path):
    # 0 and 1 have two pieces each, 2 has one: no substitute for them
    path = table_of(tmp_path / "table.safetensors", [(10, 11), (20, 21), (30,)], [[1, 2], [0], []])
    pairs = read_similar_pairs(path, 100)
    assert pairs.tolist() == [1020, 1121, 2010, 2111]
    with pytest.raises(UserError, match="is no whole table of"):
        read_similar_pairs("setup.cfg", 100)
    with pytest.raises(UserError, match="holds the id 30, and the model's vocab_size is 30"):
        read_similar_pairs(path, 30)


def test_similar_and_random_pieces_are_told_apart(trained, repeating, info, tmp_path):
    pieces, _ = masked_pairs(info)
    replaced = [(old, seen) for old, seen in pieces if old != seen]
    old, seen = replaced[0]
    path = table_of(tmp_path / "table.safetensors", [(old,), (seen,)], [[1], []])
    result = evaluate(load_model(trained), DATA, similar_words=path)
    similar = replaced.count((old, seen))
    kinds = result["masked_pieces_by_kind"]
    assert (kinds["similar"], kinds["random"]) == (similar, len(replaced) - similar)


def test_masked_pieces_are_no_replaced_ones(trained, repeating, info):
    pieces, _ = masked_pairs(info)
    labels = {old for old, _ in pieces}
    mask = next(seen for _, seen in pieces if seen not in labels)  # as [MASK], never a label
    result = evaluate(load_model(trained)._replace(mask=mask), DATA)
    kinds = result["masked_pieces_by_kind"]
    assert kinds["mask"] == sum(seen == mask for _, seen in pieces)
    assert kinds["replaced"] == sum(seen not in (old, mask) for old, seen in pieces)
    assert result["masked_lm_accuracy_by_kind"]["mask"] == 0


@pytest.mark.skipif(
    is_version_1(), reason="XLA of TensorFlow 1.15 lacks the stateless random numbers"
)
def test_an_evaluation_compiles_as_a_tpu_wants_it(trained, monkeypatch):
    expected = evaluate(load_model(trained), DATA)
    monkeypatch.setattr(measure, "compiled", lambda function: compiled(function, True))
    found = evaluate(load_model(trained), DATA)
    assert found["masked_lm_loss"] == pytest.approx(expected["masked_lm_loss"], rel=1e-4)
    assert found["pair_confusion"] == expected["pair_confusion"]


def lines(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8") as handle:
        return [json.loads(line) for line in handle]


def test_what_is_held_out_is_evaluated_at_the_start_and_with_every_checkpoint(trained, info):
    found = lines(trained, EVALUATIONS)
    assert [line["step"] for line in found] == [0, 5, 10]
    heldout = split_heldout(info, 1)[1]
    assert {line["examples"] for line in found} == {heldout.examples}
    assert heldout.examples == info.shards[1].examples
    assert found[2]["masked_lm_loss"] < found[1]["masked_lm_loss"] < found[0]["masked_lm_loss"]


def test_an_evaluation_that_a_stop_prevented_is_made_up(settings, tmp_path, monkeypatch):
    original, calls = TrainStep.__call__, []

    def stopped_in_step_5(self, batches, stop):
        calls.append(batches)
        if len(calls) == 5:
            os.kill(os.getpid(), signal.SIGTERM)
        return original(self, batches, stop)

    monkeypatch.setattr(TrainStep, "__call__", stopped_in_step_5)
    run = functools.partial(train, settings(*SETS), [DATA], str(tmp_path), None)
    assert run() is None
    assert store.latest(str(tmp_path)).endswith("-5")
    assert [line["step"] for line in lines(str(tmp_path), EVALUATIONS)] == [0]
    assert run().endswith("-10")
    found = (tmp_path / EVALUATIONS).read_text().splitlines(keepends=True)
    assert [json.loads(line)["step"] for line in found] == [0, 5, 10]
    (tmp_path / EVALUATIONS).write_text("".join(found[:2]))  # as if killed in the last one
    assert run().endswith("-10")
    assert (tmp_path / EVALUATIONS).read_text() == "".join(found)
    assert len(calls) == 10


def test_a_set_of_its_own_may_be_held_out(settings, tmp_path, capsys):
    train(settings(*SETS[:2]), [DATA], str(tmp_path), None, heldout=DATA)
    found = lines(str(tmp_path), EVALUATIONS)
    again = evaluate(load_model(str(tmp_path)), DATA)
    assert found[-1]["masked_lm_loss"] == pytest.approx(again["masked_lm_loss"], rel=1e-5)
    said = capsys.readouterr().err
    assert "step 10, held-out: words " in said
    before, after = (line for line in said.splitlines() if line.startswith("held-out loss "))
    times = (before, "before (step 0)", found[0]), (after, "after (step 10)", again)
    for line, when, figures in times:
        assert line.startswith(f"held-out loss {when}: words {figures['masked_lm_loss']:.3f} ")
    assert after.endswith(f" on {again['examples']} examples")


def test_what_is_held_out_is_not_trained_on(info):
    trained, heldout = split_heldout(info, 1)
    assert trained.paths == info.paths[:1]
    assert heldout.paths == info.paths[1:]
    assert split_heldout(info, 0) == (info, None)
    with pytest.raises(UserError, match="does not divide into two sets"):
        split_heldout(info, 2)


def test_a_training_reads_nothing_of_what_is_held_out(info, settings, tmp_path, monkeypatch):
    read = []

    def batches(strategy, info, *others):
        read.extend(info.paths)
        return training_batches(strategy, info, *others)

    monkeypatch.setattr(loop, "training_batches", batches)
    sets = ["heldout_shards=1", "num_train_steps=1", "num_warmup_steps=1"]
    train(settings(*sets), [info.folder], str(tmp_path), None)
    assert read == info.paths[:1]


def test_a_training_does_not_read_its_sources_again(settings, tmp_path, monkeypatch):
    """They may have been updated since it began, which makes nonsense of what AutoGraph reads."""
    read, find = [], inspect.findsource

    def recording(thing):
        read.append(inspect.getsourcefile(thing))
        return find(thing)

    monkeypatch.setattr(inspect, "findsource", recording)
    train(settings(*SETS, "steps_per_call=5"), [DATA], str(tmp_path), None)
    assert [path for path in read if os.sep + "pretrain" + os.sep in path] == []


def test_tensorboard_reads_the_same_numbers(trained):
    (path,) = glob.glob(os.path.join(trained, "events.out.tfevents.*"))
    events = list(tf.compat.v1.train.summary_iterator(path))
    assert events[0].file_version == "brain.Event:2"
    # From this step on TensorBoard drops what an earlier process has written.
    assert (events[1].step, events[1].session_log.status) == (1, tf.compat.v1.SessionLog.START)
    values = {
        (event.step, value.tag): value.simple_value
        for event in events
        for value in event.summary.value
    }
    for line in lines(trained, METRICS):
        assert values[line["step"], "metrics/loss"] == pytest.approx(line["loss"], rel=1e-6)
        assert line["examples_per_second"] > 0
        assert line["utilisation"] > 0
    last = lines(trained, EVALUATIONS)[-1]
    kept = values[10, "evaluations/masked_lm_accuracy_by_kind/kept"]
    assert kept == pytest.approx(last["masked_lm_accuracy_by_kind"]["kept"])
    assert values[10, "evaluations/cls_vector/share"] == pytest.approx(last["cls_vector"]["share"])
    assert values[10, "evaluations/mean_vector/spread"] > 0
