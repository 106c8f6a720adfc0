"""Propose pieces at positions of texts of any lengths.

B batch, S sequence, K proposals, N positions, V vocabulary.
"""

from itertools import groupby
from typing import Any, Dict, Iterator, List, NamedTuple, Sequence, Tuple

import numpy as np

from data_gen.shared.errors import UserError
from pretrain.checkpoint.load import Model
from pretrain.model.proposals import Proposals, propose_at
from pretrain.runtime.tensorflow import Tensor, compiled, tf
from pretrain.text.batches import as_batch, padded_length

# Positions, padding included, that go through the encoder at a time: 32 sentences of 32 pieces.
# Most of the memory is the head's logits, 86 MB for 21,128 pieces.
_POSITIONS = 1024


class Request(NamedTuple):
    """A text, and the positions to propose pieces for."""

    pieces: Sequence[int]  # ids, without special tokens
    places: Sequence[int]  # indices of `pieces`, ascending


class Proposer:
    """A model that answers requests of any lengths. It is compiled once for each of the lengths
    that sequences are padded to.

    A word may be proposed for a piece that begins a word, a `##` piece for one that continues it,
    and both for [MASK]; pieces that no text gives (specials, `[unused*]`, `##` + Chinese) never.

    Raises UserError if the tokenizer has more pieces than the model.
    """

    def __init__(self, model: Model, tokenizer: Any, count: int) -> None:
        size = model.config.vocab_size
        if len(tokenizer.pieces) > size:
            raise UserError(
                f"{model.vocab_file} has {len(tokenizer.pieces):,} pieces, the model {size:,}: "
                "give the vocab.txt that belongs to it"
            )
        self._model, self._tokenizer = model, tokenizer
        self.count = min(count, size)  # K
        self._positions = model.config.max_position_embeddings
        self._kinds, self._suitable = _kinds(tokenizer, size)
        self._compiled: Dict[int, Any] = {}  # by the padded length

    def __call__(self, requests: Sequence[Request]) -> List[Proposals]:
        """Return the proposals for each request, in its order: [N, K] and [N] for its N places."""
        split = [windows(request, self._positions - 2) for request in requests]
        short = [part for parts in split for part in parts]
        # For a part without a place, of the types of the others that it is joined with.
        ids, probabilities = np.zeros([0, self.count], np.int32), np.zeros([0, self.count], "f4")
        found = [Proposals(ids, probabilities, probabilities[:, 0])] * len(short)
        for numbers in self._batches(short):
            for i, proposals in zip(numbers, self._run([short[i] for i in numbers])):
                found[i] = proposals
        rest = iter(found)
        return [_joined([next(rest) for _ in parts]) for parts in split]

    def _batches(self, requests: Sequence[Request]) -> Iterator[List[int]]:
        """Yield the numbers of the requests of each batch: those padded to the same length."""

        def width(number: int) -> int:
            return padded_length(len(requests[number].pieces), self._positions)

        asked = [i for i, request in enumerate(requests) if len(request.places)]
        for size, numbers in groupby(sorted(asked, key=width), key=width):
            same = list(numbers)
            rows = max(1, _POSITIONS // size)
            yield from (same[start : start + rows] for start in range(0, len(same), rows))

    def _run(self, requests: Sequence[Request]) -> List[Proposals]:
        pieces = [request.pieces for request in requests]
        batch = as_batch(pieces, self._tokenizer.cls, self._tokenizer.sep, self._positions)
        width = batch["input_ids"].shape[1]
        # The first place of a row is that of [CLS].
        places = [
            np.asarray(request.places, np.int32) + row * width + 1
            for row, request in enumerate(requests)
        ]
        found = self._function(width)(
            *(tf.constant(batch[name]) for name in ("input_ids", "input_mask")),
            tf.constant(np.concatenate(places)),
        )
        cuts = np.cumsum([len(part) for part in places])[:-1]
        columns = (np.split(column.numpy(), cuts) for column in found)
        return [Proposals(*parts) for parts in zip(*columns)]

    def _function(self, width: int) -> Any:
        if width not in self._compiled:
            ids = tf.TensorSpec([None, width], tf.int32)
            places = tf.TensorSpec([None], tf.int32)
            function: Any = compiled(self._propose)
            self._compiled[width] = function.get_concrete_function(ids, ids, places)
        return self._compiled[width]

    def _propose(self, ids: Tensor, mask: Tensor, places: Tensor) -> Proposals:
        batch = {"input_ids": ids, "input_mask": mask, "segment_ids": tf.zeros_like(ids)}
        model = self._model
        return propose_at(model.variables, batch, places, model.config, self.count, self._suits)

    def _suits(self, in_text: Tensor) -> Tensor:
        return tf.gather(tf.constant(self._suitable), tf.gather(tf.constant(self._kinds), in_text))


def windows(request: Request, size: int) -> List[Request]:
    """Cut a text of more than `size` pieces into windows that overlap by half. A place belongs to
    the window with the nearest middle, so that at least a quarter of a window is on both sides of
    it, or all of the text on one side.
    """
    spare = len(request.pieces) - size
    if spare <= 0:
        return [request]
    starts = [*range(0, spare, -(-size // 2)), spare]
    places = np.asarray(request.places, np.int64)
    middles = np.array(starts) + (size - 1) / 2
    nearest = np.abs(places[:, None] - middles).argmin(axis=1)
    return [
        Request(request.pieces[start : start + size], (places[nearest == i] - start).tolist())
        for i, start in enumerate(starts)
    ]


def _joined(parts: Sequence[Proposals]) -> Proposals:
    return parts[0] if len(parts) == 1 else Proposals(*map(np.concatenate, zip(*parts)))


_BEGINS, _CONTINUES, _ANY = range(3)


def _kinds(tokenizer: Any, size: int) -> Tuple["np.ndarray", "np.ndarray"]:
    """Return the kind of each piece, int32 [V], and the pieces that may be proposed for each kind,
    bool [3, V].
    """
    kinds = np.full([size], _BEGINS, np.int32)
    kinds[[i for i, piece in enumerate(tokenizer.pieces) if piece.startswith("##")]] = _CONTINUES
    suitable = np.zeros([3, size], bool)
    producible = np.array(tokenizer.reachable_ids, np.int64)
    suitable[kinds[producible], producible] = True
    suitable[_ANY] = suitable[_BEGINS] | suitable[_CONTINUES]
    kinds[tokenizer.mask] = _ANY
    return kinds, suitable
