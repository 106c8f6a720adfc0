"""The scripts of a clone: their help starts nothing, and a mistake is one sentence."""

import glob
import os
import shutil
import subprocess
import sys

import pytest

from tests.conftest import ROOT

SHELL = sorted(set(glob.glob("scripts/*.sh")) - {"scripts/common.sh"})
PYTHON = sorted(glob.glob("scripts/*.py"))


@pytest.fixture
def tree(tmp_path):
    """A copy of what the scripts need; nothing of it may change."""
    shutil.copytree(os.path.join(ROOT, "scripts"), tmp_path / "scripts")
    shutil.copytree(os.path.join(ROOT, ".ci"), tmp_path / ".ci")
    for name in ("data_gen", "pretrain", "configs", "setup.cfg", "setup.py", "pyproject.toml"):
        os.symlink(os.path.join(ROOT, name), tmp_path / name)
    return tmp_path


def run(tree, *command):
    return subprocess.run(
        command, cwd=tree, capture_output=True, text=True, check=False, timeout=120
    )


def files(tree):
    return sorted(p for p in glob.glob(f"{tree}/**", recursive=True) if "__pycache__" not in p)


@pytest.mark.parametrize("script", [*SHELL, ".ci/run"])
@pytest.mark.parametrize("option", ["--help", "-h", "--nonsense"])
def test_help_of_a_shell_script_prints_its_usage_and_starts_nothing(tree, script, option):
    before = files(tree)
    result = run(tree, "bash", script, option)
    known = option != "--nonsense"
    assert result.returncode == (0 if known else 2)
    said = result.stdout if known else result.stderr
    assert f"bash {script}" in said
    assert known or said.startswith("there is no option --nonsense:\n")
    assert files(tree) == before


@pytest.mark.parametrize(
    "script",
    ["scripts/quickstart.sh", "scripts/finetune_quickstart.sh", "scripts/test.sh", ".ci/run"],
)
def test_a_script_without_arguments_takes_none(tree, script):
    before = files(tree)
    assert run(tree, "bash", script, "data").returncode == 2
    assert files(tree) == before


@pytest.mark.parametrize("script", PYTHON)
def test_help_of_a_python_script_and_wrong_usage(tree, script):
    result = run(tree, sys.executable, script, "--help")
    assert result.returncode == 0
    assert result.stdout.startswith(f"usage: {os.path.basename(script)} ")
    result = run(tree, sys.executable, script)
    assert (result.returncode, "Traceback" in result.stderr) == (2, False)


def test_without_a_quickstart_nothing_is_fine_tuned(tree):
    before = files(tree)
    result = run(tree, "bash", "scripts/finetune_quickstart.sh")
    assert result.returncode == 1
    assert result.stderr == "there is no model yet: bash scripts/quickstart.sh makes it\n"
    assert files(tree) == before
