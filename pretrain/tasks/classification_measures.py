"""Accuracy, macro F1 and Matthews' coefficient from a matrix of confusion."""

from typing import Dict, Sequence

import numpy as np


def confusion_matrix(labels: Sequence[int], predicted: Sequence[int], count: int) -> np.ndarray:
    """Count the pairs of label and prediction.

    labels, predicted: numbers from 0 to count - 1, as many of both
    Returns int64 [count, count]: a row for each label, a column for each prediction.
    Raises ValueError for a number outside, or unequal lengths.
    """
    pairs = np.array([labels, predicted], dtype=np.int64)
    if pairs.size and not (pairs.min() >= 0 and pairs.max() < count):
        raise ValueError(f"labels and predictions must be from 0 to {count - 1}")
    cells = np.bincount(pairs[0] * count + pairs[1], minlength=count * count)
    return cells.reshape(count, count)


def measures(confusion: np.ndarray) -> Dict[str, float]:
    """Compute the measures of a classification; one that is not defined is 0.

    confusion: [labels, predictions], see `confusion_matrix`
    Returns `accuracy`; `macro_f1`, the mean F1 of the labels that occur as label or prediction;
    `matthews`, R_K of Gorodkin (2004), for two labels Matthews' coefficient. As scikit-learn.
    """
    table = np.asarray(confusion, dtype=np.float64)
    right, total = np.diag(table), table.sum()
    label_counts, predicted_counts = table.sum(axis=1), table.sum(axis=0)
    both = label_counts + predicted_counts
    occurs = both > 0
    f1 = 2 * right[occurs] / both[occurs]
    spread = (total**2 - (label_counts**2).sum()) * (total**2 - (predicted_counts**2).sum())
    shared = right.sum() * total - (label_counts * predicted_counts).sum()
    return {
        "accuracy": float(right.sum() / total) if total else 0.0,
        "macro_f1": float(f1.mean()) if f1.size else 0.0,
        "matthews": float(shared / np.sqrt(spread)) if spread > 0 else 0.0,
    }
