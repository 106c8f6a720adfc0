"""A training that is asked to stop, by a signal, while it computes or while its input hangs."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest

from pretrain.__main__ import main
from pretrain.checkpoint import store
from pretrain.train.step import TrainStep
from tests.pretrain.helpers import DATA

STOPPED = r"stopped by {} after step (\d+); the same command resumes\n"


def command(model_file, data, output, *more):
    sets = [f"bert_config_file={model_file}", "train_batch_size=8", "num_train_steps=100000"]
    sets += ["num_warmup_steps=2", "save_checkpoints_steps=50000", "log_steps=1", *more]
    words = ["train", "--config", "tests/data/defaults.yaml", "--data", data, "--output", output]
    return words + [word for setting in sets for word in ("--set", setting)]


@pytest.fixture
def start(model_file, tmp_path):
    """Start a training in a process of its own. Returns it and what it has said, at step 2."""
    started = []

    def run(data):
        process = subprocess.Popen(
            [sys.executable, "-m", "pretrain", *command(model_file, data, str(tmp_path / "model"))],
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
            stderr=subprocess.PIPE,
            universal_newlines=True,
            # The shell may ignore Ctrl-C for what runs in the background.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        started.append(process)
        said = []
        for line in process.stderr:
            said.append(line)
            if line.startswith("step 2 of"):
                return process, said
        raise AssertionError("".join(said))

    yield run
    for process in started:
        process.kill()
        process.communicate()


def ended(process, said):
    """What a process said to its end, at most 20 seconds from now, and its exit code."""
    rest = process.communicate(timeout=20)[1]
    return "".join(said) + rest, process.returncode


def hanging(data):
    """Replace the shards by pipes that nobody writes into: the next epoch waits for ever."""
    for name in os.listdir(data):
        if name.startswith("part-"):
            os.remove(os.path.join(data, name))
            os.mkfifo(os.path.join(data, name))


@pytest.mark.parametrize(
    ("number", "name", "code"), [(signal.SIGTERM, "SIGTERM", 0), (signal.SIGINT, "Ctrl-C", 130)]
)
def test_it_saves_while_its_input_hangs(start, tmp_path, number, name, code):
    data = str(tmp_path / "data")
    shutil.copytree(DATA, data)
    process, said = start(data)
    hanging(data)
    steps = ["2"]
    deadline = time.monotonic() + 120
    while int(steps[-1]) % 9 and time.monotonic() < deadline:  # 78 records fill 9 batches of 8
        said.append(process.stderr.readline())
        steps = re.findall(r"^step (\d+) of", said[-1], re.M) or steps
    process.send_signal(number)
    text, returned = ended(process, said)
    assert returned == code
    (step,) = re.findall(STOPPED.format(name), text)
    assert step == steps[-1]
    assert store.latest(str(tmp_path / "model")).endswith(f"model.ckpt-{step}")


def test_a_second_ctrl_c_quits_at_once(start, tmp_path):
    data = str(tmp_path / "data")
    shutil.copytree(DATA, data)
    process, said = start(data)
    hanging(data)
    for _ in range(7):
        said.append(process.stderr.readline())
    process.send_signal(signal.SIGINT)
    said.append(process.stderr.readline())
    process.send_signal(signal.SIGINT)
    text, returned = ended(process, said)
    assert returned == 130
    assert text.endswith(
        "Ctrl-C: saving after this step; Ctrl-C again quits at once\n"
        "quit; the same command resumes from the last checkpoint\n"
    )
    assert store.latest(str(tmp_path / "model")) is None


def test_ctrl_c_saves_and_says_the_step(model_file, tmp_path, capsys, monkeypatch):
    original, calls = TrainStep.__call__, []

    def interrupted_in_step_3(self, batch, stop):
        calls.append(batch)
        if len(calls) == 3:
            os.kill(os.getpid(), signal.SIGINT)
        return original(self, batch, stop)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    monkeypatch.setattr(TrainStep, "__call__", interrupted_in_step_3)
    assert main(command(model_file, DATA, str(tmp_path))) == 130
    monkeypatch.undo()
    captured = capsys.readouterr()
    (step,) = re.findall(STOPPED.format("Ctrl-C"), captured.err)
    assert step in "34"
    assert captured.out == ""
    assert store.latest(str(tmp_path)).endswith(f"model.ckpt-{step}")
    assert signal.signal(signal.SIGINT, before) is signal.default_int_handler
    # as one that was never stopped
    assert main(command(model_file, DATA, str(tmp_path), "num_train_steps=5")) == 1
    assert "another training (num_train_steps is" in capsys.readouterr().err


# A command whose shards become pipes that nobody writes into, once a function has returned.
SWAPPED = """
import importlib, os, sys
module, name, data, *sys.argv[1:] = sys.argv[1:]
module = importlib.import_module(module)
original = getattr(module, name)

def swapped(*arguments, **more):
    result = original(*arguments, **more)
    for shard in os.listdir(data):
        if shard.startswith("part-"):
            os.remove(os.path.join(data, shard))
            os.mkfifo(os.path.join(data, shard))
    print("waits", file=sys.stderr, flush=True)
    return result

setattr(module, name, swapped)
import pretrain.__main__
sys.exit(pretrain.__main__.console())
"""


@pytest.mark.parametrize(
    ("place", "more", "said"),
    [
        ("pretrain.train.loop open_datasets", [], "interrupted; run the same command again"),
        ("pretrain.train.loop open_datasets", ["--no-verify"], "stopped by Ctrl-C after step 0;"),
        ("pretrain.evaluate.measure open_data", None, "interrupted; run the same command again"),
        ("pretrain.evaluate.measure verify", None, "interrupted; run the same command again"),
    ],
    ids=["train, checksums", "train, first batch", "evaluate, checksums", "evaluate, first batch"],
)
def test_ctrl_c_ends_a_command_whose_input_hangs_from_the_start(
    model_file, trained, tmp_path, place, more, said
):
    data, output = str(tmp_path / "data"), str(tmp_path / "model")
    shutil.copytree(DATA, data)
    words = ["evaluate", "--model", trained, "--data", data]
    if more is not None:
        words = [*command(model_file, data, output), *more]
    process = subprocess.Popen(
        [sys.executable, "-c", SWAPPED, *place.split(), data, *words],
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        stderr=subprocess.PIPE,
        universal_newlines=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    lines = []
    try:
        # TensorFlow's first batch is asked for after the last line; the checksums at once.
        last = "is at step 0" if more else "waits"
        while last not in (lines or [""])[-1]:
            lines.append(process.stderr.readline())
            assert lines[-1], "".join(lines)
        time.sleep(0.2 if place.endswith("open_data") else 5)
        process.send_signal(signal.SIGINT)
        text, returned = ended(process, lines)
    finally:
        process.kill()
        process.communicate()
    assert returned == 130
    assert said in text
