"""Run damaged data sets and checkpoints through the commands: `python -m tests.campaigns.hostile`.

Each case runs in a process of its own, forked after TensorFlow was imported, so that a crash is
seen and costs nothing. A command may succeed only with the result that it has on whole files, or
fail with one sentence; it may not be ended by a signal, nor take much longer than on whole files.
"""

import argparse
import contextlib
import io
import json
import os
import random
import re
import select
import signal
import sys
import tempfile
import time
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import tensorflow  # noqa: F401

from data_gen.__main__ import main as data_gen
from pretrain.__main__ import main as pretrain
from tests.campaigns import damaged_data, damaged_models
from tests.pretrain.helpers import DATA, PLAIN

SECONDS = 20  # beyond the time on whole files
OF_DATA = ("stats", "plan", "verify", "show", "evaluate", "train")
OF_MODELS = ("evaluate", "export", "init", "resume")


class Campaign:
    """The commands, and their results on whole files."""

    def __init__(self, folder):
        self.folder = folder
        self.model = os.path.join(folder, "model")
        self.config = os.path.join(folder, "bert_config.json")
        with open(self.config, "w") as handle:
            json.dump(PLAIN, handle)
        self._apart(lambda: self.run("train", DATA, self.model, self.model), 300)
        self.whole = {}

    def expect(self, commands):
        """Note the results of commands on whole files, with their seconds."""
        found = self.results(DATA, self.model, commands, 300)
        self.whole.update({name: result for name, *result in found})
        bad = {name: result for name, result in self.whole.items() if result[0]}
        assert not bad, bad

    def arguments(self, command, data, model, output):
        """The program and the words of a command; `output` is a new folder."""
        settings = [f"bert_config_file={self.config}", "train_batch_size=8", "num_train_steps=3"]
        settings += ["num_warmup_steps=1", "save_checkpoints_steps=3", "log_steps=1"]
        config = ["--config", "configs/pretrain/tiny.yaml"]
        config += [word for setting in settings for word in ("--set", setting)]
        words = {
            "stats": [data],
            "verify": [data, "--workers", "1"],
            "show": [data, "-n", "200"],
            "plan": [*config, "--data", data],
            "evaluate": ["--model", model, "--data", data],
            "train": ["train", *config, "--data", data, "--output", output],
            "init": ["train", *config, "--data", data, "--output", output, "--init", model],
            "resume": ["train", *config, "--data", data, "--output", model],
            "export": ["--format", "tf1", "--model", model, "--output", output],
        }[command]
        program = data_gen if command in ("stats", "verify", "show") else pretrain
        return program, words if words[0] == "train" else [command, *words]

    def run(self, command, data, model, output):
        """Run a command in this process: [exit code, what it shows, errors]."""
        program, words = self.arguments(command, data, model, output)
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = program(words)
            except SystemExit as error:
                code = error.code
        shown = out.getvalue()
        if code == 0 and words[0] == "train":
            shown += losses(os.path.join(model if command == "resume" else output))
        for path, name in ((output, "OUT"), (model, "MODEL"), (data, "DATA")):
            shown = shown.replace(path, name)
        return [code, shown, err.getvalue()]

    def results(self, data, model, commands, limit=None):
        """Run commands in another process: (name, exit code, output, errors, seconds) of each; the
        code is None where the process was ended, by a signal or for want of an end.
        """
        found, left = [], list(commands)
        while left:
            some, ended = self._apart(lambda: None, limit, (data, model, tuple(left)))
            found += some
            left = left[len(some) :]
            if left:
                found.append([left.pop(0), None, "", ended, 0.0])
        return found

    def _apart(self, work, limit, case=None):
        """Run in a forked process. Returns the results that came, and how it ended otherwise."""
        reader, writer = os.pipe()
        pid = os.fork()
        if not pid:
            os.close(reader)
            self._child(work, case, writer)
        os.close(writer)
        lines, ended = b"", ""
        while True:
            done = lines.count(b"\n")
            seconds = limit or SECONDS + 4 * self.whole[case[2][done]][3] if case else limit
            if not select.select([reader], [], [], seconds)[0]:
                os.kill(pid, signal.SIGKILL)
                ended = f"it ran for more than {seconds:.0f} s"
                break
            data = os.read(reader, 1 << 16)
            if not data:
                break
            lines += data
            if case and lines.count(b"\n") == len(case[2]):
                break
        os.close(reader)
        _, status = os.waitpid(pid, 0)
        if os.WIFSIGNALED(status) and not ended:
            ended = f"it was ended by signal {os.WTERMSIG(status)}"
        return [json.loads(line) for line in lines.splitlines()], ended or f"status {status}"

    def _child(self, work, case, writer):
        """Never returns: an error that left this function would clean up the parent's folders."""
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        code = 1
        try:
            work()
            for command in case[2] if case else ():
                start = time.perf_counter()
                with tempfile.TemporaryDirectory(dir=self.folder) as output:
                    result = self.run(command, case[0], case[1], os.path.join(output, "out"))
                line = [command, *result, time.perf_counter() - start]
                os.write(writer, json.dumps(line).encode() + b"\n")
            code = 0
        finally:
            os._exit(code)

    def judge(self, name, code, shown, errors, seconds):
        """Say what is wrong with a result; empty if nothing is."""
        said = [line for line in errors.splitlines() if line.startswith("error: ")]
        if code is None:
            return errors
        if "unexpected" in errors or "Traceback" in errors or "Graph execution" in errors:
            return errors[-500:]
        # A report may lack a row that dataset.json lacks, but show no other number.
        if code == 0 and not set(shown.split()) <= set(self.whole[name][1].split()):
            return f"another result: {shown[:300]}"
        if code and len(said) != 1:
            return f"{len(said)} sentences: {errors[-500:]}"
        if seconds > SECONDS + 4 * self.whole[name][3]:
            return f"it took {seconds:.0f} s"
        return ""


def losses(folder):
    """The losses of a training, as text."""
    with open(os.path.join(folder, "metrics.jsonl"), encoding="utf-8") as handle:
        steps = [json.loads(line) for line in handle]
    return "".join(f"{step['step']} {step['loss']}\n" for step in steps)


def cases(kinds):
    """(kind, name, the maker of its folder, damage, commands) of all cases."""
    if "data" in kinds:
        for name, damage in damaged_data.DAMAGES.items():
            yield "data", name, damaged_data.make, damage, OF_DATA
    if "models" in kinds:
        for name, damage in damaged_models.DAMAGES.items():
            yield "models", name, damaged_models.make, damage, OF_MODELS
    if "fields" in kinds:
        for name, damage in damaged_data.field_damages(DATA).items():
            yield "fields", name, damaged_data.make, damage, ("stats", "plan", "show", "verify")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", nargs="+", default=["data", "models", "fields"])
    parser.add_argument("--count", type=int, help="cases of each kind, drawn by the seed")
    parser.add_argument("--match", default="", help="only cases whose names have a match of this")
    parser.add_argument("--fast", action="store_true", help="no training")
    args = parser.parse_args()
    found = []
    for kind in args.kinds:
        some = [case for case in cases([kind]) if re.search(args.match, case[1])]
        rng = random.Random(f"{args.seed}/{kind}")
        found += rng.sample(some, min(args.count or len(some), len(some)))
    with tempfile.TemporaryDirectory() as folder:
        campaign = Campaign(folder)
        skipped = ("train", "init", "resume") if args.fast else ()
        wanted = [name for case in found for name in case[4] if name not in skipped]
        campaign.expect([name for name in (*OF_DATA, *OF_MODELS) if name in wanted])
        bad = sum(_run(campaign, case, args.seed, skipped) for case in found)
    print(f"{len(found)} cases, {bad} with a mistake")
    return int(bad > 0)


def _run(campaign, case, seed, skipped):
    kind, name, make, damage, commands = case
    rng = random.Random(f"{seed}/{kind}/{name}")
    with tempfile.TemporaryDirectory(dir=campaign.folder) as folder:
        target = os.path.join(folder, "case")
        if kind == "models":
            data, model, source = DATA, target, campaign.model
            _, ended = campaign._apart(lambda: make(source, target, damage, rng), 60)
            assert ended == "status 0", f"{name} could not be made: {ended}"
        else:
            data, model = target, campaign.model
            make(DATA, target, damage, rng)
        commands = [command for command in commands if command not in skipped]
        problems = []
        for result in campaign.results(data, model, commands):
            problem = campaign.judge(*result)
            if problem:
                problems.append(f"{kind}, {name}, {result[0]}: {problem}")
            elif os.environ.get("VERBOSE"):
                print(f"{kind}, {name}, {result[0]}: {result[1]} {result[3].strip()[-300:]}")
    for problem in problems:
        print(problem, flush=True)
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
