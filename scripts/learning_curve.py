"""Draw what a training learned: `python scripts/learning_curve.py work/model curve.svg`.

Needs the extra `plot`. The losses of the training, and what was measured on held-out data with each
checkpoint, if any was: `train --heldout DIR` does, or `--set heldout_shards=N`.
"""

import argparse
import json
import os
import sys
from typing import Any, Dict, List, Optional, Sequence

# A clone needs not be installed.
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from data_gen.shared.errors import UserError
from data_gen.shared.extras import needs_extra

_PAIRS = "pair_accuracy"
_WORDS = "masked_lm_accuracy"


def draw(model: str, path: str) -> None:
    """Write the picture of the training in the folder `model`.

    Raises UserError where there is no training, or nothing to draw with.
    """
    with needs_extra("plot", "a picture"):
        import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "the same bytes each time"
    from matplotlib import pyplot

    steps = _lines(os.path.join(model, "metrics.jsonl"))
    if not steps:
        raise UserError(f"{model} holds no metrics.jsonl with a step: give the output of `train`")
    panels = [("loss, training", _losses(steps), False)]
    evaluations = _lines(os.path.join(model, "evaluations.jsonl"))
    if evaluations:
        panels.append(("masked pieces found, held-out", _words(evaluations), True))
        panels.append(("pairs told, held-out", {"pairs": _points(evaluations, _PAIRS)}, True))
    panels = [panel for panel in panels if any(x for x, _ in panel[1].values())]
    figure, all_axes = pyplot.subplots(
        1, len(panels), figsize=(4 * len(panels), 3.4), squeeze=False
    )
    for axes, (title, curves, shares) in zip(all_axes[0], panels):
        for label, (x, y) in curves.items():
            axes.plot(x, y, label=label)
        axes.set_title(title)
        axes.set_xlabel("step")
        axes.grid(alpha=0.3)
        if shares:
            axes.set_ylim(0, 1)  # half of the pairs are told by chance
        if len(curves) > 1:
            axes.legend()
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None} if path.endswith(".svg") else None)


def _losses(steps: List[Dict[str, Any]]) -> Dict[str, Any]:
    names = {"masked_lm_loss": "words", "pair_loss": "pairs", "loss": "all"}
    found = {label: _points(steps, name) for name, label in names.items()}
    curves = {label: points for label, points in found.items() if points[0]}
    if len(curves) > 1:
        curves.pop("all", None)
    return curves


def _words(evaluations: List[Dict[str, Any]]) -> Dict[str, Any]:
    curves = {"all": _points(evaluations, _WORDS)}
    for kind in evaluations[-1].get(f"{_WORDS}_by_kind", {}):
        by_kind = [
            {"step": one["step"], kind: one[f"{_WORDS}_by_kind"][kind]}
            for one in evaluations
            if kind in one.get(f"{_WORDS}_by_kind", {})
        ]
        curves[kind] = _points(by_kind, kind)
    return curves


def _lines(path: str) -> List[Dict[str, Any]]:
    """Read a file of JSON lines; none if there is no such file."""
    if not os.path.exists(path):
        return []
    try:
        with open(path, encoding="utf-8") as handle:
            return [json.loads(line) for line in handle]
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {path}: {error}") from error


def _points(lines: List[Dict[str, Any]], name: str) -> List[List[float]]:
    there = [line for line in lines if line.get(name) is not None]
    return [[line["step"] for line in there], [line[name] for line in there]]


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Draw, and return the exit code."""
    about = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=about)
    parser.add_argument("model", metavar="MODEL_FOLDER", help="the output of `train`")
    parser.add_argument("picture", metavar="PICTURE.svg", help=".svg, .png or .pdf")
    args = parser.parse_args(argv)
    try:
        draw(args.model, args.picture)
    except (UserError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
