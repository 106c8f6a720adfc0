import json
import sys

import pytest

from data_gen.__main__ import main
from data_gen.core import progress
from data_gen.core.progress import Amount, log_json, show_progress
from tests.data_gen.helpers import SEGMENTED

MAPPED = Amount(documents=3, bytes=2_000_000, instances=10)
SCANNED = Amount(bytes=5_000_000)


def itself(result):
    return result


@pytest.fixture
def clock(monkeypatch):
    """Seconds pass as results are made."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])

    def results(seconds, items):
        for item in items:
            now[0] += seconds
            yield item

    return results


def test_lines_for_people(clock, capsys):
    assert list(show_progress("map", 4, clock(8.0, [MAPPED] * 4), itself)) == [MAPPED] * 4
    assert capsys.readouterr().err.splitlines() == [
        "map: 2 of 4, 6 documents, 0.25 MB/s, 1 instances/s, 16 s left",
        "map: 4 of 4, 12 documents, 0.25 MB/s, 1 instances/s, 0 s left",
    ]
    scanned = [SCANNED, Amount()]
    assert list(show_progress("scan", 2, clock(20.0, scanned), itself)) == scanned
    assert capsys.readouterr().err.splitlines() == [
        "scan: 1 of 2, 0.25 MB/s, 20 s left",
        "scan: 2 of 2, 0.12 MB/s, 0 s left",
    ]
    list(show_progress("map", 4, clock(1.0, [MAPPED] * 4), itself))
    assert capsys.readouterr().err == ""
    assert list(show_progress("words", 1, clock(20.0, ["a"]))) == ["a"]
    assert capsys.readouterr().err == "words: 1 of 1, 0 s left\n"


def test_a_bar_on_a_terminal(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert list(show_progress("map", 2, [MAPPED] * 2, itself)) == [MAPPED] * 2
    said = capsys.readouterr().err
    assert "map: 100%" in said
    assert "6 documents, " in said


def test_a_json_object_a_line_for_machines(clock, capsys):
    assert list(log_json("map", 4, clock(0.6, [MAPPED] * 4), itself)) == [MAPPED] * 4
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["done"] for line in lines] == [2, 4]
    assert lines[0] == {
        "stage": "map",
        "done": 2,
        "total": 4,
        "documents": 6,
        "bytes": 4_000_000,
        "instances": 20,
        "seconds": 1.2,
        "bytes_per_second": 3_333_333,
        "instances_per_second": 16.7,
        "seconds_left": 1.2,
    }
    list(log_json("map", 0, []))
    assert json.loads(capsys.readouterr().err)["seconds_left"] is None


def test_a_build_logs_json(tmp_path, table, capsys):
    argv = ["build", "--config", "tests/data/golden.yaml", "--set", f"synonyms.table={table}"]
    argv += ["--input", SEGMENTED, "--output", str(tmp_path / "out"), "--workers", "1"]
    assert main([*argv, "--log-json"]) == 0
    last = {}
    for line in capsys.readouterr().err.splitlines():
        facts = json.loads(line)
        last[facts["stage"]] = facts
    assert list(last) == ["scan", "map", "merge"]
    assert last["scan"]["bytes"] == last["map"]["bytes"] == 3500  # of the lines that are kept
    assert last["map"]["documents"] == 9
    assert last["map"]["instances"] == last["merge"]["instances"] == 78
    shards = (tmp_path / "out").glob("*.tfrecord")
    assert last["merge"]["bytes"] == sum(shard.stat().st_size for shard in shards)
