"""The Dockerfile: a linter's opinion, and that it names what is there."""

import configparser
import os
import re
import shutil
import subprocess
import sys

import pytest

BESIDE_PYTHON = os.path.join(os.path.dirname(sys.executable), "hadolint")
HADOLINT = shutil.which("hadolint") or shutil.which(BESIDE_PYTHON)


def instructions():
    """(name, arguments) of each instruction."""
    with open("Dockerfile", encoding="utf-8") as handle:
        lines = [line.strip() for line in handle if line.strip() and not line.startswith("#")]
    return [tuple(line.split(" ", 1)) for line in lines]


@pytest.mark.skipif(not HADOLINT, reason="there is no hadolint")
def test_hadolint_finds_nothing():
    result = subprocess.run(
        [HADOLINT, "Dockerfile"], capture_output=True, text=True, check=False, timeout=120
    )
    assert (result.returncode, result.stdout) == (0, "")


def test_what_is_copied_is_there_and_not_ignored():
    with open(".dockerignore", encoding="utf-8") as handle:
        rules = [line.strip() for line in handle if line.strip() and not line.startswith("#")]
    kept = {rule[1:] for rule in rules if rule.startswith("!")}
    copied = set()
    for name, arguments in instructions():
        if name == "COPY" and not arguments.startswith("--from"):
            copied.update(arguments.split()[:-1])
    assert rules[0] == "*"
    assert copied == kept
    assert all(os.path.exists(name) for name in copied)


def test_the_extras_are_extras_and_the_modules_are_packages():
    parser = configparser.ConfigParser()
    parser.read("setup.cfg", encoding="utf-8")
    extras = parser["options.extras_require"]
    said = dict(instructions())
    assert said["ARG"] == "TRAINER=train"
    for name in ("data", "train", "gpu"):
        assert name in extras
    assert "[data,${TRAINER}]" in " ".join(words for name, words in instructions() if name == "RUN")
    assert said["USER"] != "root"
    assert said["ENTRYPOINT"] == '["python", "-m"]'
    (module,) = re.findall(r'"(\w+)", "--help"', said["CMD"])
    assert os.path.exists(os.path.join(module, "__main__.py"))
