"""Scores of labels -> predictions, and their measures."""

from typing import Any, Dict, List, Sequence

import numpy as np

from pretrain.finetune.config import FinetuneSettings
from pretrain.tasks.classification_measures import confusion_matrix, measures
from pretrain.tasks.examples import TextExample


def label_predictions(
    scores: List[np.ndarray],
    rows: Sequence[Dict[str, Any]],
    examples: Sequence[TextExample],
    labels: Sequence[str],
    settings: FinetuneSettings,
) -> List[Dict[str, Any]]:
    """Return the most probable label of each example, in their order.

    scores: float32 [K] of each row
    """
    predictions: List[Dict[str, Any]] = [{} for _ in examples]
    for score, row in zip(scores, rows):
        example, best = examples[row["example"]], int(score.argmax())
        found: Dict[str, Any] = {"id": example.id, "predicted": labels[best]}
        found["probability"] = round(float(probabilities(score)[best]), 6)
        if example.label is not None:
            found.update(label=example.label, right=int(example.label == labels[best]))
        predictions[row["example"]] = found
    return predictions


def probabilities(scores: np.ndarray) -> np.ndarray:
    """Return the softmax of the last axis."""
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares: np.ndarray = powers / powers.sum(axis=-1, keepdims=True)
    return shares


def label_figures(predictions: Sequence[Dict[str, Any]], labels: Sequence[str]) -> Dict[str, Any]:
    """Return accuracy, macro F1, Matthews' correlation and the confusion matrix (rows: the label,
    columns: the prediction); nothing where the data have no labels.
    """
    numbers = {label: number for number, label in enumerate(labels)}
    pairs = [
        (numbers[found["label"]], numbers[found["predicted"]])
        for found in predictions
        if "label" in found
    ]
    if not pairs:
        return {}
    truth, predicted = zip(*pairs)
    confusion = confusion_matrix(truth, predicted, len(labels))
    return {**measures(confusion), "confusion": confusion.tolist()}
