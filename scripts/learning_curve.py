"""Draw what a training learned: `python scripts/learning_curve.py work/model curve.svg`.

Needs the extra `plot`. The losses of the training, and what was measured on held-out data with each
checkpoint, where some were given.
"""

import json
import os
import sys
from typing import Any, Dict, List, Tuple

Curves = Dict[str, List[Tuple[int, float]]]  # by label: (step, value)

_KINDS = "masked_lm_accuracy_by_kind"
_LABELS = {"masked_lm_loss": "words", "pair_loss": "pairs"}


def draw(model: str, path: str) -> None:
    """Write the picture of the training in the folder `model`.

    Raises ValueError if there is no training, or no line of it yet.
    """
    found = [(title, curves) for title, curves in panels(model).items() if any(curves.values())]
    if not found:
        raise ValueError(
            f"{model} has no line in metrics.jsonl: give the --output of `pretrain train`, after "
            "its first log_steps steps"
        )
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "the same bytes each time"
    from matplotlib import pyplot

    figure, row = pyplot.subplots(1, len(found), figsize=(4 * len(found), 3.4), squeeze=False)
    for axes, (title, curves) in zip(row[0], found):
        for label, points in curves.items():
            if not points:
                continue
            axes.plot(*zip(*points), label=label, marker="." if len(points) == 1 else None)
        axes.set_title(title)
        axes.set_xlabel("step")
        axes.grid(alpha=0.3)
        if "loss" not in title:
            axes.set_ylim(0, 1)  # shares; half of the pairs are told by chance
        if len(curves) > 1:
            axes.legend()
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    if len(found) == 1:
        print("no held-out data were evaluated (train --heldout DIR): the training's losses alone")


def panels(model: str) -> Dict[str, Curves]:
    """Return the curves of each panel by its title; those that were not measured have no points."""
    steps = _lines(os.path.join(model, "metrics.jsonl"))
    evaluations = _lines(os.path.join(model, "evaluations.jsonl"))
    names = [name for name in (steps[-1] if steps else {}) if name.endswith("_loss")]
    kinds = [{"step": one["step"], **one.get(_KINDS, {})} for one in evaluations]
    found = {"all": _points(evaluations, "masked_lm_accuracy")}
    known = sorted({kind for one in kinds for kind in one} - {"step"})
    found.update({kind: _points(kinds, kind) for kind in known})
    return {
        "loss, training": {_LABELS.get(n, n): _points(steps, n) for n in names or ["loss"]},
        "masked pieces found, held-out": found,
        "pairs told, held-out": {"pairs": _points(evaluations, "pair_accuracy")},
    }


def _lines(path: str) -> List[Dict[str, Any]]:
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as handle:
        return [json.loads(line) for line in handle]


def _points(lines: List[Dict[str, Any]], name: str) -> List[Tuple[int, float]]:
    return [(line["step"], line[name]) for line in lines if name in line]


def main(arguments: List[str]) -> int:
    """Draw, or say in one sentence why not. Returns the exit code."""
    if len(arguments) != 2:
        print("usage: python scripts/learning_curve.py MODEL_FOLDER PICTURE.svg", file=sys.stderr)
        return 2
    try:
        draw(*arguments)
    except ImportError:
        print("error: matplotlib is missing: pip install '.[plot]'", file=sys.stderr)
        return 1
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
