"""Replaced token detection, piece by piece: the text, the masks, the samples, the labels."""

import numpy as np
import pytest

from pretrain.inputs.batches import all_batches, training_batches
from pretrain.learning.objective import EvaluationContext, Preparation
from pretrain.learning.objectives import OBJECTIVES
from pretrain.learning.replaced_tokens_evaluation import EVALUATION
from pretrain.model import electra
from pretrain.model.bert import init
from pretrain.model.config import read_bert_config
from pretrain.model.electra import choose, corrupt, electra_shapes, original_ids, put, sample
from pretrain.model.noise import mixed_seed, uniforms
from pretrain.runtime.devices import one_device
from pretrain.runtime.tensorflow import tf
from tests.pretrain.helpers import ELECTRA, random_weights

MASK, CLS, SEP = 103, 101, 102
ENTRY = OBJECTIVES["replaced_tokens"]


@pytest.fixture(scope="module")
def records(info):
    """All 78 examples of a build with similar words, as they are."""
    return next(iter(all_batches(one_device(), info, ENTRY.features(info), 78, numbered=True)))


@pytest.fixture(scope="module")
def prepared(records):
    return ENTRY.prepare(records, Preparation(MASK, tf.constant(5, tf.int64)))


@pytest.fixture(scope="module")
def model():
    return read_bert_config(ELECTRA)


@pytest.fixture(scope="module")
def variables(model):
    shapes = electra_shapes(model)
    values = random_weights(shapes)
    found = init(model, 1, shapes)
    for name, variable in found.items():
        variable.assign(values[name])
    return found


def rows_of(batch):
    """(ids, positions of the predictions, their labels) of each example."""
    names = ("input_ids", "masked_lm_positions", "masked_lm_ids", "masked_lm_weights")
    for ids, positions, labels, weights in zip(*(batch[name].numpy() for name in names)):
        count = int(weights.sum())
        yield ids, positions[:count], labels[:count]


def test_the_text_is_restored_and_masked_wherever_the_build_chose(records, prepared):
    seen = records["input_ids"].numpy()
    originals, masked = original_ids(records).numpy(), prepared["input_ids"].numpy()
    assert (originals != seen).sum() > 300  # similar and random words stand in the records
    for row, (ids, positions, labels) in enumerate(rows_of(records)):
        text = ids.copy()
        text[positions] = labels
        assert np.array_equal(originals[row], text)
        text[positions] = MASK
        assert np.array_equal(masked[row], text)
    assert not (originals == MASK).any()
    assert np.array_equal(original_ids(prepared).numpy(), originals)


def test_a_position_is_masked_once_and_nothing_of_the_text_is_lost(records, info):
    """google-research/electra draws positions with replacement: 13.8 % of 128 pieces, 14.0 % of
    512. And it loses the text beyond the end of a segment.
    """
    for length, share in ((128, 0.138), (512, 0.140)):
        candidates, drawn = length - 3, round(0.15 * length)
        distinct = candidates * (1 - (1 - 1 / candidates) ** drawn)
        assert distinct / length == pytest.approx(share, abs=5e-4)
    for _, positions, _ in rows_of(records):
        assert len(set(positions)) == len(positions)
    real = records["input_mask"].numpy().sum()
    assert records["masked_lm_weights"].numpy().sum() / real == pytest.approx(0.15, abs=0.003)
    originals = original_ids(records).numpy()[records["input_mask"].numpy() > 0]
    text = (~np.isin(originals, (CLS, SEP))).sum()
    assert text == info.manifest["config"]["dupe_factor"] * info.statistics["pieces"]


def test_padding_of_the_predictions_changes_nothing(records):
    batch = {name: x[:2] for name, x in records.items()}
    batch["masked_lm_weights"] = tf.zeros_like(batch["masked_lm_weights"])
    pieces = tf.fill([2 * batch["masked_lm_ids"].shape[1]], 7)
    assert np.array_equal(put(batch, pieces).numpy(), batch["input_ids"].numpy())


def test_a_sample_that_is_the_original_is_not_replaced(prepared, variables, model, monkeypatch):
    labels = prepared["masked_lm_ids"].numpy()
    chosen = np.where(np.arange(labels.shape[1]) % 2, labels, labels + 1)
    monkeypatch.setattr(electra, "choose", lambda _, batch: tf.constant(chosen.ravel()))
    found = corrupt(variables, prepared, model)
    ids, originals = found.batch["input_ids"].numpy(), original_ids(prepared).numpy()
    assert np.array_equal(found.labels.numpy(), ids != originals)
    for row, (_, positions, _) in enumerate(rows_of(prepared)):
        assert np.array_equal(ids[row, positions], chosen[row, : len(positions)])
        expected = np.zeros(ids.shape[1])
        expected[positions[::2]] = 1
        assert np.array_equal(found.labels.numpy()[row], expected)


def test_samples_follow_the_softmax():
    """300 pieces in three groups, the last not full; 40,000 draws of one row."""
    rng = np.random.RandomState(2)
    scores = rng.normal(size=300) * 2
    shares = np.exp(scores) / np.exp(scores).sum()
    draws = uniforms(tf.constant(3, tf.int64), tf.range(40_000), 3 + 128)
    found = sample(tf.constant(np.tile(scores, [40_000, 1]).astype("f4")), draws).numpy()
    counts = np.bincount(found, minlength=300)
    assert len(counts) == 300
    off = (counts - 40_000 * shares) / np.sqrt(40_000 * shares + 1)
    assert np.abs(off).max() < 4.5
    assert (off**2).mean() < 1.3


def test_the_noise_is_uniform_and_independent():
    values = uniforms(mixed_seed(12345, tf.constant(7)), tf.range(1000), 200).numpy()
    assert 0 < values.min() < 1e-4
    assert 1 - 1e-4 < values.max() < 1
    bins = np.bincount((values.ravel() * 100).astype(int), minlength=100)
    assert ((bins - 2000) ** 2 / 2000).sum() < 150  # chi-square of 99
    for one, other in ((values[:, 1:], values[:, :-1]), (values[1:], values[:-1])):
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.01
    for seed, step in ((12345, 8), (12346, 7)):
        others = uniforms(mixed_seed(seed, tf.constant(step)), tf.range(1000), 200).numpy()
        assert abs(np.corrcoef(values.ravel(), others.ravel())[0, 1]) < 0.01
        assert (values == others).mean() < 1e-3


def test_a_sample_is_a_function_of_seed_and_number_alone(prepared):
    scores = tf.constant(np.random.RandomState(1).normal(size=[78 * 12, 500]).astype("f4"))
    whole = choose(scores, prepared).numpy().reshape([78, 12])
    part = {name: x[30:40] if len(x.shape) else x for name, x in prepared.items()}
    of_part = choose(scores[30 * 12 : 40 * 12], part).numpy().reshape([10, 12])
    assert np.array_equal(of_part, whole[30:40])
    other = {**prepared, "noise_seed": tf.constant(6, tf.int64)}
    assert (choose(scores, other).numpy().reshape([78, 12]) != whole).mean() > 0.9


@pytest.mark.parametrize(("micro_batches", "steps"), [(1, 1), (4, 1), (2, 2)])
def test_sequences_are_numbered_by_their_place_in_the_global_batch(
    info, settings, two_devices, micro_batches, steps
):
    config = settings(f"gradient_accumulation_steps={micro_batches}")
    stage = config.resolved_stages()[0]

    def numbered(strategy, by_length=False):
        batches = training_batches(
            strategy, info, ENTRY.features(info), stage, 1, 0, steps, by_length, numbered=True
        )
        return strategy.experimental_local_results(next(batches)["example_numbers"])

    (whole,) = numbered(one_device())
    assert whole.shape == [steps, micro_batches, 8 // micro_batches]
    for step in whole.numpy():
        assert step.ravel().tolist() == list(range(8))
    if micro_batches == 4:
        return
    parts = [part.numpy() for part in numbered(two_devices)]
    for step in range(steps):
        assert [n for part in parts for n in part[step].ravel()] == list(range(8))
    (by_length,) = numbered(one_device(), True)
    for step in by_length.numpy():
        assert sorted(step.ravel()) == list(range(8))


def test_the_area_under_the_curve_and_the_shares(records, prepared, variables, model):
    seen = corrupt(variables, prepared, model)
    middle = np.median(electra.discriminator_scores(variables, seen.batch, model).numpy())
    bias = "discriminator_predictions/dense_1/bias"
    variables = {**variables, bias: variables[bias] - middle}  # so that half are called replaced
    context = EvaluationContext(model, MASK, "none")
    counts = EVALUATION.counts(variables, prepared, context)
    sums = {name: float(counts[name]) for name in EVALUATION.names(context)}
    figures = EVALUATION.figures({**sums, "examples": 78.0}, context)
    scores = electra.discriminator_scores(variables, seen.batch, model).numpy()
    real = records["input_mask"].numpy() > 0
    scores, labels = scores[real], seen.labels.numpy()[real] > 0
    above = (scores[labels][:, None] > scores[~labels][None]).mean()
    assert figures["discriminator_auc"] == pytest.approx(above, abs=0.01)
    called = scores > 0
    assert figures["discriminator_precision"] == pytest.approx(labels[called].mean())
    assert figures["discriminator_recall"] == pytest.approx(called[labels].mean())
    assert figures["discriminator_accuracy"] == pytest.approx((called == labels).mean())
    assert figures["replaced_share"] == pytest.approx(labels.sum() / figures["masked_pieces"])
    assert sum(sums[f"replaced_{i}"] for i in range(240)) == labels.sum()
