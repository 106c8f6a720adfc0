import numpy as np
import pytest

from pretrain.runtime.named_vector import NamedVector
from pretrain.runtime.tensorflow import tf


def test_what_is_packed_is_unpacked_by_name():
    numbers = NamedVector(["a", "b", "c", "d"])
    values = {"b": tf.constant(2.0), "a": tf.constant(1.0), "other": tf.constant(9.0)}
    vector = numbers.pack(values, tf.constant([3.0, 4.0]))
    assert numbers.unpack(vector.numpy()) == {"a": 1, "b": 2, "c": 3, "d": 4}
    assert float(numbers.get(vector, "c")) == 3
    assert numbers.unpack(numbers.basis("b").numpy()) == {"a": 0, "b": 1, "c": 0, "d": 0}
    assert np.array_equal(numbers.zeros().numpy(), [0, 0, 0, 0])


def test_a_number_that_is_missing_is_an_error():
    with pytest.raises(KeyError):
        NamedVector(["a", "b"]).pack({"a": tf.constant(1.0)})
