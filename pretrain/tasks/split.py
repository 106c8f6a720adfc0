"""A part of the examples taken away, for data without a dev or test part."""

import hashlib
from typing import List, Sequence, Tuple, TypeVar

from data_gen.shared.errors import UserError
from pretrain.tasks.examples import Example, Question

E = TypeVar("E", bound=Example)


def split(examples: Sequence[E], share: float, seed: int) -> Tuple[List[E], List[E]]:
    """Return the examples that are kept, and about a share `share` of them that is taken; both in
    their order.

    A seeded hash of the text decides, so that nothing else in the file matters and equal texts
    stay together: of a pair the first one, of a question its paragraph.

    Raises UserError if one part would be empty.
    """
    if not 0 < share < 1:
        raise ValueError(f"share must be between 0 and 1, not {share}")
    kept: List[E] = []
    taken: List[E] = []
    for example in examples:
        (taken if _number(seed, example) < share else kept).append(example)
    if not kept or not taken:
        raise UserError(
            f"{len(examples)} examples cannot be split: a share of {share:g} of their texts takes "
            f"{len(taken)} of them"
        )
    return kept, taken


def _number(seed: int, example: Example) -> float:
    """Return the number in [0, 1) of an example's text."""
    text = example.context if isinstance(example, Question) else example.text
    digest = hashlib.sha256(f"{seed}/{text}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / float(1 << 48)
