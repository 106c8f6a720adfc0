"""Settings of the group `masking`."""

from dataclasses import dataclass, field
from typing import Collection, Dict, List

from data_gen.core.word_class import CLASSES
from data_gen.masking.corruption import (
    CORRUPTION_UNITS,
    CORRUPTIONS,
    FALLBACK_CAPS,
    PAST_THE_CAP,
    RANDOM_UNITS,
)
from data_gen.masking.selectors import BUDGET_UNITS, NGRAM_WITHIN, OVER_BUDGET, SELECTORS
from data_gen.shared.bounds import LARGEST
from data_gen.shared.settings import require_one_of


@dataclass(frozen=True)
class MaskingConfig:
    """Settings of where to mask, and what to put there."""

    selector: str = "ngram"  # where to mask: a name in selectors.SELECTORS
    # Shares of n = 1, 2, ...
    ngram_weights: List[float] = field(default_factory=lambda: [0.4, 0.3, 0.2, 0.1])
    # What an n-gram may not cross the end of: segment (A, B) or sentence.
    ngram_within: str = "segment"
    # Classes of words that are never masked: punctuation, number, latin, single (one character).
    skip: List[str] = field(default_factory=list)
    budget_unit: str = "piece"  # what masked_lm_prob is a share of: piece or word
    over_budget: str = "keep"  # what to do with the n-gram that would exceed the budget
    corruption: str = "similar"  # what to put there: a name in corruption.CORRUPTIONS
    # What one draw of [MASK] / similar / random / keep is for: an ngram, a word or a piece.
    corruption_unit: str = "word"
    # What a random replacement is: random pieces, or a random word of as many pieces.
    random_unit: str = "piece"
    # Share of the masked pieces that may become random for want of a similar word.
    max_fallback: float = 0.1
    fallback_cap: str = "fallback"  # what that share limits: fallback, or all_random
    past_the_cap: str = "elsewhere"  # what happens past it: mask elsewhere, or keep the word

    def __post_init__(self) -> None:
        for name, known in _MASKING_CHOICES.items():
            require_one_of(f"masking.{name}", getattr(self, name), list(known))
        for word_class in self.skip:
            require_one_of("masking.skip", word_class, CLASSES[:-1])
        weights = self.ngram_weights
        if not weights or not min(weights) >= 0 or not 0 < sum(weights) <= LARGEST:
            raise ValueError(
                "masking.ngram_weights must be shares of n = 1, 2, ...: none negative, one above "
                f"0, together at most {LARGEST:,.0f}"
            )
        if not 0 <= self.max_fallback <= 1:
            raise ValueError(
                f"masking.max_fallback must be between 0 and 1, not {self.max_fallback}"
            )


# Tables and tuples of the known values; looked at when settings are made.
_MASKING_CHOICES: Dict[str, Collection[str]] = {
    "selector": SELECTORS,
    "ngram_within": NGRAM_WITHIN,
    "budget_unit": BUDGET_UNITS,
    "over_budget": OVER_BUDGET,
    "corruption": CORRUPTIONS,
    "corruption_unit": CORRUPTION_UNITS,
    "random_unit": RANDOM_UNITS,
    "fallback_cap": FALLBACK_CAPS,
    "past_the_cap": PAST_THE_CAP,
}
