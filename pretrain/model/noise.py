"""Random numbers without state: each is a function of names alone, so that a training that is
resumed, or spread over other devices, draws the same.

B sequences, N numbers of each.
"""

from pretrain.runtime.tensorflow import Tensor, tf

_ODD = (-7046029254386353131, -4658895280553007687, -7723592293110705685)  # of splitmix64, signed
_BITS = 23  # with a half beyond them a float32 between 0 and 1 holds all


def mixed_seed(seed: int, *keys: Tensor) -> Tensor:
    """Return a seed for these keys, such as a step, an int64 scalar."""
    mixed = tf.constant(seed, tf.int64)
    for key in keys:  # an odd multiplier, overflow welcome: distinct keys give distinct seeds
        mixed = mixed * 6364136223846793005 + tf.cast(key, tf.int64) + 1
    return mixed


def uniforms(seed: Tensor, numbers: Tensor, count: int) -> Tensor:
    """Draw numbers for each sequence, whatever sequences are beside it; float32 [B, N] in (0, 1).

    seed:    int64 scalar
    numbers: int32 [B], that of each sequence: equal ones get equal draws
    count:   N
    """
    places = tf.cast(numbers, tf.int64)[:, None] * count + tf.range(count, dtype=tf.int64)
    mixed = _mixed(places * _ODD[0] + _mixed(seed))
    top = tf.bitwise.right_shift(mixed, tf.constant(63 - _BITS, tf.int64))
    whole = tf.bitwise.bitwise_and(top, tf.constant((1 << _BITS) - 1, tf.int64))
    return (tf.cast(whole, tf.float32) + 0.5) * (1.0 / (1 << _BITS))


def _mixed(x: Tensor) -> Tensor:
    """Spread every bit of int64 numbers over all others, as splitmix64 ends; overflow welcome."""
    for shift, odd in ((30, _ODD[1]), (27, _ODD[2])):
        x = tf.bitwise.bitwise_xor(x, tf.bitwise.right_shift(x, tf.constant(shift, tf.int64))) * odd
    return tf.bitwise.bitwise_xor(x, tf.bitwise.right_shift(x, tf.constant(31, tf.int64)))
