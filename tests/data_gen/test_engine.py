import json
import os
import signal
import time

import pytest

from data_gen.engine import LocalEngine
from data_gen.settings import UserError
from tests.data_gen import killer


def interrupts_are_blocked(task):
    return signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def write_later(path):
    if path:
        time.sleep(2)
        with open(path, "w"):
            pass


@pytest.mark.parametrize("workers", [1, 2])
def test_every_result_comes_back(workers):
    assert sorted(LocalEngine(workers).run(json.dumps, [1, 2, 3])) == ["1", "2", "3"]
    assert list(LocalEngine(workers).run(json.dumps, [])) == []


def test_a_worker_that_dies_is_an_error():
    with pytest.raises(UserError, match="a worker was killed"):
        list(LocalEngine(2).run(killer.kill_yourself, [1, 2, 3]))


def test_workers_see_no_interrupt():
    assert list(LocalEngine(2).run(interrupts_are_blocked, [1, 2])) == [True, True]
    assert not interrupts_are_blocked(None)


def test_nothing_goes_on_after_an_error(tmp_path):
    path = str(tmp_path / "x")
    for _ in LocalEngine(2).run(write_later, ["", path]):
        break
    assert not os.path.exists(path)
