"""Train 20 steps with google-research/electra on TensorFlow 1.15 and keep the end for our tests.

The command is in README.md. Its package `pretrain` has the name of ours, which is not imported.
"""

import glob
import json
import sys

import numpy as np
import tensorflow.compat.v1 as tf

STEPS, BATCH, RATE, MASK = 20, 8, 1e-3, 103
KEPT = 150  # numbers of each array, evenly spaced
LENGTH, PREDICTIONS = 48, 12
FIRST = 10  # step to begin with: the warm-up of one step is over

google, output = sys.argv[1:]
sys.path.insert(0, google)

import configure_pretraining  # noqa: E402
import run_pretraining  # noqa: E402
from model import optimization  # noqa: E402

from pretrain import pretrain_data, pretrain_helpers  # noqa: E402

with open("tests/data/electra.json") as handle:
    sizes = json.load(handle)
own = ("embedding_size", "generator_hidden_size", "generator_layers", "model_type", "vocab_size")
overrides = {name: value for name, value in sizes.items() if name not in own}
config = configure_pretraining.PretrainingConfig(
    "golden",
    "/nowhere",
    max_seq_length=LENGTH,
    vocab_size=sizes["vocab_size"],
    embedding_size=sizes["embedding_size"],
    generator_hidden_size=sizes["generator_hidden_size"],
    generator_layers=sizes["generator_layers"],
    model_hparam_overrides={**overrides, "hidden_act": "gelu"},  # its name of the exact form
)

integers = dict.fromkeys(("input_ids", "input_mask", "segment_ids"), LENGTH)
integers.update(dict.fromkeys(("masked_lm_positions", "masked_lm_ids"), PREDICTIONS))
spec = {name: tf.FixedLenFeature([size], tf.int64) for name, size in integers.items()}
spec["masked_lm_weights"] = tf.FixedLenFeature([PREDICTIONS], tf.float32)


def parse(records):
    found = tf.io.parse_example(records, spec)
    return {n: tf.cast(x, tf.int32) if x.dtype == tf.int64 else x for n, x in found.items()}


files = sorted(glob.glob("tests/golden/dataset/*.tfrecord"))
with tf.Graph().as_default(), tf.Session() as session:
    records = tf.data.TFRecordDataset(files).repeat().batch(BATCH, drop_remainder=True).map(parse)
    features = tf.data.make_one_shot_iterator(records).get_next()
    step = tf.train.get_or_create_global_step()

    # Our positions, all of them with [MASK], in place of Google's choice; and samples by a rule.
    def mask(config, inputs, mask_prob):
        positions = features["masked_lm_positions"]
        masked, _ = pretrain_helpers.scatter_update(
            inputs.input_ids, tf.fill([BATCH, PREDICTIONS], MASK), positions
        )
        return pretrain_data.get_updated_inputs(
            inputs,
            input_ids=masked,
            masked_lm_positions=positions,
            masked_lm_ids=features["masked_lm_ids"],
            masked_lm_weights=features["masked_lm_weights"],
        )

    def sample(logits, disallow=None):
        ids, number = features["masked_lm_ids"], tf.cast(step, tf.int32) - FIRST
        place = tf.range(PREDICTIONS) + number
        other = (ids * 7 + place * 13) % sizes["vocab_size"]
        chosen = tf.where(tf.equal((ids + place) % 3, 0), ids, other)
        return tf.one_hot(chosen, sizes["vocab_size"])

    pretrain_helpers.mask, pretrain_helpers.sample_from_softmax = mask, sample
    model = run_pretraining.PretrainingModel(config, features, True)
    losses = [model.total_loss, model.mlm_output.loss]
    with tf.control_dependencies(losses):  # before the step is counted up
        update = optimization.create_optimizer(
            model.total_loss, RATE, 1 << 30, weight_decay_rate=0.01, warmup_steps=1
        )
    session.run(tf.global_variables_initializer())
    step.load(FIRST, session)
    for i, variable in enumerate(tf.trainable_variables()):
        noise = np.random.RandomState(i).uniform(-0.2, 0.2, variable.shape.as_list())
        one = 1.0 if variable.op.name.endswith("gamma") else 0.0
        variable.load((noise + one).astype(np.float32), session)
    found = np.array([session.run([*losses, update])[:2] for _ in range(STEPS)])
    arrays = session.run({v.op.name: v for v in tf.global_variables()})
arrays.pop("global_step")
kept = {name: a.ravel()[:: max(1, a.size // KEPT)] for name, a in arrays.items()}
np.savez_compressed(output, losses=found, **kept)
print("losses", found[0], "...", found[-1], "of", len(kept), "arrays")
