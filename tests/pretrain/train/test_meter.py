import pytest

pytest.importorskip("tensorflow")
from pretrain.learning.objective import TOTAL
from pretrain.train.journal import Journal, Meter


def test_slow_steps_say_early_how_long_the_rest_takes(tmp_path, monkeypatch, capsys):
    """9 seconds a step, after one of 15 that compiles; the log's first line is step 50's."""
    now = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    meter = Meter(Journal(str(tmp_path), 0), 0, 32, 512, None, lambda means: "words")
    said = {}
    for step in range(1, 151):
        now[0] += 9 if step > 1 else 15
        meter.add({TOTAL: 1.0})
        if step % 50 == 0:
            meter.write(step, 987)
        meter.expect(step, 987)
        for line in capsys.readouterr().err.splitlines():
            said[step] = line
    # after 20, 60, 180 seconds, and not once the log says it
    assert list(said) == [2, 7, 20, 50, 100, 150]
    assert said[2] == "step 2 of 987: 9 s a step, 2.46 h left"
    assert said[20] == "step 20 of 987: 9 s a step, 2.42 h left"
    assert said[100].startswith("step 100 of 987: loss 1.000 (words), 1,820 tokens/s")
    assert said[100].endswith(", 2.22 h left")
