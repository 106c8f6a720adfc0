"""WHAT to put in place of masked words: `CORRUPTIONS` are the four of the MacBERT paper, VII-B.

For MLM as correction ("similar") each word of an n-gram is replaced on its own by a similar word of
the same number of pieces (paper, IV-A and Table II). A word without one becomes random, which "is
restricted to no more than 10% of all tokens to be masked": past that, the n-gram is refused and the
selector looks for another place.
"""

from typing import Dict, NamedTuple


class CorruptionShares(NamedTuple):
    """Shares of the masked words (or pieces) that become [MASK], a similar word, a random one, or
    stay; they sum up to 1.
    """

    mask: float = 0.0
    similar: float = 0.0
    random: float = 0.0
    keep: float = 0.1

    @property
    def needs_similar_words(self) -> bool:
        """True if a build has to look similar words up."""
        return self.similar > 0


CORRUPTIONS: Dict[str, CorruptionShares] = {
    "partial_mask": CorruptionShares(mask=0.8, random=0.1),  # BERT's own 80/10/10
    "all_mask": CorruptionShares(mask=0.9),
    "random": CorruptionShares(random=0.9),
    "similar": CorruptionShares(similar=0.8, random=0.1),  # MacBERT
}

CORRUPTION_UNITS = ("ngram", "word", "piece")
RANDOM_UNITS = ("piece", "word")
FALLBACK_CAPS = ("fallback", "all_random")
PAST_THE_CAP = ("elsewhere", "keep")
# The kinds of replacements. A fallback is random for want of a similar word.
KINDS = ("mask", "similar", "random", "keep", "fallback")
MASK, SIMILAR, RANDOM, KEEP, FALLBACK = range(len(KINDS))
