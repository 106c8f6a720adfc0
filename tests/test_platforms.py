"""Both packages on a system that lacks what Windows lacks; see tests/data/windows."""

import filecmp
import glob
import os
import re
import subprocess
import sys

import pytest

pytest.importorskip("tokenizers")

TEXT = "tests/data/segmented.txt"


def run(*arguments):
    """Run Python with that hidden. Returns what it printed."""
    environment = {**os.environ, "PYTHONPATH": os.path.abspath("tests/data/windows")}
    done = subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


IMPORT_ALL = """
import importlib, os, signal, sys
assert not hasattr(signal, "SIGKILL") and not hasattr(os, "fork")
for hidden in ("fcntl", "resource"):
    try:
        importlib.import_module(hidden)
    except ImportError:
        continue
    raise AssertionError(hidden)
for name in sys.argv[1:]:
    importlib.import_module(name)
"""


@pytest.mark.parametrize("package", ["data_gen", "pretrain"])
def test_every_module_can_be_imported(package):
    paths = glob.glob(f"{package}/**/*.py", recursive=True)
    modules = [re.sub(r"/__init__$", "", p[:-3]).replace("/", ".") for p in sorted(paths)]
    assert len(modules) > 50
    run("-c", IMPORT_ALL, *modules)


HELP = """
import contextlib, importlib, io, re, sys
main = importlib.import_module(sys.argv[1] + ".__main__").main

def said(*arguments):
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.suppress(SystemExit):
        main([*arguments, "--help"])
    return out.getvalue()

commands = re.findall(r"^    ([a-z-]+) ", said(), re.M)
assert len(commands) > 5
for command in commands:
    assert said(command).startswith("usage: "), command
"""


@pytest.mark.parametrize("package", ["data_gen", "pretrain"])
def test_every_command_says_what_it_does(package):
    run("-c", HELP, package)


def test_a_build_is_the_same_there(tmp_path):
    build = ["-m", "data_gen", "build", "--config", "configs/data/wwm_128.yaml", "--input", TEXT]
    build += ["--set", "segmenter.name=presegmented", "--set", "num_shards=2"]
    outputs = [str(tmp_path / name) for name in ("there", "here")]
    run(*build, "--workers", "2", "--output", outputs[0])
    subprocess.run([sys.executable, *build, "--output", outputs[1]], check=True)
    assert sorted(os.listdir(outputs[0])) == sorted(os.listdir(outputs[1]))
    shards = [name for name in sorted(os.listdir(outputs[1])) if name.startswith("part-")]
    assert filecmp.cmpfiles(*outputs, shards, shallow=False)[0] == shards
