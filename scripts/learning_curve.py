"""Draw what a training learned: `python scripts/learning_curve.py work/model curve.svg`.

Needs the extra `plot`. The losses of the training, and what was measured on held-out data with each
checkpoint.
"""

import json
import os
import sys
from typing import Any, Dict, List

_PANELS = 3


def draw(model: str, path: str) -> None:
    """Write the picture of the training in the folder `model`."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "the same bytes each time"
    from matplotlib import pyplot

    steps = _lines(os.path.join(model, "metrics.jsonl"))
    evaluations = _lines(os.path.join(model, "evaluations.jsonl"))
    figure, (losses, words, pairs) = pyplot.subplots(1, _PANELS, figsize=(12, 3.4))
    for name, label in (("masked_lm_loss", "words"), ("pair_loss", "pairs")):
        losses.plot(*_points(steps, name), label=label)
    words.plot(*_points(evaluations, "masked_lm_accuracy"), label="all")
    for kind in evaluations[-1]["masked_lm_accuracy_by_kind"]:
        by_kind = [
            {"step": one["step"], kind: one["masked_lm_accuracy_by_kind"][kind]}
            for one in evaluations
        ]
        words.plot(*_points(by_kind, kind), label=kind)
    pairs.plot(*_points(evaluations, "pair_accuracy"))
    titles = ("loss, training", "masked pieces found, held-out", "pairs told, held-out")
    for axes, title in zip((losses, words, pairs), titles):
        axes.set_title(title)
        axes.set_xlabel("step")
        axes.grid(alpha=0.3)
        if axes is not losses:
            axes.set_ylim(0, 1)  # shares; half of the pairs are told by chance
        if axes is not pairs:
            axes.legend()
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def _lines(path: str) -> List[Dict[str, Any]]:
    with open(path, encoding="utf-8") as handle:
        return [json.loads(line) for line in handle]


def _points(lines: List[Dict[str, Any]], name: str) -> List[List[float]]:
    return [[line["step"] for line in lines], [line[name] for line in lines]]


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python scripts/learning_curve.py MODEL_FOLDER PICTURE.svg")
    draw(*sys.argv[1:])
