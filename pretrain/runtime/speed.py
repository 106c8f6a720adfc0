"""Measure how fast a device multiplies matrices."""

import functools
import time
from typing import List

from pretrain.runtime.tensorflow import Tensor, compiled, tf


@functools.lru_cache(maxsize=None)
def matmul_rate(precision: str) -> float:
    """Measure the floating point operations a second of this machine's first device in products of
    square matrices: the best of at most ten, in about a second.
    """
    gpu = bool(tf.config.experimental.list_physical_devices("GPU"))
    size, count = (8192, 4) if gpu else (1024, 1)
    x = tf.cast(tf.fill([size, size], 1.0 / size), precision)

    def products() -> Tensor:
        y = x
        for _ in range(count):  # several, so that starting them does not count
            y = tf.matmul(y, x)
        return tf.reduce_max(y)

    run = compiled(products)
    run().numpy()  # compiles
    seconds: List[float] = []
    while not seconds or (len(seconds) < 10 and sum(seconds) < 1):
        start = time.perf_counter()
        run().numpy()
        seconds.append(time.perf_counter() - start)
    return 2.0 * count * size**3 / min(seconds)
