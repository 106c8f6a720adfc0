"""Train 20 steps with google-research/bert on TensorFlow 1.15 and keep the end for our tests.

The command is in README.md.
"""

import glob
import sys

import numpy as np
import tensorflow as tf

STEPS, BATCH, RATE = 20, 8, 1e-3
KEPT = 1000  # numbers of each array, evenly spaced

google, output = sys.argv[1:]
sys.argv = sys.argv[:1]  # its flags are not for us
sys.path[:0] = [google, "."]

import modeling  # noqa: E402
import run_pretraining  # noqa: E402

from tests.pretrain.helpers import MODEL  # noqa: E402

files = sorted(glob.glob("tests/golden/dataset/*.tfrecord"))
config = modeling.BertConfig.from_dict(
    dict(MODEL, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
)
graph = tf.Graph()
with graph.as_default(), tf.Session() as session:
    batches = run_pretraining.input_fn_builder(files, 48, 12, False)({"batch_size": BATCH})
    features = tf.compat.v1.data.make_one_shot_iterator(batches).get_next()
    model_fn = run_pretraining.model_fn_builder(
        bert_config=config,
        init_checkpoint=None,
        learning_rate=RATE,
        num_train_steps=1 << 30,  # so that the rate is constant
        num_warmup_steps=0,
        use_tpu=False,
        use_one_hot_embeddings=False,
    )
    spec = model_fn(features, None, tf.estimator.ModeKeys.TRAIN, {})
    session.run(tf.compat.v1.global_variables_initializer())
    for i, variable in enumerate(tf.compat.v1.trainable_variables()):
        noise = np.random.RandomState(i).uniform(-0.2, 0.2, variable.shape.as_list())
        one = 1.0 if variable.op.name.endswith("gamma") else 0.0
        variable.load((noise + one).astype(np.float32), session)
    losses = [session.run([spec.loss, spec.train_op])[0] for _ in range(STEPS)]
    arrays = session.run({v.op.name: v for v in tf.compat.v1.global_variables()})
kept = {name: a.ravel()[:: max(1, a.size // KEPT)] for name, a in arrays.items()}
np.savez_compressed(output, losses=np.array(losses), **kept)
print("losses", losses[0], "...", losses[-1], "of", len(kept), "arrays")
