"""The part of the campaign of damaged files that CI runs: seeded, without trainings, which read
records as `evaluate` does. `python -m tests.campaigns.hostile` runs all of it.
"""

import subprocess
import sys

import pytest

pytest.importorskip("tensorflow")


@pytest.mark.parametrize(("kind", "count"), [("data", 4), ("models", 4), ("fields", 12)])
def test_damaged_files_are_one_sentence_and_no_number(kind, count):
    words = ["--kinds", kind, "--count", str(count), "--fast", "--seed", "7"]
    command = [sys.executable, "-m", "tests.campaigns.hostile", *words]
    found = subprocess.run(command, stdout=subprocess.PIPE, encoding="utf-8", check=False)
    assert found.returncode == 0, found.stdout
    assert f"{count} cases, 0 with a mistake" in found.stdout
