"""The rows that the fine-tuned models of HFL have published, to stand beside one's own.

Source: arXiv 1906.08101v3 (IEEE/ACM TASLP 2021), Tables V, VII and VIII, and Table IX for the small
models: the test parts, in percent, the maximum and the mean of ten runs (Table IX: the maximum
alone). The paper's "RoBERTa-large" is RoBERTa-wwm-ext-large. CMRC 2018's test part is not public.
"""

from typing import Dict, Mapping, NamedTuple, Optional, Tuple

Figures = Tuple[float, Optional[float]]  # maximum and mean of the runs, in percent


class _Model(NamedTuple):
    """A published model: its size, and its figures in the order of `_COLUMNS`."""

    layers: int
    hidden_size: int
    figures: Tuple[Figures, ...]


_COLUMNS = (
    ("cmrc2018", "exact_match"),
    ("cmrc2018", "f1"),
    ("drcd", "exact_match"),
    ("drcd", "f1"),
    ("xnli", "accuracy"),
    ("chnsenticorp", "accuracy"),
    ("lcqmc", "accuracy"),
    ("bq", "accuracy"),
)


def _runs(*numbers: float) -> Tuple[Figures, ...]:
    """Return figures from maximum, mean, maximum, mean, ..."""
    return tuple(zip(numbers[::2], numbers[1::2]))


def _maxima(*numbers: float) -> Tuple[Figures, ...]:
    """Return figures of which the maximum alone is known."""
    return tuple((number, None) for number in numbers)


# fmt: off
_MODELS: Dict[str, _Model] = {
    "BERT": _Model(12, 768, _runs(
        70.0, 68.7, 87.0, 86.3, 82.2, 81.6, 89.2, 88.8,
        77.8, 77.5, 95.0, 94.7, 86.9, 86.4, 84.8, 84.6)),
    "BERT-wwm": _Model(12, 768, _runs(
        70.5, 69.1, 87.4, 86.7, 82.8, 81.8, 89.7, 89.0,
        78.2, 78.0, 95.4, 95.0, 87.0, 86.8, 85.2, 84.9)),
    "BERT-wwm-ext": _Model(12, 768, _runs(
        71.4, 70.0, 87.7, 87.0, 83.6, 83.0, 90.4, 89.9,
        78.7, 78.3, 95.3, 94.8, 87.1, 86.6, 85.3, 84.8)),
    "RoBERTa-wwm-ext": _Model(12, 768, _runs(
        72.6, 71.4, 89.4, 88.8, 85.6, 85.2, 92.0, 91.7,
        78.8, 78.3, 95.6, 94.9, 86.4, 86.1, 85.0, 84.6)),
    "ELECTRA-base": _Model(12, 768, _runs(
        73.1, 72.7, 87.1, 86.9, 86.9, 86.6, 91.8, 91.7,
        78.4, 77.8, 94.5, 93.5, 87.6, 87.3, 84.5, 84.0)),
    "MacBERT-base": _Model(12, 768, _runs(
        73.2, 72.4, 89.5, 89.2, 89.5, 88.7, 93.8, 93.5,
        79.3, 78.8, 95.6, 94.9, 87.0, 86.5, 85.2, 84.9)),
    "ELECTRA-large": _Model(24, 1024, _runs(
        73.9, 72.8, 87.1, 86.6, 88.8, 88.2, 93.6, 93.2,
        81.0, 80.9, 95.3, 94.8, 87.3, 87.2, 85.1, 84.8)),
    "RoBERTa-wwm-ext-large": _Model(24, 1024, _runs(
        74.2, 72.4, 90.6, 90.0, 89.6, 88.9, 94.5, 94.1,
        81.2, 80.6, 95.8, 94.9, 87.0, 86.8, 85.8, 84.9)),
    "MacBERT-large": _Model(24, 1024, _runs(
        74.8, 73.2, 90.7, 90.1, 91.7, 90.9, 95.6, 95.3,
        81.3, 80.6, 95.9, 95.1, 87.6, 87.1, 85.6, 85.0)),
    "RBT3": _Model(3, 768, _maxima(62.2, 81.8, 75.0, 83.9, 72.3, 92.8, 85.1, 83.3)),
    "RBT4": _Model(4, 768, _maxima(65.0, 83.9, 78.7, 86.7, 74.2, 93.8, 85.7, 83.7)),
    "RBT6": _Model(6, 768, _maxima(68.3, 84.4, 83.9, 90.2, 76.2, 95.3, 86.6, 84.2)),
    "RBTL3": _Model(3, 1024, _maxima(63.3, 83.4, 77.2, 85.6, 74.0, 94.2, 85.1, 83.6)),
}
# fmt: on


def _by_task() -> Dict[str, Dict[str, Dict[str, Figures]]]:
    tables: Dict[str, Dict[str, Dict[str, Figures]]] = {}
    for name, model in _MODELS.items():
        for (task, measure), figures in zip(_COLUMNS, model.figures):
            tables.setdefault(task, {}).setdefault(name, {})[measure] = figures
    return tables


# Task -> model -> measure -> figures.
PUBLISHED: Mapping[str, Mapping[str, Mapping[str, Figures]]] = _by_task()


def rows(task: str, layers: int, hidden_size: int) -> Dict[str, Dict[str, Figures]]:
    """Return the published rows of a task for models of one size: model -> measure -> figures;
    empty if there are none.
    """
    return {
        name: dict(measures)
        for name, measures in PUBLISHED.get(task, {}).items()
        if (_MODELS[name].layers, _MODELS[name].hidden_size) == (layers, hidden_size)
    }
