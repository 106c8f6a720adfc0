"""Memory and peak of the accelerators that `plan` knows."""

import re
from typing import Dict, NamedTuple

from data_gen.shared.errors import UserError, did_you_mean


class Device(NamedTuple):
    """The makers' numbers of one accelerator: dense products, no sparsity. A TPU device is that of
    TensorFlow: a core of v2 and v3, as in v3-8, a chip from v4 on.
    """

    half: float  # 1e12 operations a second in bfloat16 or float16
    single: float  # in float32; of NVIDIA's from A100 on in TF32, TensorFlow's default
    gib: float  # of memory
    bfloat16: bool = True  # else that is no faster than float32


DEVICES: Dict[str, Device] = {
    "t4": Device(65, 8.1, 16, bfloat16=False),
    "v100": Device(125, 15.7, 32, bfloat16=False),
    "a10": Device(125, 62.5, 24),
    "l4": Device(121, 60, 24),
    "a100-40": Device(312, 156, 40),
    "a100-80": Device(312, 156, 80),
    "h100": Device(989, 494, 80),
    "h200": Device(989, 494, 141),
    "tpu-v2": Device(23, 23, 8),
    "tpu-v3": Device(61.5, 61.5, 16),
    "tpu-v4": Device(275, 275, 32),
    "tpu-v5e": Device(197, 197, 16),
    "tpu-v5p": Device(459, 459, 95),
    "tpu-v6e": Device(918, 918, 32),
}


def find_device(name: str) -> str:
    """Return the name of a device in DEVICES as people write it: `A100` is a100-80, the larger of
    two memories; `a100-80gb`, `v5e`.

    Raises UserError where there is none.
    """
    plain = re.sub(r"gb$", "", name.lower().replace("_", "-"))
    for candidate in (plain, f"tpu-{plain}"):
        if candidate in DEVICES:
            return candidate
    sizes = [known for known in DEVICES if known.startswith(f"{plain}-") and known != plain]
    if sizes and plain != "tpu":
        return max(sizes, key=lambda known: DEVICES[known].gib)
    raise UserError(
        f"there is no device {name} here: name one of {', '.join(DEVICES)}"
        + did_you_mean(plain, DEVICES)
    )
