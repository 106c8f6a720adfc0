"""Checkpoints, and files beside them, that are damaged or lie, made from a whole model folder."""

import json
import os
import shutil

import numpy as np

from pretrain.checkpoint import store
from pretrain.runtime.tensorflow import tf
from tests.campaigns.damaged_data import INSTEAD, read, read_json, write

KERNEL = "bert/encoder/layer_0/output/dense/kernel"


def on_file(end, change):
    """Change the bytes of the file whose name ends so."""

    def damage(folder, rng):
        name = next(name for name in sorted(os.listdir(folder)) if name.endswith(end))
        path = os.path.join(folder, name)
        write(path, change(read(path), rng))

    return damage


def flip(data, rng):
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]


def cut(data, rng):
    return data[: rng.randrange(len(data))]


def on_arrays(change):
    """Write the checkpoint again, with other arrays."""

    def damage(folder, rng):
        prefix = store.latest(folder)
        arrays = change(dict(store.read(prefix)))
        store.save(prefix, {name: tf.constant(array) for name, array in arrays.items()})

    return damage


def with_array(name, change):
    return on_arrays(lambda arrays: {**arrays, name: change(arrays[name])})


def on_config(**changed):
    def damage(folder, rng):
        path = os.path.join(folder, "bert_config.json")
        write(path, json.dumps({**read_json(path), **changed}).encode())

    return damage


def on_run(**changed):
    def damage(folder, rng):
        path = os.path.join(folder, "run.json")
        run = read_json(path)
        write(path, json.dumps({**run, "config": {**run["config"], **changed}}).encode())

    return damage


def without(end):
    def damage(folder, rng):
        for name in os.listdir(folder):
            if name.endswith(end):
                os.remove(os.path.join(folder, name))

    return damage


def one_nan(array):
    found = array.copy()
    found.flat[3] = np.nan
    return found


def nan_in_a_slot(arrays):
    name = next(name for name in sorted(arrays) if name.startswith(f"{KERNEL}/"))
    return {**arrays, name: one_nan(arrays[name])}


DEEP = b"[" * 10_000

DAMAGES = {
    **{f"index flipped {i}": on_file(".index", flip) for i in range(6)},
    **{f"index cut {i}": on_file(".index", cut) for i in range(3)},
    **{f"data flipped {i}": on_file("-00001", flip) for i in range(4)},
    **{f"data cut {i}": on_file("-00001", cut) for i in range(3)},
    "empty index": on_file(".index", lambda data, rng: b""),
    "empty data": on_file("-00001", lambda data, rng: b""),
    "noise as index": on_file(".index", lambda data, rng: rng.randbytes(len(data))),
    "no data": without("-00001"),
    "no index": without(".index"),
    "NaN": with_array(KERNEL, one_nan),
    "infinity": with_array(KERNEL, lambda x: np.full_like(x, np.inf)),
    "NaN in a slot": on_arrays(nan_in_a_slot),
    "another shape": with_array(KERNEL, lambda x: x[:-1]),
    "float64": with_array(KERNEL, lambda x: x.astype(np.float64)),
    "whole numbers": with_array(KERNEL, lambda x: x.astype(np.int64)),
    "texts": with_array(KERNEL, lambda x: x.astype(np.str_).astype(object)),
    "a negative step": with_array("global_step", lambda x: np.int64(-7)),
    "a huge step": with_array("global_step", lambda x: np.int64(2**62)),
    "a weight missing": on_arrays(lambda arrays: {n: x for n, x in arrays.items() if n != KERNEL}),
    "another model": on_arrays(lambda arrays: {f"x/{n}": x for n, x in arrays.items()}),
    "10^6 layers": on_config(num_hidden_layers=10**6),
    "200 layers": on_config(num_hidden_layers=200),
    "a huge hidden_size": on_config(hidden_size=65_536),
    "a huge vocabulary": on_config(vocab_size=1 << 24),
    "dropout 5": on_config(hidden_dropout_prob=5),
    "more heads": on_config(num_attention_heads=3),
    "an activation": on_config(hidden_act=["gelu"]),
    **{f"hidden_size {title}": on_config(hidden_size=x) for title, x in INSTEAD.items()},
    **{f"initializer {title}": on_config(initializer_range=x) for title, x in INSTEAD.items()},
    "a deep bert_config.json": on_file("bert_config.json", lambda data, rng: DEEP),
    "bert_config.json not UTF-8": on_file("bert_config.json", lambda data, rng: b"\xff" + data),
    "vocab.txt not UTF-8": on_file("vocab.txt", lambda data, rng: b"\xff" + data),
    "vocab.txt cut": on_file("vocab.txt", cut),
    "a deep run.json": on_file("run.json", lambda data, rng: DEEP),
    "run.json not UTF-8": on_file("run.json", lambda data, rng: b"\xff" + data),
    "an objective": on_run(objective=["masked_lm"]),
    "labels": on_run(labels=5),
    "a deep tokenizer_config.json": on_file("tokenizer_config.json", lambda data, rng: DEEP),
    "tokenizer_config.json": on_file("tokenizer_config.json", lambda data, rng: b"[1]"),
}


def make(source, target, damage, rng):
    """Copy a model folder and damage it."""
    shutil.copytree(source, target)
    damage(target, rng)
