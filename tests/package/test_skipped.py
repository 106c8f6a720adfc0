"""The list at the end of scripts/test.sh: what ran in no part, and why."""

import subprocess
import sys

import pytest

SKIPS = """
import pytest

def test_runs(): pass

@pytest.mark.skipif(True, reason="there is no chromium")
def test_browser(): pass

@pytest.mark.parametrize("package", ["os", "no_such_package"])
def test_package(package): pytest.importorskip(package)
"""
MODULE = "import pytest\npytest.importorskip('no_such_module')\ndef test_a(): pass\n"


def report(folder, name, **files):
    tests = folder / name
    tests.mkdir()
    for module, text in files.items():
        (tests / f"test_{module}.py").write_text(text)
    path = folder / f"{name}.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    options = ["--rootdir", str(tests), f"--junitxml={path}", str(tests)]
    subprocess.run([*command, *options], check=False, capture_output=True, cwd=tests)
    return str(path)


def skipped(*arguments):
    command = [sys.executable, "scripts/skipped.py", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True)


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reports")
    first = report(folder, "first", one=SKIPS, two=MODULE)
    there = SKIPS.replace("importorskip(package)", "importorskip('os')")
    whole = report(folder, "whole", one=there, two="def test_a(): pass")
    return first, whole


def test_each_reason_is_listed_with_its_number(parts):
    result = skipped(parts[0])
    assert result.returncode == 0
    assert [line.split("  ")[-1].strip() for line in result.stdout.splitlines()] == [
        "could not import 'no_such_module': No module named 'no_such_module'",
        "could not import 'no_such_package': No module named 'no_such_package'",
        "there is no chromium",
    ]


def test_what_could_have_run_is_an_error_in_ci(parts):
    result = skipped("--strict", parts[0])
    assert result.returncode == 1
    assert "could not import 'no_such_module'" in result.stderr
    assert "chromium" not in result.stderr
    excuses = ["--excuse", "no_such_module", "--excuse", "no_such_package"]
    assert skipped("--strict", *excuses, parts[0]).returncode == 0


def test_what_ran_in_another_part_is_not_missing(parts):
    result = skipped("--strict", *parts)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.split() == ["1", "test", "there", "is", "no", "chromium"]
