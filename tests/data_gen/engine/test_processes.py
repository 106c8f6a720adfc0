import json
import multiprocessing
import os
import signal
import threading
import time

import pytest

from data_gen.engine.processes import LocalEngine
from data_gen.shared.errors import UserError


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


def end_by(number):
    if number > 0:
        os.kill(os.getpid(), number)
    os._exit(-number)


@pytest.mark.parametrize("others", [2, 6])
@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (signal.SIGKILL, "a worker was ended by SIGKILL, perhaps for want of memory: use fewer"),
        (signal.SIGABRT, "a worker was ended by SIGABRT within a package .* a damaged model"),
        (signal.SIGSEGV, "a worker was ended by SIGSEGV within a package"),
        (signal.SIGTERM, "a worker was ended by SIGTERM: give the command again"),
        (-7, "a worker ended with exit code 7 within a package"),
    ],
)
def test_a_worker_that_dies_is_named_with_its_signal(number, sentence, others):
    with pytest.raises(UserError, match=sentence):
        list(LocalEngine(2).run(end_by, [number] * others))


def test_a_worker_that_dies_while_it_loads_ahead_is_an_error():
    engine = LocalEngine(2)
    engine.expect(5, end_by, signal.SIGABRT)
    with pytest.raises(UserError, match="a worker was ended by SIGABRT"):
        list(engine.run(json.dumps, range(1000)))


def test_workers_see_no_interrupt():
    assert list(LocalEngine(2).run(interrupts_are_blocked, [1, 2])) == [True, True]
    assert not interrupts_are_blocked(None)


def test_nothing_goes_on_after_an_error(tmp_path):
    path = str(tmp_path / "x")
    for _ in LocalEngine(2).run(write_later, ["", path]):
        break
    assert not os.path.exists(path)


def note_process(folder):
    with open(os.path.join(folder, str(os.getpid())), "w"):
        pass


def process(task):
    return os.getpid()


def test_processes_load_ahead_and_live_from_run_to_run(tmp_path):
    engine = LocalEngine(2)
    engine.expect(5, note_process, str(tmp_path))
    seen = {*engine.run(process, range(20)), *engine.run(process, range(20))}
    loaded = {int(name) for name in os.listdir(tmp_path)}
    assert loaded
    assert len(seen | loaded) <= 2
    assert os.getpid() not in seen | loaded


def test_no_process_and_no_thread_is_left_when_an_engine_is_closed(tmp_path):
    before = set(threading.enumerate())  # other tests' servers may be among them
    engine = LocalEngine(2)
    engine.expect(5, note_process, str(tmp_path))
    ours = set(engine.run(process, range(20)))
    engine.close()
    engine.close()  # again is no mistake
    assert not ours & {child.pid for child in multiprocessing.active_children()}
    assert set(threading.enumerate()) <= before
    assert sorted(engine.run(abs, [-1, -2])) == [1, 2]  # it starts new ones
    engine.close()


@pytest.mark.parametrize(("workers", "tasks"), [(1, 5), (2, 1)])
def test_nothing_is_loaded_ahead_where_this_process_does_the_work(tmp_path, workers, tasks):
    engine = LocalEngine(workers)
    engine.expect(tasks, note_process, str(tmp_path))
    assert list(engine.run(process, range(tasks))) == [os.getpid()] * tasks
    assert os.listdir(tmp_path) == []


def test_a_mistake_while_loading_ahead_is_left_to_the_tasks():
    engine = LocalEngine(2)
    engine.expect(5, os.listdir, "/nowhere")
    assert sorted(engine.run(json.dumps, [1, 2, 3])) == ["1", "2", "3"]
