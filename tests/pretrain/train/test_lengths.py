"""Trainings whose length follows from their data: epochs, and the warm-up as a share."""

import json
import os

import pytest

from data_gen.shared.errors import UserError
from pretrain.checkpoint import store
from pretrain.plan.estimate import estimate
from pretrain.train.loop import train
from tests.pretrain.helpers import DATA

EPOCHS = ["num_train_steps=null", "num_warmup_steps=null", "warmup_share=0.25"]


def run_json(folder):
    with open(os.path.join(str(folder), "run.json"), encoding="utf-8") as handle:
        return json.load(handle)


def test_epochs_become_steps_which_are_said_and_written(settings, info, tmp_path, capsys):
    config = settings(*EPOCHS, "num_train_epochs=1.5", "save_checkpoints_steps=1000")
    steps = round(1.5 * (info.examples // 8))
    assert train(config, [DATA], str(tmp_path), None).endswith(f"model.ckpt-{steps}")
    warmup = steps // 4
    said = (
        f"num_train_epochs 1.5, warmup_share 0.25 of {info.examples} examples: {steps} steps, the "
        f"first {warmup} of them warm-up"
    )
    assert said in capsys.readouterr().err
    run = run_json(tmp_path)
    counted = {"num_train_steps": steps, "num_warmup_steps": warmup}
    asked = {"examples": info.examples, "num_train_epochs": 1.5, "warmup_share": 0.25}
    assert run["counted"] == [{"from": asked, "steps": counted}]
    assert {name: run["config"][name] for name in counted} == counted
    # The same in steps is the same training.
    same = settings(*(f"{n}={x}" for n, x in counted.items()), "save_checkpoints_steps=1000")
    assert train(same, [DATA], str(tmp_path), None).endswith(f"model.ckpt-{steps}")


def test_the_plan_knows_the_steps(settings, info):
    config = settings(*EPOCHS, "num_train_epochs=2", "heldout_shards=1")
    (stage,) = estimate(config, "h100", 1, 0.3, [DATA])["stages"]
    assert stage["steps"] == 2 * (info.shards[0].examples // 8)
    with pytest.raises(UserError, match=r"as long as its data say \(num_train_epochs\): give --d"):
        estimate(config, "h100", 1, 0.3)
    share = settings("num_warmup_steps=null", "warmup_share=0.5")
    assert estimate(share, "h100", 1, 0.3)["stages"][0]["steps"] == 20


def test_the_steps_stay_when_a_training_is_resumed(settings, info, tmp_path):
    # 2 steps a call round up to an even number, which 1 a call keeps.
    sets = [*EPOCHS, "num_train_epochs=0.5", "log_steps=2", "save_checkpoints_steps=2"]
    epoch = info.examples // 8
    sets[3] = f"num_train_epochs={3 / epoch}"
    last = train(settings(*sets, "steps_per_call=2"), [DATA], str(tmp_path), None)
    assert last.endswith("model.ckpt-4")
    for step in (4,):
        for name in os.listdir(str(tmp_path)):
            if name.startswith(f"model.ckpt-{step}."):
                os.remove(os.path.join(str(tmp_path), name))
    assert store.latest(str(tmp_path)).endswith("-2")
    assert train(settings(*sets), [DATA], str(tmp_path), None).endswith("model.ckpt-4")
    with pytest.raises(UserError, match="holds another training"):
        train(settings(*sets, f"num_train_epochs={5 / epoch}"), [DATA], str(tmp_path), None)


def test_each_stage_has_its_own_length(settings):
    stages = "stages=[{num_train_epochs: 2}, {num_train_steps: 7, num_warmup_steps: 3}, {}]"
    config = settings(*EPOCHS, "num_train_epochs=1", stages)
    stages = config.in_steps(config.steps_of([80, 8, 42])).resolved_stages()
    assert [(s.num_train_steps, s.num_warmup_steps) for s in stages] == [(20, 5), (7, 3), (5, 1)]


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        (["num_train_epochs=3"], "num_train_steps is 20 and num_train_epochs is 3.0, but only one"),
        (["num_train_steps=null"], "neither num_train_steps nor num_train_epochs is given"),
        (["warmup_share=0.1"], "num_warmup_steps is 2 and warmup_share is 0.1, but only one"),
        (["num_train_steps=null", "num_train_epochs=0"], "num_train_epochs must be above 0"),
        (["num_train_steps=null", "num_train_epochs=nan"], "num_train_epochs must be above 0"),
        (["num_warmup_steps=null", "warmup_share=1.5"], "warmup_share must be from 0 to 1"),
        (["stages=[{num_train_steps: 1, num_train_epochs: 1}]"], "but only one of them can count"),
    ],
)
def test_exactly_one_of_each(settings, sets, message):
    with pytest.raises(UserError, match=message):
        settings(*sets)


def test_a_warm_up_longer_than_the_data_last(settings, tmp_path):
    config = settings("num_train_steps=null", "num_train_epochs=1", "num_warmup_steps=5000")
    with pytest.raises(UserError, match=r"for the data's \d+ examples: num_warmup_steps must be"):
        train(config, [DATA], str(tmp_path), None)
