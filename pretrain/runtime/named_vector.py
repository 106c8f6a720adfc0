"""Named scalars as one vector: one sum over the devices and one copy to Python for all of them."""

from typing import Any, Dict, Optional, Sequence

from pretrain.runtime.tensorflow import Tensor, tf


class NamedVector:
    """The order of named scalars in a float32 vector. Nothing else knows a position in it."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._places = {name: place for place, name in enumerate(self.names)}

    def pack(self, values: Dict[str, Tensor], rest: Optional[Tensor] = None) -> Tensor:
        """Return the vector of `values`, scalars by name; others than `names` are left out.

        rest: the values of the last names, as a vector
        """
        count = len(self.names) - (0 if rest is None else int(rest.shape[0]))
        stacked = tf.stack([values[name] for name in self.names[:count]])
        return stacked if rest is None else tf.concat([stacked, rest], axis=0)

    def get(self, vector: Any, name: str) -> Any:
        """Return one scalar of a vector, of a tensor or an array."""
        return vector[self._places[name]]

    def unpack(self, vector: Any) -> Dict[str, Any]:
        """Return all scalars of a vector by name, of a tensor or an array."""
        return {name: vector[place] for name, place in self._places.items()}

    def basis(self, name: str) -> Tensor:
        """Return the vector that is 1 at `name` and 0 elsewhere."""
        return tf.one_hot(self._places[name], len(self.names))

    def zeros(self) -> Tensor:
        """Return the vector of zeros."""
        return tf.zeros([len(self.names)])
