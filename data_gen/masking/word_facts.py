"""Per-word facts for masking, found once per block: reason not to mask, [UNK], candidate number."""

from array import array
from typing import NamedTuple, Optional

import numpy as np

from data_gen.core.columns import Array, TokenizedBlock, as_array
from data_gen.core.counting import Counts
from data_gen.core.word_class import word_class
from data_gen.core.word_keys import WordIndex, distinct_words, word_keys
from data_gen.masking.config import MaskingConfig
from data_gen.masking.replacement import CorruptionRules, RandomWords
from data_gen.tokenization.tokenizer import Tokenizer

UNKNOWN = "unknown"  # words with [UNK] are never masked: there is nothing to predict
_MOST_CLASSES = 1 << 18  # words in the cache of classes


class WordFacts(NamedTuple):
    """Facts about the words of a text."""

    text: TokenizedBlock
    reasons: Array  # int64 [W]: 0 for a word that may be masked, else 1 + number of the reason
    unknown: Array  # bool [W]: if it holds [UNK]
    similar: Array  # int64 [W]: its number in the cache of candidates
    random: Optional[RandomWords]


class WordFactsBuilder:
    """Finds the facts that one configuration needs."""

    def __init__(
        self, masking: MaskingConfig, tokenizer: Tokenizer, rules: CorruptionRules
    ) -> None:
        self.reasons = (UNKNOWN, *masking.skip)  # not to mask a word
        self._masking = masking
        self._tokenizer = tokenizer
        self._rules = rules
        self._index = WordIndex()
        self._classes = array("b")

    def __call__(self, text: TokenizedBlock) -> WordFacts:
        """Find the facts about the words of a text."""
        masking = self._masking
        unknown = _holding(np.flatnonzero(text.pieces == self._tokenizer.unk), text)
        reasons = unknown.astype(np.int64)
        similar = np.zeros(len(reasons), np.int64)
        random = None
        if masking.skip:
            reasons = np.where(unknown, 1, self._classified(text))
        if self._rules.shares.needs_similar_words:
            similar = self._rules.candidates.numbers(text)
        if masking.random_unit == "word":
            words = distinct_words(text)
            random = _random_words(text, words[~unknown[words]])
        return WordFacts(text, reasons, unknown, similar, random)

    def count(self, facts: WordFacts) -> Counts:
        """Count which words have similar ones; of a text whose facts were found last."""
        if self._rules.shares.needs_similar_words:
            return self._rules.candidates.count(facts.similar)
        return Counts()

    def _classified(self, text: TokenizedBlock) -> Array:
        """Return of each word 1 + the number of the reason not to mask it, or 0."""
        if len(self._index) > _MOST_CLASSES:
            self._index, self._classes = WordIndex(), array("b")
        numbers, new = self._index(word_keys(text.pieces, text.words))
        for word in new.tolist():
            found = word_class(self._tokenizer.join(text.word(word)))
            skipped = found in self.reasons
            self._classes.append(1 + self.reasons.index(found) if skipped else 0)
        return as_array(self._classes)[numbers].astype(np.int64)


def piecewise(text: TokenizedBlock) -> TokenizedBlock:
    """Return a text whose words are single pieces."""
    words = np.arange(len(text.pieces) + 1)
    return text._replace(words=words, sentences=text.words[text.sentences])


def _holding(pieces: Array, text: TokenizedBlock) -> Array:
    """Tell which words hold any of these pieces of the text, bool [W]."""
    holding = np.zeros(len(text.words) - 1, bool)
    holding[np.searchsorted(text.words, pieces, side="right") - 1] = True
    return holding


def _random_words(text: TokenizedBlock, numbers: Array) -> RandomWords:
    """Put words in the order of their sizes."""
    sizes = text.sizes[numbers]
    order = np.argsort(sizes, kind="stable")
    first = np.searchsorted(sizes[order], np.arange(sizes.max(initial=0) + 3))
    return RandomWords(text.words[numbers[order]], first)
