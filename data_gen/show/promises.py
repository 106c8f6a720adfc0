"""The shares that a recipe promises, beside those that a build realised.

A share is within its promise where it differs by no more than chance allows: four standard
deviations of a share of so many draws, which chance exceeds once in 16,000 times, but half a
percentage point in any case, since masking is no draw of independent pieces. The draws are
estimated from the statistics, which hold shares.
"""

import math
import os
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple

from data_gen.masking.config import MaskingConfig
from data_gen.masking.corruption import CORRUPTION_UNITS, CORRUPTIONS, CorruptionShares
from data_gen.masking.selectors import SELECTORS, Selector
from data_gen.pairs.tasks import PAIR_TASKS
from data_gen.shared.dataset.dataset_info import MANIFEST, DatasetInfo
from data_gen.shared.dataset.pair_labels import PAIR_LABELS
from data_gen.shared.errors import UserError
from data_gen.shared.settings import recorded_settings

_DEVIATIONS = 4
_AT_LEAST = 0.005  # of a share
_OF_TENTHS = 0.05  # tenths of a sequence differ by the shapes of texts, too
_OF_FILL = 0.01
_OF_TEXT = 0.001  # documents of a single piece are in no instance

RULE = (
    "Within is what differs from the promise by no more than is allowed (±): 4 standard deviations "
    "of so many draws, and at least half a point; fill 1 point, tenths 5, text kept 0.1."
)


class Promise(NamedTuple):
    """A promised share and what came of it."""

    name: str
    meaning: str
    figure: str  # the statistic that it is of
    promised: float
    realised: float
    allowed: float  # by how much they may differ
    bound: str = ""  # "at most" or "at least" where only one side is promised

    @property
    def is_kept(self) -> bool:
        """True if the realised share is within what is allowed."""
        off = self.realised - self.promised
        if self.bound:
            off = max(off if self.bound == "at most" else -off, 0.0)
        return abs(off) <= self.allowed + 1e-9


def promises(info: DatasetInfo) -> List[Promise]:
    """Compare a build with its recipe. What this code does not know of the recipe, or the build
    has no statistics of, is left out.

    Raises UserError for settings of masking that no build could have had.
    """
    statistics = info.statistics
    if not statistics.get("instances"):
        return []
    config = info.manifest["config"]
    found = [*_sequences(config, statistics)]
    recorded = dict(config.get("masking") or {})
    unknown = [name for name, table in _TABLES.items() if _is_of_others(recorded, name, table)]
    if not recorded or "selector" in unknown:
        return found
    for name in unknown:
        del recorded[name]
    source = f"{os.path.join(info.folder, MANIFEST)}, config.masking"
    masking = recorded_settings(MaskingConfig, recorded, source)
    selector, longest = SELECTORS[masking.selector], len(masking.ngram_weights)
    lengths = {str(n) for n in range(1, longest + 1)}
    if not selector.single and not lengths.issuperset(_group(statistics, "ngrams")):
        raise UserError(f"{source}: n-grams of more words than ngram_weights has are counted")
    draws = _Draws(info, masking, selector)
    found += _masking(info, masking, draws)
    if "corruption" not in unknown:
        found += _kinds(masking, statistics, CORRUPTIONS[masking.corruption], draws)
    return found


_TABLES: Dict[str, Mapping[str, Any]] = {"selector": SELECTORS, "corruption": CORRUPTIONS}


def _is_of_others(recorded: Mapping[str, Any], name: str, table: Mapping[str, Any]) -> bool:
    """True for the name of an entry that this code's table lacks."""
    found = recorded.get(name)
    return isinstance(found, str) and found not in table


def _sequences(config: Mapping[str, Any], statistics: Mapping[str, Any]) -> Iterator[Promise]:
    every = "nothing of the text is lost: each piece is in an instance"
    if "pieces_kept" in statistics:
        kept = statistics["pieces_kept"]
        yield Promise("text kept", every, "pieces_kept", 1.0, kept, _OF_TEXT, "at least")
    ideal = _number(statistics, "ideal_fill", 0.0)
    if ideal and not config.get("short_seq_prob"):
        meaning = "how full sequences are; promised: the fewest that hold each document"
        yield Promise("fill", meaning, "fill", ideal, statistics["fill"], _OF_FILL, "at least")
    task = PAIR_TASKS.get(config["pair_task"])
    swapped = task and task.label_1(_number(config.get("pairs"), "swap_prob", 0.5))
    if swapped is not None:
        allowed = _allowed(swapped, statistics["instances"])
        meaning = "pairs that are swapped (SOP) or of two documents (NSP)"
        labels = PAIR_LABELS.get(config["pair_task"])
        name = f"{labels[1]} pairs" if labels else "label 1"
        yield Promise(name, meaning, "label_1", swapped, statistics["label_1"], allowed)


class _Draws:
    """About how many draws a build made."""

    def __init__(self, info: DatasetInfo, masking: MaskingConfig, selector: Selector) -> None:
        statistics = info.statistics
        words = statistics["words"] / max(statistics["pieces"], 1)
        total = sum(masking.ngram_weights)
        shares = [weight / total for weight in masking.ngram_weights]
        self.weights = [1.0] if selector.single else shares
        mean = sum(n * weight for n, weight in enumerate(self.weights, 1))
        self.pieces = statistics["instances"] * info.max_seq_length * statistics["fill"]
        self.masked_pieces = self.pieces * statistics["masked"]
        masked_words = self.masked_pieces * (1.0 if selector.by_piece else words)
        self.ngrams = masked_words / mean
        numbers = (self.ngrams, masked_words, self.masked_pieces)
        units = dict(zip(CORRUPTION_UNITS, numbers))
        self.kinds = units[masking.corruption_unit]


def _masking(info: DatasetInfo, masking: MaskingConfig, draws: _Draws) -> Iterator[Promise]:
    statistics, config = info.statistics, info.manifest["config"]
    share = _number(config, "masked_lm_prob", 0.0)
    # What the slots for predictions leave of it.
    promised = min(share, info.max_predictions_per_seq / info.max_seq_length)
    of_words = masking.budget_unit == "word" and "masked_words" in statistics
    unit, figure = ("words", "masked_words") if of_words else ("pieces", "masked")
    if promised:
        allowed, realised = _allowed(promised, draws.pieces), _number(statistics, figure, 0.0)
        meaning = f"share of the {unit} that the model predicts"
        yield Promise(f"masked {unit}", meaning, figure, promised, realised, allowed)
    if len(draws.weights) > 1:
        for n, weight in enumerate(draws.weights, 1):
            realised = _group(statistics, "ngrams").get(str(n), 0.0)
            allowed = _allowed(weight, draws.ngrams)
            name = f"n-grams of {n} word{'s' if n > 1 else ''}"
            meaning = "stretches of so many whole words, masked together"
            yield Promise(name, meaning, "ngrams", weight, realised, allowed)
    tenths = statistics.get("masked_by_decile")
    if isinstance(tenths, list) and tenths:
        farthest = max(tenths, key=lambda tenth: abs(tenth - 1))
        allowed = max(_OF_TENTHS, _DEVIATIONS / math.sqrt(max(draws.ngrams, 1) / len(tenths)))
        meaning = "the beginning, middle and end are masked alike; here the tenth farthest off"
        name = "tenths of a sequence"
        yield Promise(name, meaning, "masked_by_decile", 1.0, farthest, allowed)


_KINDS = {
    "mask": "drawn: [MASK]",
    "similar": "drawn: similar word",
    "random": "drawn: random",
    "keep": "drawn: kept",
}


def _kinds(
    masking: MaskingConfig,
    statistics: Mapping[str, Any],
    shares: CorruptionShares,
    draws: _Draws,
) -> Iterator[Promise]:
    drawn = _group(statistics, "kinds_drawn")
    for kind, promised in shares._asdict().items():
        if promised and drawn:
            allowed = _allowed(promised, draws.kinds)
            name, meaning = _KINDS[kind], "what is to stand in place of the masked words"
            yield Promise(name, meaning, "kinds_drawn", promised, drawn.get(kind, 0.0), allowed)
    by_piece = _group(statistics, "kinds_by_piece")
    if shares.needs_similar_words and by_piece:
        cap = masking.max_fallback
        meaning = "masked pieces that became random for want of a similar word"
        realised, allowed = by_piece.get("fallback", 0.0), _allowed(cap, draws.masked_pieces)
        name = "fallbacks to random"
        yield Promise(name, meaning, "", cap, realised, allowed, "at most")


def _allowed(share: float, draws: float) -> float:
    """Return by how much a realised share of so many draws may differ."""
    return max(_AT_LEAST, _DEVIATIONS * math.sqrt(max(share * (1 - share), 0) / max(draws, 1)))


def _group(statistics: Mapping[str, Any], name: str) -> Dict[str, float]:
    found = statistics.get(name)
    return found if isinstance(found, dict) else {}


def _number(settings: Any, name: str, default: float) -> float:
    """Return a share, of settings or statistics; dataset.json may come from elsewhere."""
    found = settings.get(name) if isinstance(settings, dict) else None
    if not isinstance(found, (int, float)) or isinstance(found, bool):
        return default
    return float(found) if 0 <= found <= 1 else default
