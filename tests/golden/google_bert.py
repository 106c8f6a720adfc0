"""The outputs of google-research/bert for the first 8 examples of dataset/, on TensorFlow 1.15.

    python tests/golden/google_bert.py FOLDER_OF_GOOGLE_RESEARCH_BERT OUTPUT.npz

Its weights are made from their numbers, as README.md says.
"""

import glob
import sys

import numpy as np
import tensorflow as tf

google, output = sys.argv[1:]
sys.argv = sys.argv[:1]  # its flags are not for us
sys.path[:0] = [google, "."]

import modeling  # noqa: E402
import run_pretraining  # noqa: E402

from tests.pretrain.helpers import MODEL  # noqa: E402

files = sorted(glob.glob("tests/golden/dataset/*.tfrecord"))
config = modeling.BertConfig.from_dict(MODEL)
graph = tf.Graph()
with graph.as_default(), tf.Session() as session:
    batches = run_pretraining.input_fn_builder(files, 48, 12, False)({"batch_size": 8})
    batch = tf.compat.v1.data.make_one_shot_iterator(batches).get_next()
    model = modeling.BertModel(
        config=config,
        is_training=False,
        input_ids=batch["input_ids"],
        input_mask=batch["input_mask"],
        token_type_ids=batch["segment_ids"],
    )
    _, masked_lm_losses, _ = run_pretraining.get_masked_lm_output(
        config,
        model.get_sequence_output(),
        model.get_embedding_table(),
        batch["masked_lm_positions"],
        batch["masked_lm_ids"],
        batch["masked_lm_weights"],
    )
    _, pair_losses, _ = run_pretraining.get_next_sentence_output(
        config, model.get_pooled_output(), batch["next_sentence_labels"]
    )
    weights = tf.reshape(batch["masked_lm_weights"], [-1])
    masked_lm_loss = tf.reduce_sum(weights * masked_lm_losses) / (tf.reduce_sum(weights) + 1e-5)
    session.run(tf.compat.v1.global_variables_initializer())
    for i, variable in enumerate(tf.compat.v1.trainable_variables()):
        noise = np.random.RandomState(i).uniform(-0.2, 0.2, variable.shape.as_list())
        one = 1.0 if variable.op.name.endswith("gamma") else 0.0
        variable.load((noise + one).astype(np.float32), session)
    arrays = session.run(
        {
            "sequence": model.get_sequence_output(),
            "pooled": model.get_pooled_output(),
            "masked_lm_losses": masked_lm_losses,
            "pair_losses": pair_losses,
            "loss": masked_lm_loss + tf.reduce_mean(pair_losses),
            "input_ids": batch["input_ids"],
        }
    )
np.savez_compressed(output, **arrays)
print("loss", arrays["loss"])
