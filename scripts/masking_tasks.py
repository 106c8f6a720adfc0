"""Parts of compare_masking.sh: the tasks' folders, and the rate that is best on dev.

python scripts/masking_tasks.py folders DATA OUTPUT
python scripts/masking_tasks.py rate FOLDER   # of FOLDER/RATE-MODEL, outputs of finetune
"""

import argparse
import glob
import os
import sys
from typing import Dict, List, Optional, Sequence

# A clone needs not be installed.
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from pretrain.results.files import read_results
from pretrain.tasks.examples import TextExample
from pretrain.tasks.read_texts import read_classification
from pretrain.tasks.split import split
from pretrain.tasks.tasks import TASKS

_SEED = 1


def folders(data: str, output: str) -> None:
    """Write the folders of the tasks. OCNLI's dev part is the test part; XNLI, CMRC and DRCD learn
    from their dev part; waimai is split by a hash of the text, a tenth for dev and a tenth for
    test.
    """
    names = {
        "chnsenticorp": {f"{part}.tsv": f"{part}.tsv" for part in ("train", "dev", "test")},
        "ocnli": {"train.json": "train.10k.json", "test.json": "dev.json"},
        "xnli": {"train.tsv": "dev.tsv", "test.tsv": "test.tsv"},
        "cmrc2018": {"train.json": "cmrc2018_dev.json", "test.json": "cmrc2018_trial.json"},
        "drcd": {"train.json": "DRCD_dev.json", "test.json": "DRCD_test.json"},
    }
    for task, parts in names.items():
        os.makedirs(os.path.join(output, task), exist_ok=True)
        for name, source in parts.items():
            with open(os.path.join(data, task, source), "rb") as handle:
                _write(os.path.join(output, task, name), handle.read())
    every = read_classification(os.path.join(data, "waimai", "waimai_10k.csv"))
    rest, test = split(every, 0.1, _SEED)
    train, dev = split(rest, 1 / 9, _SEED + 1)
    os.makedirs(os.path.join(output, "waimai"), exist_ok=True)
    for part, examples in (("train", train), ("dev", dev), ("test", test)):
        _write(os.path.join(output, "waimai", f"{part}.tsv"), _table(examples))


def _table(examples: List[TextExample]) -> bytes:
    lines = [f"{example.label}\t{example.text}\n" for example in examples]
    return "".join(["label\ttext\n", *lines]).encode()


def _write(path: str, content: bytes) -> None:
    with open(path, "wb") as handle:
        handle.write(content)


def best_rate(folder: str) -> str:
    """Return the rate with the best mean on dev over all models, of the task's first measure."""
    scores: Dict[str, List[float]] = {}
    for path in glob.glob(os.path.join(folder, "*-*")):
        rate = os.path.basename(path).rpartition("-")[0]
        results = read_results(path)
        measure = TASKS[results.task].measures[0]
        scores.setdefault(rate, []).append(results.runs[0].scores["dev"][measure])
    return max(scores, key=lambda rate: (sum(scores[rate]) / len(scores[rate]), rate))


def main(argv: Optional[Sequence[str]] = None) -> None:
    """Run one of the two parts."""
    about = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=about)
    parts = parser.add_subparsers(dest="part", metavar="PART")
    parts.required = True
    of_folders = parts.add_parser("folders", help="write the folders of the three tasks")
    of_folders.add_argument("data", metavar="DATA")
    of_folders.add_argument("output", metavar="OUTPUT")
    of_rate = parts.add_parser("rate", help="print the rate that is best on dev")
    of_rate.add_argument("folder", metavar="FOLDER")
    args = parser.parse_args(argv)
    if args.part == "folders":
        folders(args.data, args.output)
    else:
        print(best_rate(args.folder))


if __name__ == "__main__":
    main()
