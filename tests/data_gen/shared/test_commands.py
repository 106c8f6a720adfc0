import argparse
import os
import subprocess
import sys

import pytest

from data_gen.shared.commands import number, positive, run_command
from tests.data_gen.helpers import GOLDEN


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (positive, "1", 1),
        (positive, "12", 12),
        (number(0, 65535, "a port", int), "0", 0),
        (number(0.98, 1, "a share"), "0.98", 0.98),
        (number(0.98, 1, "a share"), "1", 1.0),
    ],
)
def test_numbers_in_range(parse, text, value):
    assert parse(text) == value


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        *((positive, text) for text in ("0", "-1", "1.5", "many", "")),
        *((number(0, 1, "a share"), text) for text in ("nan", "1.01", "-0.1", "inf", "a")),
        (number(0, 65535, "a port", int), "65536"),
    ],
)
def test_other_text_is_an_error_that_says_what_is_wanted(parse, text):
    with pytest.raises(argparse.ArgumentTypeError, match=f"^{text} is not a "):
        parse(text)


@pytest.mark.parametrize("command", [["stats", GOLDEN], ["show", GOLDEN, "-n", "70"]])
def test_a_reader_that_has_seen_enough_is_no_error(command):
    """As `| head -1`: the other end of the pipe is closed."""
    read, write = os.pipe()
    os.close(read)
    try:
        result = subprocess.run(
            [sys.executable, "-m", "data_gen", *command],
            stdout=write,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(write)
    assert (result.returncode, result.stderr) == (0, "")


def test_another_broken_pipe_is_an_error(capsys):
    parser = argparse.ArgumentParser()

    def run(args):
        raise BrokenPipeError(32, "Broken pipe", "the worker")

    parser.set_defaults(run=run, debug=False)
    assert run_command(parser, []) == 1
    assert capsys.readouterr().err == "error: the worker: Broken pipe\n"
