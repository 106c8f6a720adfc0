import os

import numpy as np
import pytest

from data_gen.shared.errors import UserError
from pretrain.checkpoint import store
from pretrain.checkpoint.folder import EVALUATIONS, read_journal
from pretrain.finetune.probe import Probe, ProbeTask
from pretrain.train.loop import train
from tests.pretrain.finetune.conftest import SETTINGS
from tests.pretrain.helpers import DATA


@pytest.fixture
def probe(texts, settings):
    def make(every, *overrides):
        tasks = [ProbeTask("classification", texts, SETTINGS)]
        return Probe(tasks, every, settings(*overrides))

    return make


def test_a_probe_leaves_the_training_as_it_is(probe, settings, tmp_path):
    sets = ["save_checkpoints_steps=5", "num_train_steps=15"]
    config = settings(*sets)
    plain, probed = str(tmp_path / "plain"), str(tmp_path / "probed")
    train(config, [DATA], plain, None, heldout=DATA)
    train(config, [DATA], probed, None, heldout=DATA, measure=probe(5, *sets))
    first, second = (store.read(store.find(folder)) for folder in (plain, probed))
    assert first.keys() == second.keys()
    for name, array in first.items():
        assert np.array_equal(array, second[name]), name
    lines = read_journal(probed, EVALUATIONS)
    assert [line["step"] for line in lines] == [0, 5, 10, 15]
    start, *without_probe = read_journal(plain, EVALUATIONS)
    assert lines.pop(0) == start  # a probe comes with checkpoints alone
    for line, without in zip(lines, without_probe):
        scores = line.pop("probe")["classification"]
        assert set(scores) == {"accuracy", "macro_f1", "matthews"}
        assert 0 <= scores["accuracy"] <= 1
        assert line == without
    files = [
        sorted(name for name in os.listdir(folder) if not name.startswith("events."))
        for folder in (plain, probed)
    ]
    assert files[0] == files[1]


def test_a_probe_comes_every_so_many_steps(probe, settings, tmp_path):
    sets = ["save_checkpoints_steps=5", "num_train_steps=20"]
    output = str(tmp_path / "out")
    train(settings(*sets), [DATA], output, None, measure=probe(10, *sets))
    assert [line["step"] for line in read_journal(output, EVALUATIONS)] == [10, 20]


def test_a_probe_needs_a_checkpoint(probe):
    with pytest.raises(UserError, match="--probe-every 7 must be a multiple of save_check"):
        probe(7, "save_checkpoints_steps=5")
