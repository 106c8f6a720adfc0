"""Checkpoints in TF 1's form: names are the variables' own, so that google-research/bert's code
restores them.

It cannot restore the object keys that `tf.train.Checkpoint` writes. A checkpoint appears under its
name only when it is whole: its two files are written under another name and renamed, and the
`checkpoint` file, which names the newest, comes last.
"""

import os
import re
from typing import Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Type

import numpy as np

from data_gen.shared.errors import UserError
from data_gen.shared.outputs import partial_name
from pretrain.learning.optimizers import slot_of
from pretrain.model.bert import Variables
from pretrain.runtime import files
from pretrain.runtime.tensorflow import Tensor, reason, tf

GLOBAL_STEP = "global_step"
PREFIX = "model.ckpt"

_HUGGING_FACE = "config.json"  # of a folder in its form

LOSS_SCALE, LOSS_SCALE_STEPS = "loss_scale", "loss_scale_steps"


def save(prefix: str, tensors: Dict[str, Tensor]) -> None:
    """Write `{prefix}.index` and `{prefix}.data-00000-of-00001`, both whole or not under these
    names. Raises UserError if they cannot be written.
    """
    folder, name = os.path.split(prefix)
    scratch = partial_name(prefix)
    names = sorted(tensors)
    try:
        with files.writing(prefix):
            files.make_folder(scratch)
            tf.raw_ops.SaveV2(
                prefix=os.path.join(scratch, name),
                tensor_names=names,
                shape_and_slices=[""] * len(names),
                tensors=[tf.convert_to_tensor(tensors[n]) for n in names],
            )
        # The data before the index: without an index there is no checkpoint.
        for part in sorted(files.names(scratch)):
            files.move(os.path.join(scratch, part), os.path.join(folder, part))
    finally:
        files.remove_folder(scratch)


def save_step(
    folder: str, step: int, tensors: Dict[str, Tensor], keep: int, every: Optional[int] = None
) -> str:
    """Write the checkpoint of a step and tidy up. Returns its prefix.

    Raises UserError for a weight that is NaN or infinite: the earlier checkpoints stay.
    """
    for name in sorted(tensors):
        if not np.isfinite(tf.convert_to_tensor(tensors[name]).numpy()).all():
            raise UserError(
                f"{name} is NaN or infinite after step {step}, so nothing is saved: lower "
                "learning_rate or lengthen the warm-up, in a new --output"
            )
    prefix = os.path.join(folder, f"{PREFIX}-{step}")
    save(prefix, tensors)
    tidy(folder, keep, every)
    return prefix


def tidy(folder: str, keep: int, every: Optional[int] = None) -> None:
    """Name the newest checkpoint in the file `checkpoint`; remove all but the newest `keep` and
    those of each `every` steps.
    """
    steps = sorted(saved_steps(folder))
    _remove_steps(folder, [s for s in steps[:-keep] if not every or s % every])


def keep_only(folder: str, step: int) -> None:
    """Remove the checkpoints of all other steps."""
    _remove_steps(folder, [s for s in saved_steps(folder) if s != step])


def _remove_steps(folder: str, old: Sequence[int]) -> None:
    steps = sorted(saved_steps(folder))
    _write_state(folder, [f"{PREFIX}-{s}" for s in steps if s not in old])
    beginnings = tuple(f"{PREFIX}-{step}." for step in old)
    for name in files.names(folder):
        if name.startswith(beginnings):
            files.remove(os.path.join(folder, name))


def read_newest(folder: str, warn: Callable[[str], None]) -> Optional[Dict[str, np.ndarray]]:
    """Read the arrays of the newest checkpoint that is whole; None if there is no checkpoint.

    Raises UserError if all checkpoints are damaged, or have lost their files.
    """
    steps = sorted({*saved_steps(folder), *_named_steps(folder)}, reverse=True)
    for step in steps:
        prefix = os.path.join(folder, f"{PREFIX}-{step}")
        try:
            return read(prefix)
        except DamagedError:
            warn(f"warning: {prefix} is damaged or lacks a file, so its steps are done again")
    if steps:
        raise UserError(
            f"every checkpoint of {folder} is damaged or lacks a file: copy them again, or choose "
            "another --output"
        )
    return None


def set_aside_damaged(folder: str, newest: int) -> None:
    """Rename the index of each checkpoint after step `newest`, so that no program reads them."""
    for step in saved_steps(folder):
        if step > newest:
            index = os.path.join(folder, f"{PREFIX}-{step}.index")
            files.move(index, f"{index}.damaged")


def _write_state(folder: str, names: Sequence[str]) -> None:
    """Write the text file `checkpoint`, by which TensorFlow's own tools find the newest."""
    lines = [f'model_checkpoint_path: "{names[-1]}"']
    lines += [f'all_model_checkpoint_paths: "{name}"' for name in names]
    files.write_text(os.path.join(folder, "checkpoint"), "".join(f"{line}\n" for line in lines))


def _named_steps(folder: str) -> List[int]:
    """List the steps that the file `checkpoint` names, whose files may be lost."""
    path = os.path.join(folder, "checkpoint")
    text = files.read_bytes(path) if files.exists(path) else b""
    return [int(s) for s in re.findall(rf'[/"]{re.escape(PREFIX)}-(\d+)"'.encode(), text)]


def saved_steps(folder: str) -> List[int]:
    """List the steps that `folder` has checkpoints of, in no order."""
    pattern = re.compile(re.escape(PREFIX) + r"-(\d+)\.index")
    found = (pattern.fullmatch(name) for name in files.names(folder))
    return [int(match.group(1)) for match in found if match]


def latest(folder: str) -> Optional[str]:
    """Return the prefix of the newest checkpoint in a folder; None if there is none."""
    steps = saved_steps(folder)
    return os.path.join(folder, f"{PREFIX}-{max(steps)}") if steps else None


def find(path: str) -> str:
    """Return a checkpoint's prefix for a prefix, its index file, or a folder.

    In a folder, that is the newest checkpoint of a training, else the only checkpoint. Raises
    UserError if there is none.
    """
    prefix = path[: -len(".index")] if path.endswith(".index") else path
    if files.exists(prefix + ".index"):
        return prefix
    newest = latest(path)
    if newest:
        return newest
    found = [name for name in files.names(path) if name.endswith(".index")]
    if not found and _HUGGING_FACE in files.names(path):
        raise UserError(
            f"{path} is a model in Hugging Face's form: take it in with `python -m pretrain import "
            f"--from hf {path} --output NEW`, and give NEW"
        )
    if len(found) != 1:
        raise UserError(
            f"there is no checkpoint at {path}: give the folder of one, or its path without .index"
        )
    return os.path.join(path, found[0][: -len(".index")])


class DamagedError(UserError):
    """A checkpoint that is not complete."""


def _out_of_reach() -> Tuple[Type[Exception], ...]:
    """Return the errors of a storage or a network, after which a file may still be whole."""
    return (
        *(tf.errors.UnavailableError, tf.errors.DeadlineExceededError, tf.errors.AbortedError),
        *(tf.errors.PermissionDeniedError, tf.errors.UnauthenticatedError),
        *(tf.errors.CancelledError, tf.errors.ResourceExhaustedError),
    )


def read(prefix: str) -> Dict[str, np.ndarray]:
    """Read all arrays of a checkpoint by name. Raises DamagedError, and UserError if the storage
    cannot be reached.
    """
    try:
        reader = tf.compat.v1.train.NewCheckpointReader(prefix)
        return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}
    except _out_of_reach() as error:
        raise UserError(f"cannot read {prefix} ({reason(error)}): try again") from error
    except (tf.errors.OpError, IndexError, ValueError, RuntimeError) as error:
        raise DamagedError(
            f"the checkpoint {prefix} is damaged or lacks a file: name another one"
        ) from error


def read_found(path: str) -> Tuple[str, Dict[str, np.ndarray]]:
    """Find a checkpoint by `find` and read it. Returns its prefix and its arrays.

    Where a training goes on in the folder, the newest may be deleted in between, for a newer one.
    """
    while True:
        prefix = find(path)
        try:
            return prefix, read(prefix)
        except DamagedError:
            if find(path) == prefix:
                raise


def without_slots(arrays: Dict[str, np.ndarray]) -> Dict[str, np.ndarray]:
    """Return the model's weights alone: no optimizer slots, no step, no scale of the loss."""
    others = (GLOBAL_STEP, LOSS_SCALE, LOSS_SCALE_STEPS)
    return {
        name: array for name, array in arrays.items() if name not in others and not slot_of(name)
    }


class Report(NamedTuple):
    """The result of `restore` for each name."""

    loaded: List[str]
    missing: List[str]  # variables that the checkpoint lacks; they keep their values
    left_over: List[str]  # arrays of the checkpoint without a variable


def restore(variables: Variables, arrays: Dict[str, np.ndarray], source: str) -> Report:
    """Assign the arrays to the variables of the same names. Raises UserError for another shape, NaN
    and infinity.
    """
    loaded = []
    require_shapes({name: x.shape for name, x in variables.items()}, arrays, source)
    for name, variable in variables.items():
        if name not in arrays:
            continue
        dtype = variable.dtype.as_numpy_dtype
        found = arrays[name].dtype
        # numpy would also make floats of whole numbers, which are no weights.
        whole_for_float = found.kind in "iub" and np.dtype(dtype).kind not in "iub"
        if whole_for_float or not np.can_cast(found, dtype, "same_kind"):
            raise UserError(
                f"{name} holds values of {found} in {source}, not of "
                f"{np.dtype(dtype)}: it is no weight of this model, so give another checkpoint"
            )
        require_finite(name, arrays[name], source)
        variable.assign(arrays[name].astype(dtype))
        loaded.append(name)
    return Report(
        loaded, sorted(set(variables) - set(arrays)), sorted(set(arrays) - set(variables))
    )


def require_shapes(
    shapes: Mapping[str, Sequence[int]], arrays: Dict[str, np.ndarray], source: str
) -> None:
    """Raise UserError for an array of another shape than its name's in `shapes`."""
    for name, shape in shapes.items():
        if name in arrays and tuple(shape) != arrays[name].shape:
            raise UserError(
                f"{name} is {sizes(arrays[name].shape)} in {source}, {sizes(shape)} "
                "in this model: use the bert_config.json that belongs to the checkpoint"
            )


def require_finite(name: str, array: np.ndarray, source: str) -> None:
    """Raise UserError for a weight with NaN or infinity, which would make all outputs NaN."""
    if not np.isfinite(array).all():
        raise UserError(
            f"{name} is NaN or infinite in {source}: take an earlier checkpoint of the training, "
            "or get the release again"
        )


def sizes(shape: Sequence[int]) -> str:
    """Return a shape in words, for messages."""
    return " x ".join(str(int(size)) for size in shape) or "a scalar"
