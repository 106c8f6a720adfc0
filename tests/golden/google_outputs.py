"""What google-research/bert computes from an exported release, on TensorFlow 1.15.

    python tests/golden/google_outputs.py FOLDER_OF_GOOGLE_RESEARCH_BERT RELEASE OUTPUT.npz

Fails where a variable of Google's is not in the checkpoint, or the reverse. The command that
compares is in README.md.
"""

import sys

import numpy as np
import tensorflow as tf

google, release, output = sys.argv[1:]
sys.argv = sys.argv[:1]  # its flags are not for us
sys.path.insert(0, google)

import modeling  # noqa: E402
import run_pretraining  # noqa: E402

ROWS, LENGTH = 8, 48

config = modeling.BertConfig.from_json_file(f"{release}/bert_config.json")
rng = np.random.RandomState(1)
ids = rng.randint(config.vocab_size, size=(ROWS, LENGTH)).astype(np.int32)
mask = (np.arange(LENGTH) < rng.randint(8, LENGTH + 1, size=(ROWS, 1))).astype(np.int32)
segments = np.repeat((np.arange(LENGTH) >= 6).astype(np.int32)[None], ROWS, axis=0)
positions = np.repeat(np.arange(8, dtype=np.int32)[None], ROWS, axis=0)
batch = {"input_ids": ids, "input_mask": mask, "segment_ids": segments}

with tf.Graph().as_default(), tf.Session() as session:
    model = modeling.BertModel(config, False, *(tf.constant(batch[name]) for name in sorted(batch)))
    zeros = tf.zeros([ROWS, 8], tf.int32)
    words = run_pretraining.get_masked_lm_output(
        config,
        model.get_sequence_output(),
        model.get_embedding_table(),
        tf.constant(positions),
        zeros,
        tf.ones([ROWS, 8]),
    )
    labels = tf.zeros([ROWS, 1], tf.int32)
    pairs = run_pretraining.get_next_sentence_output(config, model.get_pooled_output(), labels)
    prefix = f"{release}/bert_model.ckpt"
    named = {variable.op.name: variable for variable in tf.compat.v1.global_variables()}
    stored = {name for name, _ in tf.train.list_variables(prefix)}
    assert stored == set(named), stored ^ set(named)
    tf.compat.v1.train.Saver().restore(session, prefix)
    found = session.run({"words": words[2], "pairs": pairs[2]})
np.savez_compressed(output, positions=positions, **batch, **found)
print(f"{len(named)} variables restored, none missing, none left over")
