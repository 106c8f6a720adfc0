"""Pseudo-perplexity against a plain computation, and that it does not depend on the masks."""

import json
import os

import numpy as np
import pytest

from data_gen.shared.errors import UserError
from data_gen.shared.files import file_sha256
from pretrain.__main__ import main
from pretrain.checkpoint.load import load_model
from pretrain.evaluate.pseudo_perplexity import pseudo_perplexity
from pretrain.inputs.batches import all_batches
from pretrain.model.heads import OUTPUT_BIAS, forward
from pretrain.runtime.devices import one_device
from pretrain.runtime.tensorflow import tf
from tests.pretrain.helpers import DATA, features_of, scaled_weights

SPECIALS = (0, 100, 101, 102, 103)  # [PAD] [UNK] [CLS] [SEP] [MASK]
CLS, SEP, MASK = SPECIALS[2:]
LENGTH, SLOTS = 48, 7


@pytest.fixture(scope="module")
def decided(trained):
    """A model with large weights: no two pieces are alike to it."""
    model = load_model(trained)
    weights = scaled_weights(model.config)
    variables = {name: tf.constant(weights[name]) for name in model.variables}
    return model._replace(variables=variables)


def texts_of(info, count):
    """(ids, mask, segments) of the first records, with the labels in their places."""
    found = []
    for batch in all_batches(one_device(), info, features_of(info), 1):
        record = {name: tensor.numpy()[0] for name, tensor in batch.items()}
        for place, label, weight in zip(
            record["masked_lm_positions"], record["masked_lm_ids"], record["masked_lm_weights"]
        ):
            if weight:
                record["input_ids"][place] = label
        found.append((record["input_ids"], record["input_mask"], record["segment_ids"]))
    return found[:count]


def slowly(model, texts, instead):
    """exp of the mean loss, of one copy of one whole sequence after the other.

    instead: (sequence, position) -> the piece that hides
    """
    losses = []
    for number, (ids, mask, segments) in enumerate(texts):
        for place in range(LENGTH):
            if mask[place] and ids[place] not in SPECIALS:
                hidden = np.array([ids])
                hidden[0, place] = instead(number, place)
                batch = {
                    "input_ids": hidden,
                    "input_mask": np.array([mask]),
                    "segment_ids": np.array([segments]),
                    "masked_lm_positions": np.array([[place]], np.int32),
                }
                logits = forward(model.variables, batch, model.config).masked_lm.numpy()[0]
                logits = logits.astype(np.float64)
                top = logits.max()
                losses.append(top + np.log(np.exp(logits - top).sum()) - logits[ids[place]])
    return np.exp(np.mean(losses)), len(losses)


def test_it_is_that_of_one_position_after_the_other(decided, info):
    texts = texts_of(info, 3)
    found = pseudo_perplexity(decided, DATA, sequences=3, seed=5)
    perplexity, count = slowly(decided, texts, lambda number, place: MASK)
    assert found["mask"] == pytest.approx(perplexity, rel=1e-5)
    assert (found["positions"], found["sequences"], found["seed"]) == (count, 3, 5)
    pool = sorted({int(i) for ids, _, _ in texts for i in ids} - set(SPECIALS))
    drawn = [np.random.RandomState([5, n]).randint(len(pool) - 1, size=LENGTH) for n in range(3)]

    def random_piece(number, place):
        others = [piece for piece in pool if piece != texts[number][0][place]]
        return others[drawn[number][place]]

    perplexity, _ = slowly(decided, texts, random_piece)
    assert found["random_piece"] == pytest.approx(perplexity, rel=1e-5)
    again = pseudo_perplexity(decided, DATA, sequences=3, seed=6)
    assert again["mask"] == found["mask"]
    assert again["random_piece"] != found["random_piece"]


def write_records(folder, texts, seed, masked):
    """A data set of texts: of each, `masked` pieces become [MASK], another piece or stay."""
    rng = np.random.RandomState(seed)
    os.makedirs(str(folder))
    path = str(folder / "part-00000.tfrecord")
    with tf.io.TFRecordWriter(path) as writer:
        for pieces in texts:
            whole = np.array([CLS, *pieces, SEP])
            places = np.sort(rng.permutation(len(pieces))[:masked] + 1)
            seen = whole.copy()
            seen[places] = rng.choice([MASK, 700, 701], size=masked)
            seen[places[0]] = whole[places[0]]
            features = {
                "input_ids": padded(seen, LENGTH),
                "input_mask": padded(np.ones_like(whole), LENGTH),
                "segment_ids": padded(np.zeros_like(whole), LENGTH),
                "masked_lm_positions": padded(places, SLOTS),
                "masked_lm_ids": padded(whole[places], SLOTS),
                "next_sentence_labels": [seed % 2],
            }
            int64 = {
                name: tf.train.Feature(int64_list=tf.train.Int64List(value=values))
                for name, values in features.items()
            }
            weights = tf.train.FloatList(value=padded(np.ones(masked), SLOTS))
            features = {**int64, "masked_lm_weights": tf.train.Feature(float_list=weights)}
            example = tf.train.Example(features=tf.train.Features(feature=features))
            writer.write(example.SerializeToString())
    with open(os.path.join(DATA, "dataset.json"), encoding="utf-8") as handle:
        manifest = json.load(handle)
    size, name = os.path.getsize(path), os.path.basename(path)
    manifest["shards"] = [{"name": name, "examples": len(texts), "bytes": size}]
    manifest["shards"][0]["sha256"] = file_sha256(str(path))
    del manifest["statistics"]
    manifest["config"].update(max_seq_length=LENGTH, max_predictions_per_seq=SLOTS)
    (folder / "dataset.json").write_text(json.dumps(manifest))
    return str(folder)


def padded(values, size):
    return [*np.asarray(values).tolist(), *[0] * (size - len(values))]


def test_it_does_not_depend_on_the_masks(decided, tmp_path):
    rng = np.random.RandomState(3)
    texts = [rng.randint(700, 760, size=size) for size in (5, 29, 30, 31, 46, 20)]
    first, second = (
        pseudo_perplexity(decided, write_records(tmp_path / str(seed), texts, seed, masked), 9)
        for seed, masked in ((1, 2), (2, 5))
    )
    assert first == second
    assert first["positions"] == sum(map(len, texts))
    assert first["sequences"] == len(texts)  # 9 are asked for
    others = [np.where(text == 700, 701, text) for text in texts]
    other = pseudo_perplexity(decided, write_records(tmp_path / "other", others, 1, 2), 9)
    assert other["mask"] != first["mask"]


def test_a_text_of_one_piece_cannot_be_hidden(decided, tmp_path):
    folder = write_records(tmp_path / "one", [np.full(9, 800)], 1, 2)
    with pytest.raises(UserError, match="begins with fewer than 2 different pieces"):
        pseudo_perplexity(decided, folder, 1)


def test_a_model_without_the_head_is_an_error(decided):
    variables = {n: x for n, x in decided.variables.items() if n != OUTPUT_BIAS}
    with pytest.raises(UserError, match="has no masked LM head, which pseudo-perplexity asks"):
        pseudo_perplexity(decided._replace(variables=variables), DATA, 1)


def test_the_command_measures_it_when_asked(trained, capsys):
    command = ["evaluate", "--model", trained, "--data", DATA]
    assert main([*command, "--pseudo-perplexity", "--sequences", "2"]) == 0
    said = capsys.readouterr().out
    assert "\npseudo-perplexity: " in said
    assert "of 2 sequences, seed 0)" in said
    assert "\nspread over texts: [CLS] " in said
    assert main([*command, "--json"]) == 0
    assert "pseudo_perplexity" not in json.loads(capsys.readouterr().out)
