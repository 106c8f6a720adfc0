"""Print what a run of quickstart.sh has made: `python scripts/summary.py work/quickstart`."""

import argparse
import json
import os
import sys
from typing import Any, Dict, List, Optional, Sequence

# A clone needs not be installed.
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from data_gen.shared.dataset.dataset_info import read_info
from data_gen.shared.errors import UserError
from pretrain.results.files import read_results
from pretrain.results.statistics import summary as summary_of


def summary(folder: str) -> Dict[str, str]:
    """Read the rows of the table from the files of a run."""
    info = read_info(os.path.join(folder, "data"))
    statistics = info.manifest["statistics"]
    megabytes = sum(file["bytes"] for file in info.manifest["input"]) / 1e6
    steps = _metrics(os.path.join(folder, "model", "metrics.jsonl"))
    with open(os.path.join(folder, "evaluation.json"), encoding="utf-8") as handle:
        evaluation = json.load(handle)
    with open(os.path.join(folder, "ltp", "source.txt"), encoding="utf-8") as handle:
        segmenter = handle.read().strip()
    masked, pairs = evaluation["masked_lm_loss"], evaluation["pair_loss"]
    kinds = evaluation["masked_lm_accuracy_by_kind"]
    by_kind = ", ".join(f"{kind} {share:.1%}" for kind, share in kinds.items())
    rate = sum(step["tokens_per_second"] for step in steps) / len(steps)
    megabytes_per_second = megabytes / sum(statistics["cpu_seconds"].values())
    return {
        "segmenter": segmenter,
        "sentences": f"{statistics['sentences']:,} ({megabytes:.1f} MB of text)",
        "instances": f"{info.examples:,} of {info.max_seq_length} pieces",
        "data generation": f"{megabytes_per_second:.2f} MB/s a core",
        "training": f"{steps[-1]['step']:,} steps, {rate:,.0f} tokens/s",
        "loss, first": _loss(steps[0]) + f", mean of steps 1-{steps[0]['step']}",
        "loss, last": _loss(steps[-1]),
        "loss, held-out": f"{masked + pairs:.3f} (words {masked:.3f}, pairs {pairs:.3f})",
        "MLM accuracy": f"{evaluation['masked_lm_accuracy']:.1%} of "
        f"{evaluation['masked_pieces']:,} masked pieces, held-out ({by_kind})",
        "SOP accuracy": f"{evaluation['pair_accuracy']:.1%} of {evaluation['examples']:,} pairs, "
        "held-out",
        "1,600 reviews": f"accuracy {_accuracy(folder, 'model')}; from random weights "
        f"{_accuracy(folder, 'none')}",
        "data": info.folder,
        "model": evaluation["checkpoint"],
        "release": os.path.join(folder, "release"),
    }


def _accuracy(folder: str, start: str) -> str:
    """Read the mean accuracy on test of the fine-tunings that began with `start`."""
    results = read_results(os.path.join(folder, f"reviews-{start}"))
    found = summary_of(results.of("test", "accuracy"))
    return f"{found.mean:.1%} (mean of {found.n} runs, sd {found.sd:.1%})"


def _loss(step: Dict[str, Any]) -> str:
    return f"{step['loss']:.3f} (words {step['masked_lm_loss']:.3f}, pairs {step['pair_loss']:.3f})"


def _metrics(path: str) -> List[Dict[str, Any]]:
    with open(path, encoding="utf-8") as handle:
        return [json.loads(line) for line in handle]


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Print the table, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", metavar="FOLDER", help="work/quickstart, of a whole run")
    folder = parser.parse_args(argv).folder
    try:
        rows = summary(folder)
    except (OSError, UserError) as error:
        print(f"error: {folder} is not of a whole run of quickstart.sh: {error}", file=sys.stderr)
        return 1
    print()
    for name, value in rows.items():
        print(f"{name:16} {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
