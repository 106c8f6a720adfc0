"""Data sets that are damaged or lie, made from a whole one."""

import copy
import gzip
import hashlib
import json
import os
import shutil
import struct

from data_gen.records.tfrecord import frame, masked_crc
from pretrain.runtime.tensorflow import tf

INTEGERS = ("input_ids", "input_mask", "segment_ids", "masked_lm_positions", "masked_lm_ids")
FEATURES = (*INTEGERS, "next_sentence_labels", "masked_lm_weights")
WRONG = {  # values of a feature, put into one place of one record
    "input_ids": (-1, 21128, 2**32 + 5),
    "input_mask": (-1, 2, 2**32 + 1),
    "segment_ids": (-1, 2, 2**32 + 1),
    "masked_lm_positions": (-1, 48, 2**32 + 5),
    "masked_lm_ids": (-1, 21128, 2**32 + 5),
    "next_sentence_labels": (-1, 2, 2**32 + 1),
    "masked_lm_weights": (-1.0, float("nan"), 1e38, 0.5),
}


def read_json(path):
    with open(path, encoding="utf-8") as handle:
        return json.load(handle)


def write(path, content):
    with open(path, "wb") as handle:
        handle.write(content)


def read(path):
    with open(path, "rb") as handle:
        return handle.read()


class Folder:
    """A copy of a data set, to be changed."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "dataset.json")
        self.manifest = read_json(self.path)
        self.shards = [os.path.join(folder, shard["name"]) for shard in self.manifest["shards"]]

    def save(self):
        write(self.path, json.dumps(self.manifest).encode())

    def records(self, number):
        data, at, found = read(self.shards[number]), 0, []
        while at < len(data):
            (size,) = struct.unpack_from("<Q", data, at)
            found.append(data[at + 12 : at + 12 + size])
            at += size + 16
        return found

    def write_shard(self, number, data, examples=None, honest=True):
        """Write the bytes of a shard; dataset.json is told, if it is to be honest."""
        write(self.shards[number], data)
        if honest:
            said = self.manifest["shards"][number]
            said.update(bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
            if examples is not None:
                change = examples - said["examples"]
                said["examples"] = examples
                self.manifest["statistics"]["instances"] += change
            self.save()

    def with_record(self, rng, change):
        """Let `change` work on one record: bytes -> the frame that stands in its place."""
        number = rng.randrange(len(self.shards))
        records = self.records(number)
        which = rng.randrange(len(records))
        frames = [change(r) if i == which else frame(r) for i, r in enumerate(records)]
        self.write_shard(number, b"".join(frames))

    def with_example(self, rng, change):
        """Let `change` work on the features of one record."""

        def of_record(record):
            example = tf.train.Example.FromString(record)
            change(example.features.feature)
            return frame(example.SerializeToString())

        self.with_record(rng, of_record)


def set_value(name, value):
    def change(features):
        kind = "float_list" if name == "masked_lm_weights" else "int64_list"
        getattr(features[name], kind).value[0] = value

    return lambda folder, rng: folder.with_example(rng, change)


def shape(name, kind):
    def change(features):
        whole = features[name]
        values = list(whole.int64_list.value or whole.float_list.value)
        del features[name]
        is_float = name == "masked_lm_weights"
        if kind == "short":
            values = values[:-1]
        elif kind == "long":
            values = [*values, 0]
        elif kind == "of another type":
            is_float = not is_float
        if kind != "missing":
            made = features[name].float_list if is_float else features[name].int64_list
            made.value.extend(float(x) if is_float else int(x) for x in values)

    return lambda folder, rng: folder.with_example(rng, change)


def all_zero(name):
    def change(features):
        values = features[name].int64_list.value or features[name].float_list.value
        for i in range(len(values)):
            values[i] = 0

    return lambda folder, rng: folder.with_example(rng, change)


def after_the_end(folder, rng):
    def change(features):
        features["masked_lm_positions"].int64_list.value[0] = 47
        features["input_mask"].int64_list.value[40:] = [0] * 8

    folder.with_example(rng, change)


def length_field(value):
    def change(record):
        head = struct.pack("<Q", value)
        return head + masked_crc(head) + record + masked_crc(record)

    return lambda folder, rng: folder.with_record(rng, change)


def flipped(honest):
    def damage(folder, rng):
        data = bytearray(read(folder.shards[0]))
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        folder.write_shard(0, bytes(data), honest=honest)

    return damage


def cut(honest):
    def damage(folder, rng):
        data = read(folder.shards[0])
        folder.write_shard(0, data[: rng.randrange(1, len(data))], honest=honest)

    return damage


def empty(shards):
    def damage(folder, rng):
        for number in shards:
            folder.write_shard(number, b"")

    return damage


def fewer_records(folder, rng):
    folder.write_shard(0, b"".join(map(frame, folder.records(0)[:-3])))


def more_records(folder, rng):
    records = folder.records(0)
    folder.write_shard(0, b"".join(map(frame, [*records, *records[:3]])))


def twice_in_the_list(folder, rng):
    folder.manifest["shards"].append(copy.deepcopy(folder.manifest["shards"][0]))
    folder.manifest["statistics"]["instances"] += folder.manifest["shards"][0]["examples"]
    folder.save()


def twice_as_files(folder, rng):
    folder.write_shard(1, read(folder.shards[0]), len(folder.records(0)))


def packed(change):
    def damage(folder, rng):
        for number, path in enumerate(folder.shards):
            data = gzip.compress(read(path))
            os.remove(path)
            folder.shards[number] = path + ".gz"
            folder.manifest["shards"][number]["name"] += ".gz"
            folder.write_shard(number, change(data, rng) if number == 0 else data)

    return damage


def flip_byte(data, rng):
    at = rng.randrange(20, len(data))
    return data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :]


def a_folder(folder, rng):
    os.remove(folder.shards[0])
    os.mkdir(folder.shards[0])


def manifest_text(content):
    return lambda folder, rng: write(folder.path, content)


def name_of_shard(name):
    def damage(folder, rng):
        folder.manifest["shards"][0]["name"] = name
        folder.save()

    return damage


DAMAGES = {
    **{f"length {n}": length_field(n) for n in (0, 1, 5000, 2**31, 2**62, 2**64 - 1)},
    "an empty record": lambda folder, rng: folder.with_record(rng, lambda record: frame(b"")),
    "noise": lambda folder, rng: folder.with_record(rng, lambda r: frame(rng.randbytes(len(r)))),
    **{f"flipped {i}": flipped(False) for i in range(4)},
    **{f"flipped, told {i}": flipped(True) for i in range(8)},
    **{f"cut {i}": cut(False) for i in range(2)},
    **{f"cut, told {i}": cut(True) for i in range(4)},
    **{
        f"{name} {kind}": shape(name, kind)
        for name in FEATURES
        for kind in ("missing", "short", "long", "of another type")
    },
    **{f"{name} {value}": set_value(name, value) for name in WRONG for value in WRONG[name]},
    "a mask of zeros": all_zero("input_mask"),
    "no prediction": all_zero("masked_lm_weights"),
    "a prediction after the end": after_the_end,
    "an empty shard": empty([0]),
    "empty shards": empty([0, 1]),
    "fewer records": fewer_records,
    "more records": more_records,
    "a shard twice in the list": twice_in_the_list,
    "a shard twice as files": twice_as_files,
    "packed, flipped": packed(flip_byte),
    "packed, cut": packed(lambda data, rng: data[:-9]),
    "packed, no gzip": packed(lambda data, rng: b"\x1f\x8b" + rng.randbytes(500)),
    "a folder as shard": a_folder,
    "no shard": lambda folder, rng: os.remove(folder.shards[1]),
    "not UTF-8": lambda folder, rng: write(folder.path, b"\xff\xfe" + read(folder.path)),
    "deep": manifest_text(b"[" * 10_000),
    "deep objects": manifest_text(b'{"a":' * 10_000),
    "empty manifest": manifest_text(b""),
    "half a manifest": lambda folder, rng: write(folder.path, read(folder.path)[:700]),
    "a list": manifest_text(b"[1]"),
    "a huge number": manifest_text(b'{"format": ' + b"9" * 5000 + b"}"),
    "a name that leads out": name_of_shard("../out.tfrecord"),
    "an absolute name": name_of_shard("/etc/passwd"),
    "no name": name_of_shard("."),
}

# What is put in the place of a field.
INSTEAD = {"null": None, "negative": -1, "1e30": 1e30, "a text": "x", "a list": [], "true": True}


def fields(values, path=()):
    """The paths of all fields of a manifest, groups included."""
    items = values.items() if isinstance(values, dict) else enumerate(values)
    for key, value in items:
        yield (*path, key)
        if isinstance(value, (dict, list)):
            yield from fields(value, (*path, key))


def field_damages(folder):
    """name -> damage for every field of its dataset.json: missing, and every value of INSTEAD."""
    found = {}
    for path in fields(read_json(os.path.join(folder, "dataset.json"))):
        name = ".".join(map(str, path))
        found[f"{name} missing"] = _field(path)
        for title, value in [*INSTEAD.items(), ("NaN", float("nan"))]:
            found[f"{name} {title}"] = _field(path, value)
    return found


_MISSING = object()


def _field(path, value=_MISSING):
    def damage(folder, rng):
        group = folder.manifest
        for key in path[:-1]:
            group = group[key]
        if value is _MISSING:
            del group[path[-1]]
        else:
            group[path[-1]] = value
        folder.save()

    return damage


def make(source, target, damage, rng):
    """Copy a data set and damage it."""
    shutil.copytree(source, target)
    damage(Folder(target), rng)
