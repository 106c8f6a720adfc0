"""Pairs of commands at the same time, the second up to two seconds after the first.

    python -m tests.campaigns.races --pairs 20 --seed 1

Two that write into one output: one is refused with one sentence, and the output is that of a
command alone. A training and an export of its model: both end well.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time

from pretrain.checkpoint import store
from tests.pretrain.helpers import DATA, MODEL

STEPS = 40
REFUSED = ("is being made by another run: wait for it", "is not empty: choose another --output")


class Races:
    """A folder with a model, its release, and what each command alone makes of them."""

    def __init__(self, folder, seed):
        self._folder, self._rng = folder, random.Random(seed)
        self._count = 0
        self._alone = {}
        with open(os.path.join(folder, "bert_config.json"), "w") as handle:
            json.dump(MODEL, handle)
        self.model = os.path.join(folder, "model")
        self._end([self._start(self.train(self.model, 2))], [0])
        self.release = self.alone("export")

    def train(self, output, steps=STEPS):
        model = os.path.join(self._folder, "bert_config.json")
        sets = [f"bert_config_file={model}", "train_batch_size=8", f"num_train_steps={steps}"]
        sets += ["num_warmup_steps=2", "save_checkpoints_steps=2", "keep_checkpoints=100"]
        words = ["train", "--config", "tests/data/defaults.yaml", "--data", DATA]
        return [*words, "--output", output, *(w for s in sets for w in ("--set", s))]

    def command(self, name, output):
        """The arguments of a command that writes to `output`."""
        form = ["--format", "tf1", "--model"]
        if name == "train":
            return self.train(output)
        return {
            "export": ["export", *form, self.model],
            "import": ["import", "--from", "tf1", self.model],
            "extend": ["vocab", "extend", "--model", self.model, "--pieces", "“", "”"],
        }[name] + ["--output", output]

    def alone(self, name):
        """The output of a command alone."""
        if name not in self._alone:
            output = self._new()
            self._end([self._start(self.command(name, output))], [0])
            self._alone[name] = output
        return self._alone[name]

    def into_one_output(self, name):
        """Run a command twice, and compare its output with that of one alone."""
        expected, output = self.alone(name), self._new()
        first = self._start(self.command(name, output))
        time.sleep(self._rng.uniform(0, 2))
        refused = self._end([first, self._start(self.command(name, output))], [0, 1])
        errors = [line for line in refused[-1].splitlines() if line.startswith("error: ")]
        assert len(errors) == 1, refused
        assert any(sentence in errors[0] for sentence in REFUSED), errors
        assert same(output, expected), f"{name}: {output} is not {expected}"
        beside = [n for n in os.listdir(self._folder) if n.startswith(".")]
        assert not beside, beside

    def train_and_export(self):
        """Export a model that is being trained."""
        expected, output, release = self.alone("train"), self._new(), self._new()
        first = self._start(self.train(output))
        while store.latest(output) is None and first.poll() is None:
            time.sleep(0.1)
        time.sleep(self._rng.uniform(0, 2))
        export = ["export", "--format", "tf1", "--model", output, "--output", release]
        self._end([first, self._start(export)], [0, 0])
        assert same(output, expected)
        weights = store.read(store.find(release))
        saved = [store.read(f"{output}/{store.PREFIX}-{s}") for s in store.saved_steps(output)]
        assert any(equal(weights, store.without_slots(arrays)) for arrays in saved)

    def _new(self):
        self._count += 1
        return os.path.join(self._folder, f"{self._count:03}")

    def _start(self, arguments):
        return subprocess.Popen(
            [sys.executable, "-m", "pretrain", *arguments],
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            universal_newlines=True,
        )

    def _end(self, processes, codes):
        """Wait for processes whose exit codes, sorted, are `codes`. Returns what they said, in that
        order.
        """
        ended = [(process.communicate()[1], process.returncode) for process in processes]
        ended.sort(key=lambda end: end[1])
        assert [code for _, code in ended] == codes, ended
        return [said for said, _ in ended]


def equal(first, second):
    """Return True if two checkpoints hold the same."""
    return set(first) == set(second) and all((first[n] == second[n]).all() for n in first)


def same(first, second):
    """Return True if two outputs have the same files and the same weights."""
    names = [{n for n in os.listdir(f) if not n.startswith("events")} for f in (first, second)]
    return names[0] == names[1] and equal(*(store.read(store.find(f)) for f in (first, second)))


def main():
    """Run the campaign."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        races = Races(folder, args.seed)
        kinds = ["train", "export", "import", "extend", "train/export"]
        for number in range(args.pairs):
            kind = kinds[number % len(kinds)]
            start = time.monotonic()
            if kind == "train/export":
                races.train_and_export()
            else:
                races.into_one_output(kind)
            print(f"{number + 1}: {kind}: as it should be, {time.monotonic() - start:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
