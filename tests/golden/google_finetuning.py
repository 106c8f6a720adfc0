"""Fine-tune 20 steps with google-research/bert on TensorFlow 1.15 and keep the end for our tests.

The command is in README.md.
"""

import sys

import numpy as np
import tensorflow as tf

STEPS, BATCH, LENGTH = 20, 8, 48
KEPT = 250  # numbers of each array, evenly spaced
SETTINGS = {
    "init_checkpoint": None,
    "num_train_steps": 1 << 30,  # so that the rate is constant
    "num_warmup_steps": 0,
    "use_tpu": False,
    # As on a TPU. Else the gradient of the word embeddings is a row for each position, and the norm
    # that clips counts the rows of a piece one by one, not their sum.
    "use_one_hot_embeddings": True,
}

google, output = sys.argv[1:]
sys.argv = sys.argv[:1]  # its flags are not for us
sys.path[:0] = [google, "."]

import modeling  # noqa: E402
import run_classifier  # noqa: E402

# Both scripts define flags of the same names.
tf.flags.FLAGS.remove_flag_values(list(tf.flags.FLAGS))

import run_squad  # noqa: E402

from tests.pretrain.helpers import PLAIN  # noqa: E402

# The dropout before the head of run_classifier.py, which no setting changes; the model's has rate 0
# and does not come here.
tf.nn.dropout = lambda x, keep_prob: x
# The records in their order, again and again.
for dataset in (tf.data.Dataset, tf.compat.v1.data.Dataset, tf.data.TFRecordDataset):
    dataset.shuffle = lambda self, buffer_size: self


def fine_tune(model_fn, input_fn):
    """Return the losses and about KEPT numbers of every variable after the last step."""
    with tf.Graph().as_default(), tf.Session() as session:
        features = tf.compat.v1.data.make_one_shot_iterator(input_fn({"batch_size": BATCH}))
        spec = model_fn(features.get_next(), None, tf.estimator.ModeKeys.TRAIN, {})
        session.run(tf.compat.v1.global_variables_initializer())
        for i, variable in enumerate(tf.compat.v1.trainable_variables()):
            noise = np.random.RandomState(i).uniform(-0.2, 0.2, variable.shape.as_list())
            one = 1.0 if variable.op.name.endswith("gamma") else 0.0
            variable.load((noise + one).astype(np.float32), session)
        losses = [session.run([spec.loss, spec.train_op])[0] for _ in range(STEPS)]
        arrays = session.run({v.op.name: v for v in tf.compat.v1.global_variables()})
    print("losses", losses[0], "...", losses[-1], "of", len(arrays), "arrays")
    kept = {name: a.ravel()[:: max(1, a.size // KEPT)] for name, a in arrays.items()}
    return {"losses": np.array(losses), **kept}


config = modeling.BertConfig.from_dict(PLAIN)
records = "tests/golden/finetuning/{}/train/part-00000-of-00001.tfrecord"
ends = {
    "pair": fine_tune(
        run_classifier.model_fn_builder(config, num_labels=3, learning_rate=1e-3, **SETTINGS),
        run_classifier.file_based_input_fn_builder(records.format("pair"), LENGTH, True, True),
    ),
    # A smaller rate: the bias of the head and the last LayerNorm's beta move all positions alike.
    # So their gradients are noise around 0, which AdamW makes steps of.
    "cmrc2018": fine_tune(
        run_squad.model_fn_builder(config, learning_rate=1e-4, **SETTINGS),
        run_squad.input_fn_builder(records.format("cmrc2018"), LENGTH, True, True),
    ),
}
arrays = {f"{task}:{name}": a for task, end in ends.items() for name, a in end.items()}
np.savez_compressed(output, **arrays)
