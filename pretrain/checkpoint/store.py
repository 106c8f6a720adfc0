"""Checkpoints in TF 1's form: names are the variables' own, so that google-research/bert's code
restores them.

`tf.train.Checkpoint` would write object keys, which it cannot. A checkpoint appears under its name
only when it is whole: its two files are written under another name and renamed, and the
`checkpoint` file, which says which is the newest, comes last.
"""

import os
import re
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence

import numpy as np

from data_gen.shared.errors import UserError
from pretrain.model.bert import Variables
from pretrain.runtime import files
from pretrain.runtime.tensorflow import Tensor, reason, tf

GLOBAL_STEP = "global_step"
PREFIX = "model.ckpt"

_NOT_OF_THE_MODEL = re.compile(rf"/(adam|lamb)_[mv]$|^loss_scale|^{GLOBAL_STEP}$")


def save(prefix: str, tensors: Dict[str, Tensor]) -> None:
    """Write `{prefix}.index` and `{prefix}.data-00000-of-00001`, both whole or not under these
    names. Raises UserError where they cannot be written.
    """
    folder, name = os.path.split(prefix)
    scratch = os.path.join(folder, ".saving")
    files.remove_folder(scratch)  # what an interrupted save of ours left
    files.make_folder(scratch)
    names = sorted(tensors)
    try:
        tf.raw_ops.SaveV2(
            prefix=os.path.join(scratch, name),
            tensor_names=names,
            shape_and_slices=[""] * len(names),
            tensors=[tf.convert_to_tensor(tensors[n]) for n in names],
        )
    except tf.errors.OpError as error:
        raise UserError(f"cannot write {prefix}: {reason(error)}") from error
    # The data before the index: without an index there is no checkpoint.
    for part in sorted(files.names(scratch)):
        files.move(os.path.join(scratch, part), os.path.join(folder, part))
    files.remove_folder(scratch)


def save_step(
    folder: str, step: int, tensors: Dict[str, Tensor], keep: int, every: Optional[int] = None
) -> str:
    """Write the checkpoint of a step and tidy up. Returns its prefix.

    Raises UserError for a weight that is no number: the earlier checkpoints stay.
    """
    for name in sorted(tensors):
        if not np.isfinite(tf.convert_to_tensor(tensors[name]).numpy()).all():
            raise UserError(
                f"{name} is no number after step {step}, so nothing is saved: lower learning_rate "
                "or lengthen the warm-up, in a new --output"
            )
    prefix = os.path.join(folder, f"{PREFIX}-{step}")
    save(prefix, tensors)
    tidy(folder, keep, every)
    return prefix


def tidy(folder: str, keep: int, every: Optional[int] = None) -> None:
    """Name the newest checkpoint in the file `checkpoint`; remove all but the newest `keep` and
    those of each `every` steps.
    """
    steps = sorted(_steps(folder))
    old = [s for s in steps[:-keep] if not every or s % every]
    _write_state(folder, [f"{PREFIX}-{s}" for s in steps if s not in old])
    beginnings = tuple(f"{PREFIX}-{step}." for step in old)
    for name in files.names(folder):
        if name.startswith(beginnings):
            files.remove(os.path.join(folder, name))


def read_newest(folder: str, warn: Callable[[str], None]) -> Optional[Dict[str, np.ndarray]]:
    """The arrays of the newest checkpoint that is whole; None where there is no checkpoint at all.

    Raises UserError where there are some, all damaged.
    """
    steps = sorted(_steps(folder), reverse=True)
    for step in steps:
        prefix = os.path.join(folder, f"{PREFIX}-{step}")
        try:
            return read(prefix)
        except DamagedError:
            warn(f"warning: {prefix} is damaged, so its steps are done again")
    if steps:
        raise UserError(f"every checkpoint in {folder} is damaged: choose another --output")
    return None


def set_aside_damaged(folder: str, newest: int) -> None:
    """Rename the index of each checkpoint after step `newest`, so that none takes it for one."""
    for step in _steps(folder):
        if step > newest:
            index = os.path.join(folder, f"{PREFIX}-{step}.index")
            files.move(index, f"{index}.damaged")


def _write_state(folder: str, names: Sequence[str]) -> None:
    """The file `checkpoint`, by which TensorFlow's own tools find the newest; its text is all there
    is to it.
    """
    lines = [f'model_checkpoint_path: "{names[-1]}"']
    lines += [f'all_model_checkpoint_paths: "{name}"' for name in names]
    files.write_text(os.path.join(folder, "checkpoint"), "".join(f"{line}\n" for line in lines))


def _steps(folder: str) -> List[int]:
    pattern = re.compile(re.escape(PREFIX) + r"-(\d+)\.index")
    found = (pattern.fullmatch(name) for name in files.names(folder))
    return [int(match.group(1)) for match in found if match]


def latest(folder: str) -> Optional[str]:
    """The prefix of the newest checkpoint in a folder; None where there is none."""
    steps = _steps(folder)
    return os.path.join(folder, f"{PREFIX}-{max(steps)}") if steps else None


def find(path: str) -> str:
    """A checkpoint's prefix from what a user gives: a prefix, its index file, or a folder.

    Of a folder the newest checkpoint of a training is taken, else the only one there is. Raises
    UserError where there is none.
    """
    prefix = path[: -len(".index")] if path.endswith(".index") else path
    if files.exists(prefix + ".index"):
        return prefix
    newest = latest(path)
    if newest:
        return newest
    found = [name for name in files.names(path) if name.endswith(".index")]
    if len(found) != 1:
        raise UserError(
            f"there is no checkpoint at {path}: give the folder of one, or its path without .index"
        )
    return os.path.join(path, found[0][: -len(".index")])


class DamagedError(UserError):
    """A checkpoint that is not whole."""


_OUT_OF_REACH = (
    *(tf.errors.UnavailableError, tf.errors.DeadlineExceededError, tf.errors.AbortedError),
    *(tf.errors.PermissionDeniedError, tf.errors.UnauthenticatedError),
    *(tf.errors.CancelledError, tf.errors.ResourceExhaustedError),
)


def read(prefix: str) -> Dict[str, np.ndarray]:
    """All arrays of a checkpoint by name. Raises DamagedError, and UserError where it is out of
    reach.
    """
    try:
        reader = tf.compat.v1.train.NewCheckpointReader(prefix)
        return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}
    except _OUT_OF_REACH as error:
        raise UserError(f"cannot read {prefix} ({reason(error)}): try again") from error
    except (tf.errors.OpError, IndexError, ValueError, RuntimeError) as error:
        raise DamagedError(
            f"the checkpoint {prefix} is damaged or lacks a file: name another one"
        ) from error


def without_slots(arrays: Dict[str, np.ndarray]) -> Dict[str, np.ndarray]:
    """The model's weights alone."""
    return {name: array for name, array in arrays.items() if not _NOT_OF_THE_MODEL.search(name)}


class Report(NamedTuple):
    """What `restore` did with each name."""

    loaded: List[str]
    missing: List[str]  # variables that the checkpoint lacks; they keep their values
    left_over: List[str]  # arrays of the checkpoint that no variable takes


def restore(variables: Variables, arrays: Dict[str, np.ndarray], source: str) -> Report:
    """Assign the arrays to the variables of the same names. Raises UserError for another shape and
    for what is no number.
    """
    loaded = []
    for name, variable in variables.items():
        if name not in arrays:
            continue
        if tuple(variable.shape) != arrays[name].shape:
            raise UserError(
                f"{name} is {sizes(arrays[name].shape)} in {source}, {sizes(variable.shape)} "
                "in this model: use the bert_config.json that belongs to the checkpoint"
            )
        require_numbers(name, arrays[name], source)
        variable.assign(arrays[name])
        loaded.append(name)
    return Report(
        loaded, sorted(set(variables) - set(arrays)), sorted(set(arrays) - set(variables))
    )


def require_numbers(name: str, array: np.ndarray, source: str) -> None:
    """Raise UserError for a weight with NaN or infinity, with which all outputs would be NaN."""
    if not np.isfinite(array).all():
        raise UserError(
            f"{name} is no number in {source}: take a checkpoint from before the training went "
            "astray, or get the release again"
        )


def sizes(shape: Sequence[int]) -> str:
    """A shape in words, for messages."""
    return " x ".join(str(int(size)) for size in shape) or "a scalar"
