"""A trained checkpoint in the forms that other programs load."""

import os
from typing import Callable, Dict

from data_gen.settings import UserError
from pretrain import checkpoint, files
from pretrain.devices import tf
from pretrain.run import MODEL, VOCAB, new_folder

TF1_PREFIX = "bert_model.ckpt"


def export_tf1(source: str, output: str) -> str:
    """Write a release as Google and HFL ship it: bert_model.ckpt.*, bert_config.json, vocab.txt.
    Returns the prefix.

    The weights keep both heads and the pooler (their lack is the most frequent complaint about
    released models) and lose the optimizer's slots. Raises UserError where `output` is not empty
    or a URL, or the source lacks a file.
    """
    prefix = checkpoint.find(source)
    weights = checkpoint.without_slots(checkpoint.read(prefix))
    beside = [os.path.join(os.path.dirname(prefix), name) for name in (MODEL, VOCAB)]
    for path in beside:
        if not files.exists(path):
            raise UserError(f"{path} is missing: a release needs it beside the checkpoint")
    with new_folder(output) as folder:
        for path in beside:
            files.copy(path, os.path.join(folder, os.path.basename(path)))
        checkpoint.save(
            os.path.join(folder, TF1_PREFIX),
            {name: tf.constant(array) for name, array in weights.items()},
        )
    return os.path.join(output, TF1_PREFIX)


FORMATS: Dict[str, Callable[[str, str], str]] = {"tf1": export_tf1}
