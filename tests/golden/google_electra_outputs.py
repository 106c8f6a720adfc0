"""What google-research/electra computes from a checkpoint, on TensorFlow 1.15: from the one in
FOLDER, or where there is none, from one that it writes there, with its optimizer's slots.

    python tests/golden/google_electra_outputs.py GOOGLE_RESEARCH_ELECTRA FOLDER OUTPUT.npz

Fails where a weight of Google's is not in the checkpoint, or the reverse. The command that compares
is in README.md. Its package `pretrain` has the name of ours, which is not imported.
"""

import json
import os
import sys

import numpy as np
import tensorflow.compat.v1 as tf

google, folder, output = sys.argv[1:]
sys.path.insert(0, google)

import configure_pretraining  # noqa: E402
import run_pretraining  # noqa: E402
from model import optimization  # noqa: E402

from pretrain import pretrain_data, pretrain_helpers  # noqa: E402

ROWS, LENGTH, PREDICTIONS, MASK = 8, 48, 8, 103
OURS = ("embedding_size", "generator_hidden_size", "generator_layers", "model_type", "vocab_size")

with open(os.path.join(folder, "bert_config.json")) as handle:
    sizes = json.load(handle)
shares = {name: sizes[name] for name in OURS if name != "model_type"}
overrides = {name: value for name, value in sizes.items() if name not in OURS}
overrides["hidden_act"] = "gelu"  # its name of the exact form
config = configure_pretraining.PretrainingConfig(
    "outputs", "/nowhere", max_seq_length=LENGTH, model_hparam_overrides=overrides, **shares
)

rng = np.random.RandomState(1)
numbers = {
    "input_ids": rng.randint(sizes["vocab_size"], size=(ROWS, LENGTH)),
    "input_mask": np.arange(LENGTH) < rng.randint(8, LENGTH + 1, size=(ROWS, 1)),
    "segment_ids": np.repeat((np.arange(LENGTH) >= 6)[None], ROWS, axis=0),
    "masked_lm_positions": np.repeat(np.arange(1, PREDICTIONS + 1)[None], ROWS, axis=0),
}
numbers["masked_lm_ids"] = numbers["input_ids"][:, 1 : PREDICTIONS + 1]
batch = {name: array.astype(np.int32) for name, array in numbers.items()}
samples = rng.randint(sizes["vocab_size"], size=(ROWS, PREDICTIONS)).astype(np.int32)


def mask(config, inputs, mask_prob):
    masks = tf.fill([ROWS, PREDICTIONS], MASK)
    ids, _ = pretrain_helpers.scatter_update(inputs.input_ids, masks, inputs.masked_lm_positions)
    return pretrain_data.get_updated_inputs(inputs, input_ids=ids)


# Our positions in place of its choice, and our samples in place of its noise.
pretrain_helpers.mask = mask
pretrain_helpers.sample_from_softmax = lambda logits, disallow=None: tf.one_hot(
    samples, sizes["vocab_size"]
)
with tf.Graph().as_default(), tf.Session() as session:
    features = {name: tf.constant(array) for name, array in batch.items()}
    features["masked_lm_weights"] = tf.ones([ROWS, PREDICTIONS])
    model = run_pretraining.PretrainingModel(config, features, False)
    named = {variable.op.name: variable for variable in tf.trainable_variables()}
    prefix = os.path.join(folder, "bert_model.ckpt")
    if tf.train.checkpoint_exists(prefix):
        stored = {name for name, _ in tf.train.list_variables(prefix)}
        assert stored == set(named), stored ^ set(named)
        tf.train.Saver(named).restore(session, prefix)
        print(f"{len(named)} variables restored, none missing, none left over")
    else:
        tf.train.get_or_create_global_step()
        update = optimization.create_optimizer(model.total_loss, 1e-3, 10, warmup_steps=1)
        session.run(tf.global_variables_initializer())
        for number, variable in enumerate(named.values()):
            noise = np.random.RandomState(number).uniform(-0.2, 0.2, variable.shape.as_list())
            one = 1.0 if variable.op.name.endswith("gamma") else 0.0
            variable.load((noise + one).astype(np.float32), session)
        for _ in range(2):  # the rate of the first is 0
            session.run(update)
        tf.train.Saver().save(session, prefix)
    replaced = model.eval_metrics[1][8]  # its disc_probs
    found = session.run({"words": model.mlm_output.logits, "replaced": replaced})
np.savez_compressed(output, samples=samples, **batch, **found)
