"""What the settings ask for about the words of a text, found out once for all its instances."""

from typing import Dict, NamedTuple, Optional

import numpy as np

from data_gen.config import MaskingConfig
from data_gen.corruption import Corruptor, RandomWords
from data_gen.lexicon import Distinct, distinct_words
from data_gen.pieces import Tokenizer
from data_gen.stats import Counts
from data_gen.types import Array, Text
from data_gen.wordclass import word_class

UNKNOWN = "unknown"  # why words with [UNK] are never masked: there is nothing to predict
_MOST_CLASSES = 1 << 18  # words whose class is remembered


class KnownWords(NamedTuple):
    """What is known of the words of a text."""

    text: Text
    reasons: Array  # int64 [W]: 0 for a word that may be masked, else 1 + which reason
    unknown: Array  # bool [W]: whether it holds [UNK]
    similar: Array  # int64 [W]: its number in the lexicon
    random: Optional[RandomWords]


class WordKnower:
    """Knows the words of texts as one configuration asks for it."""

    def __init__(self, masking: MaskingConfig, tokenizer: Tokenizer, corruptor: Corruptor) -> None:
        self.reasons = (UNKNOWN, *masking.skip)  # not to mask a word
        self._masking = masking
        self._tokenizer = tokenizer
        self._corruptor = corruptor
        self._classes: Dict[int, int] = {}

    def __call__(self, text: Text, counts: Counts) -> KnownWords:
        """Find out what the settings ask for about the words of a text."""
        masking, lexicon = self._masking, self._corruptor.lexicon
        unknown = _any(text.pieces == self._tokenizer.unk, text)
        reasons = unknown.astype(np.int64)
        similar = np.zeros(len(reasons), np.int64)
        random = None
        with_similar = self._corruptor.shares.similar
        if with_similar or masking.skip or masking.random_unit == "word":
            words = distinct_words(text)
            if masking.skip:
                reasons = np.where(unknown, 1, self._classified(text, words)[words.numbers])
            if with_similar:
                numbers = lexicon.numbers(text, words)
                lexicon.count(text, words, numbers, counts)
                similar = numbers[words.numbers]
            if masking.random_unit == "word":
                random = _random_words(text, words.examples[~unknown[words.examples]])
        return KnownWords(text, reasons, unknown, similar, random)

    def _classified(self, text: Text, words: Distinct) -> Array:
        """Of each different word 1 + the number of the reason not to mask it, or 0."""
        if len(self._classes) > _MOST_CLASSES:
            self._classes = {}
        keys = words.keys.tolist()
        for key, example in zip(keys, words.examples.tolist()):
            if key not in self._classes:
                found = word_class(self._tokenizer.text(text.word(example)))
                skipped = found in self.reasons
                self._classes[key] = 1 + self.reasons.index(found) if skipped else 0
        return np.array([self._classes[key] for key in keys])


def piecewise(text: Text) -> Text:
    """A text whose words are single pieces."""
    words = np.arange(len(text.pieces) + 1)
    return text._replace(words=words, sentences=text.words[text.sentences])


def _any(of_pieces: Array, text: Text) -> Array:
    """Of each word whether something is true of any of its pieces."""
    passed = np.concatenate([[0], np.cumsum(of_pieces)])
    return np.diff(passed[text.words]) > 0


def _random_words(text: Text, numbers: Array) -> RandomWords:
    """Put words in the order of their sizes."""
    sizes = text.sizes[numbers]
    order = np.argsort(sizes, kind="stable")
    first = np.searchsorted(sizes[order], np.arange(sizes.max(initial=0) + 3))
    return RandomWords(text.words[numbers[order]], first)
