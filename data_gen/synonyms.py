"""Word -> similar words of the same number of pieces, looked up in a table: no search happens while
masking.

A word takes its candidates from the first layer of the table that has any: the toolkit's vectors,
as in the paper (IV-A, Table II), then those of one's own text.
"""

from functools import lru_cache
from typing import Callable, Dict, List, NamedTuple, Optional, Tuple

from data_gen.alike import ALIKE
from data_gen.config import SynonymsConfig
from data_gen.lexicon import Candidates
from data_gen.normalise import converter
from data_gen.pieces import Tokenizer
from data_gen.table import Layer, Table
from data_gen.types import Pieces

# Words remembered a process: those of some hundred megabytes of text, 100 MB of memory.
_REMEMBERED = 1 << 18


class Found(NamedTuple):
    """What the table knows of a word."""

    candidates: Candidates
    source: str  # whose they are; "" where there is none


_NOTHING = Found((), "")


class SimilarWords:
    """The lookup that corruption uses: pieces of a word -> its candidates."""

    def __init__(self, table: Table, tokenizer: Tokenizer, config: SynonymsConfig) -> None:
        self.layers = table.layers
        self._tokenizer = tokenizer
        self._strict = config.other_lengths == "strict"
        self._min_similarity = config.min_similarity
        self._alike = config.alike
        self._convert: Optional[Tuple[Callable[[str], str], Callable[[str], str]]] = None
        if config.traditional:
            self._convert = converter("t2s"), converter("s2t")
        self._find = lru_cache(_REMEMBERED)(self._look_up)
        self._class = lru_cache(_REMEMBERED)(self._class_of)

    def __call__(self, word: Pieces) -> Candidates:
        """The similar words of `word` with their similarities, the most similar first; empty where
        there is none.
        """
        return self._find(word).candidates

    def source(self, word: Pieces) -> str:
        """The name of the source of its candidates, "toolkit" or "corpus" say; "" without any."""
        return self._find(word).source

    def missing(self, word: Pieces) -> str:
        """Why a word has no similar word."""
        near = [layer.near(word) for layer in self.layers.values()]
        known = [neighbours for neighbours in near if neighbours is not None]
        if not known:
            return "not in the table"
        if not any(known):
            return "no neighbour in the table"
        enough = any(pair[1] >= self._min_similarity for pairs in known for pair in pairs)
        return "other number of pieces" if enough else "not similar enough"

    def of_layer(self, layer: Layer, word: Pieces) -> Candidates:
        """The candidates that one layer has for a word."""
        pairs = layer.near(word) or ()
        near = [pair for pair in pairs if pair[1] >= self._min_similarity]
        if self._strict and near and len(near[0][0]) != len(word):
            return ()
        return self._like(word, [pair for pair in near if len(pair[0]) == len(word)])

    def _look_up(self, word: Pieces) -> Found:
        found = self._in_layers(word)
        if not found.candidates and self._convert:
            return self._look_up_simplified(word, *self._convert)
        return found

    def _in_layers(self, word: Pieces) -> Found:
        for source, layer in self.layers.items():
            candidates = self.of_layer(layer, word)
            if candidates:
                return Found(candidates, source)
            if self._strict and layer.near(word):
                break  # this source has decided
        return _NOTHING

    def _look_up_simplified(
        self, word: Pieces, simplify: Callable[[str], str], restore: Callable[[str], str]
    ) -> Found:
        """The candidates of a traditional word: those of the simplified one, converted back, where
        the number of pieces agrees.
        """
        text = self._tokenizer.text(word)
        simplified = simplify(text)
        if simplified == text:
            return _NOTHING
        ((pieces, _),) = self._tokenizer.encode([simplified])
        found = self._in_layers(tuple(pieces))
        texts = [restore(self._tokenizer.text(candidate)) for candidate, _ in found.candidates]
        encoded = [tuple(pieces) for pieces, _ in self._tokenizer.encode(texts)]
        candidates: Dict[Pieces, float] = {}
        for other, (_, similarity) in zip(encoded, found.candidates):
            if len(other) == len(word) and other != word and self._tokenizer.unk not in other:
                candidates.setdefault(other, similarity)
        if not candidates:
            return _NOTHING
        return Found(list(candidates.items()), f"{found.source}, simplified")

    def _like(self, word: Pieces, pairs: List[Tuple[Pieces, float]]) -> Candidates:
        """Those that are like the word in what `synonyms.alike` names; all, where none is."""
        for name in self._alike:
            own = self._class(name, word)
            if own is None:
                continue
            alike = [pair for pair in pairs if self._class(name, pair[0]) == own]
            pairs = alike or pairs
        return pairs

    def _class_of(self, name: str, word: Pieces) -> Optional[str]:
        return ALIKE[name](self._tokenizer.text(word))


class NoSimilarWords:
    """The lookup of builds that replace nothing by similar words."""

    def __call__(self, word: Pieces) -> Candidates:
        """No word has a similar one."""
        return ()

    def source(self, word: Pieces) -> str:
        """None."""
        return ""

    def missing(self, word: Pieces) -> str:
        """Why a word has no similar word."""
        return "no table"
