"""What the settings ask for about the words of a text, found out once for all its instances."""

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

UNKNOWN = "unknown"  # why words with [UNK] are never masked: there is nothing to predict
_MOST_CLASSES = 1 << 18  # words whose class is remembered


class WordFacts(NamedTuple):
    """What is known of the words of a text."""

    text: TokenizedBlock
    reasons: Array  # int64 [W]: 0 for a word that may be masked, else 1 + which reason
    unknown: Array  # bool [W]: whether it holds [UNK]
    similar: Array  # int64 [W]: its number in the lexicon
    random: Optional[RandomWords]


class WordFactsBuilder:
    """Knows the words of texts as one configuration asks for it."""

    def __init__(
        self, masking: MaskingConfig, tokenizer: Tokenizer, corruptor: CorruptionRules
    ) -> None:
        self.reasons = (UNKNOWN, *masking.skip)  # not to mask a word
        self._masking = masking
        self._tokenizer = tokenizer
        self._corruptor = corruptor
        self._numbers = WordIndex()
        self._classes = array("b")

    def __call__(self, text: TokenizedBlock, counts: Counts) -> WordFacts:
        """Find out what the settings ask for about the words of a text."""
        masking, lexicon = self._masking, self._corruptor.lexicon
        unknown = _any(text.pieces == self._tokenizer.unk, text)
        reasons = unknown.astype(np.int64)
        similar = np.zeros(len(reasons), np.int64)
        random = None
        if masking.skip:
            reasons = np.where(unknown, 1, self._classified(text))
        if self._corruptor.shares.similar:
            similar = lexicon.numbers(text)
            lexicon.count(similar, counts)
        if masking.random_unit == "word":
            words = distinct_words(text)
            random = _random_words(text, words[~unknown[words]])
        return WordFacts(text, reasons, unknown, similar, random)

    def _classified(self, text: TokenizedBlock) -> Array:
        """Of each word 1 + the number of the reason not to mask it, or 0."""
        if len(self._numbers) > _MOST_CLASSES:
            self._numbers, self._classes = WordIndex(), array("b")
        numbers, new = self._numbers(word_keys(text.pieces, text.words))
        for word in new.tolist():
            found = word_class(self._tokenizer.join(text.word(word)))
            skipped = found in self.reasons
            self._classes.append(1 + self.reasons.index(found) if skipped else 0)
        return as_array(self._classes)[numbers].astype(np.int64)


def piecewise(text: TokenizedBlock) -> TokenizedBlock:
    """A text whose words are single pieces."""
    words = np.arange(len(text.pieces) + 1)
    return text._replace(words=words, sentences=text.words[text.sentences])


def _any(of_pieces: Array, text: TokenizedBlock) -> Array:
    """Of each word whether something is true of any of its pieces."""
    passed = np.concatenate([[0], np.cumsum(of_pieces)])
    return np.diff(passed[text.words]) > 0


def _random_words(text: TokenizedBlock, numbers: Array) -> RandomWords:
    """Put words in the order of their sizes."""
    sizes = text.sizes[numbers]
    order = np.argsort(sizes, kind="stable")
    first = np.searchsorted(sizes[order], np.arange(sizes.max(initial=0) + 3))
    return RandomWords(text.words[numbers[order]], first)
