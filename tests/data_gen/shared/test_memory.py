"""Python's search for garbage: stopped where it finds nothing, and on again afterwards."""

import gc
import os
import subprocess
import sys

import pytest

from data_gen.shared.memory import no_search_for_garbage


@pytest.mark.parametrize("was_on", [True, False])
def test_the_search_is_on_again_as_it_was(was_on):
    before = gc.isenabled()
    (gc.enable if was_on else gc.disable)()
    try:
        with pytest.raises(ZeroDivisionError), no_search_for_garbage():
            1 / int(gc.isenabled())
        assert gc.isenabled() is was_on
    finally:
        (gc.enable if before else gc.disable)()


@pytest.mark.parametrize("end", ["return 3", "raise SystemExit(3)"])
def test_the_end_of_a_program_passes_over_its_objects(end):
    """The interpreter's last searches see nothing of what the command left."""
    script = f"""
import atexit, gc, sys
from data_gen.shared.console import run_program

def main():
    kept.extend([] for _ in range(50_000))
    {end}

kept = []
atexit.register(lambda: print(gc.get_freeze_count() > 50_000, len(gc.get_objects()) < 10_000))
sys.exit(run_program(main))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.stdout, done.stderr, done.returncode) == ("True True\n", "", 3)


def test_a_command_searches_seldom_and_goes_on_searching():
    script = """
import gc
import data_gen.__main__ as program
program.run_program = lambda main: print(gc.isenabled(), gc.get_threshold()[0])
program.console()
"""
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment
    )
    assert (done.stdout, done.stderr) == ("True 20000\n", "")
