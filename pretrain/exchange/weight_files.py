"""Read and write the tensors of a Hugging Face folder: model.safetensors, or pytorch_model.bin of
older ones, in one piece or in shards.

No code of a source is ever run: safetensors holds numbers alone, and a pickle is read by torch with
`weights_only`.
"""

import os
import warnings
from typing import Any, Callable, Dict, Iterable

import numpy as np

from data_gen.shared.errors import UserError
from data_gen.shared.extras import needs_extra
from data_gen.shared.json_text import parse_json
from data_gen.shared.pickles import require_safe_torch

SAFETENSORS = "model.safetensors"

Tensors = Dict[str, "np.ndarray"]

_DTYPES = {"F64": np.float64, "F32": np.float32, "F16": np.float16}


def read_tensors(folder: str) -> Tensors:
    """Read all tensors of floating point numbers, as float32, by their names.

    Raises UserError if there is no file of weights, a file is damaged or holds more than numbers,
    or a package is missing.
    """
    for name, read in _FILES.items():
        path = os.path.join(folder, name)
        if os.path.exists(path):
            return read(path)
        if os.path.exists(f"{path}.index.json"):
            return _read_shards(f"{path}.index.json", read)
    raise UserError(f"{folder} has no weights: {' or '.join(_FILES)} must be in it")


def write_tensors(path: str, tensors: Tensors) -> None:
    """Write model.safetensors. Raises UserError if the package is missing."""
    with needs_extra("hf", "Hugging Face's form"):
        from safetensors.numpy import save
    whole = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    # transformers 4 asks for this entry
    data: bytes = save(whole, metadata={"format": "pt"})
    with open(path, "wb") as handle:
        handle.write(data)


def _read_shards(index: str, read: Callable[[str], Tensors]) -> Tensors:
    try:
        with open(index, "rb") as handle:
            names = sorted(set(parse_json(handle.read())["weight_map"].values()))
        if any(os.path.basename(name) != name for name in names):
            raise ValueError("a shard lies outside of the folder")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{index} is damaged ({error}): get the folder again") from error
    found: Tensors = {}
    for name in names:
        path = os.path.join(os.path.dirname(index), name)
        if not os.path.exists(path):
            raise UserError(f"{path} is missing, which {index} names: get the folder again")
        found.update(read(path))
    return found


def _read_safetensors(path: str) -> Tensors:
    with needs_extra("hf", "Hugging Face's form"):
        from safetensors import SafetensorError, deserialize
    with open(path, "rb") as handle:
        data = handle.read()
    try:
        parse: Any = deserialize  # the package has no types
        return dict(_numbers(parse(data)))
    except (SafetensorError, ValueError, KeyError) as error:
        raise UserError(
            f"{path} is damaged or cut short ({_first_line(error)}): get it again"
        ) from error


def _numbers(entries: Iterable[Any]) -> Iterable[Any]:
    for name, entry in entries:
        if entry["dtype"] == "BF16":  # the upper half of a float32
            upper = np.frombuffer(entry["data"], "<u2").astype(np.uint32)
            yield name, (upper << 16).view(np.float32).reshape(entry["shape"])
        elif entry["dtype"] in _DTYPES:
            values = np.frombuffer(entry["data"], _DTYPES[entry["dtype"]])
            yield name, values.astype(np.float32, copy=False).reshape(entry["shape"])


def _read_pickle(path: str) -> Tensors:
    purpose = f"{path} is a pickle (better: the model.safetensors of the same model), which"
    with needs_extra("torch", purpose):
        import torch
    require_safe_torch(torch, path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch, about the form of a pickle
            found = torch.load(path, map_location="cpu", weights_only=True)
        return {
            name: tensor.detach().float().contiguous().numpy()
            for name, tensor in found.items()
            if tensor.is_floating_point()
        }
    except Exception as error:  # of torch, zipfile or pickle: whatever stands in the file
        raise UserError(
            f"{path} is damaged or holds more than tensors, so nothing of it is run or read: get "
            "the model.safetensors of the same model, or a source that you trust"
        ) from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0][:100] or type(error).__name__


# In the order of preference.
_FILES = {SAFETENSORS: _read_safetensors, "pytorch_model.bin": _read_pickle}
