"""Documents -> instances: cut every copy of every document, pair the parts, name the pairs."""

from functools import partial
from typing import List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from data_gen.core.columns import Instances, Pair, TokenizedBlock
from data_gen.core.random_draws import Draws, draw, seed_for
from data_gen.pairs.chunks import Chunk, Outline, cut
from data_gen.pairs.tasks import PairContext, PairTask

_KEYS = 1 << 32  # the draw of a document's seed that keys are made from, beyond those of its pairs


class PairRules(NamedTuple):
    """The rules of pairing that are the same for all documents."""

    task: PairTask
    split: str
    swap_prob: float  # of SOP
    room: int  # pieces of both segments together
    short_seq_prob: float
    dupe_factor: int
    random_seed: int


class NamedPair(NamedTuple):
    """A pair and its name."""

    pair: Pair
    document: Tuple[int, int]  # its pieces
    copy: int
    seed: int  # of that copy of its document
    number: int  # in that copy


def make_pairs(outline: Outline, names: Sequence[str], rules: PairRules) -> List[NamedPair]:
    """Make the pairs of all copies of all documents, whose names decide what is drawn."""
    filled = [chunk for chunk in outline.documents if chunk[0] < chunk[1]]
    made = []
    for name, document in zip(names, outline.documents):
        context = PairContext(
            outline,
            rules.room,
            partial(_stranger, filled, document),
            rules.split,
            rules.swap_prob,
        )
        pieces = outline.starts[document[0]], outline.starts[document[1]]
        for copy in range(rules.dupe_factor):
            seed = seed_for(rules.random_seed, name, copy)
            rng = Draws(seed)
            chunks = cut(outline, document, rules.room, rules.short_seq_prob, rng)
            pairs = (pair for chunk in chunks for pair in rules.task.make(chunk, context, rng))
            made += [
                NamedPair(pair, pieces, copy, seed, number) for number, pair in enumerate(pairs)
            ]
    return made


def as_instances(
    text: TokenizedBlock, made: Sequence[NamedPair]
) -> Tuple[TokenizedBlock, Instances]:
    """Put pairs into columns; a word split between A and B is masked piece by piece."""
    pairs = [one.pair for one in made]
    inner = [min(pair.a, pair.b)[0] for pair in pairs if pair.split_at == "piece"]
    text = text.split_words(np.searchsorted(text.words, sorted(set(inner))))
    seeds = np.array([one.seed for one in made], np.uint64)
    numbers = np.array([one.number for one in made], np.uint64)
    return text, Instances(
        np.array([pair.a for pair in pairs], np.int64).reshape(-1, 2),
        np.array([pair.b for pair in pairs], np.int64).reshape(-1, 2),
        np.array([pair.label for pair in pairs], np.int64),
        draw(draw(seeds, _KEYS), numbers),
    )


def _stranger(filled: Sequence[Chunk], own: Chunk, rng: Draws) -> Optional[Chunk]:
    """Choose a random document of the block that is not one's own; None where there is no other."""
    if len(filled) < 2:
        return None
    while True:
        document = filled[rng.randrange(len(filled))]
        if document != own:
            return document
