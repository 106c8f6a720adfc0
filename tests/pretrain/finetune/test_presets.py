import dataclasses
import glob
import os

import pytest

yaml = pytest.importorskip("yaml")

from data_gen.shared.errors import UserError  # noqa: E402
from data_gen.shared.settings import load_settings  # noqa: E402
from pretrain.finetune.config import FinetuneSettings  # noqa: E402
from pretrain.tasks.tasks import TASKS  # noqa: E402

# (length, epochs, rate, batch): the paper's Table IV; the batch of classification: wwm#14, wwm#36
PAPER = {
    "cmrc2018": (512, 2, 3e-5, 32),
    "drcd": (512, 2, 3e-5, 32),
    "xnli": (128, 2, 3e-5, 64),
    "chnsenticorp": (256, 3, 2e-5, 64),
    "lcqmc": (128, 3, 2e-5, 64),
    "bq": (128, 3, 3e-5, 64),
}


def preset(name):
    return load_settings(FinetuneSettings, os.path.join("configs", "finetune", f"{name}.yaml"))


@pytest.mark.parametrize("name", sorted(PAPER))
def test_the_paper(name):
    found = preset(name)
    values = found.max_seq_length, found.num_train_epochs, found.learning_rate
    assert (*values, found.train_batch_size) == PAPER[name]
    assert found.warmup_share == 0.1
    assert found.optimizer == "adamw"


def test_every_task_has_a_preset_and_every_preset_loads():
    names = {os.path.basename(path)[:-5] for path in glob.glob("configs/finetune/*.yaml")}
    assert {task.preset for task in TASKS.values()} == names - {"base"}
    for name in names:
        preset(name)


def test_the_base_gives_every_setting():
    with open("configs/finetune/base.yaml", encoding="utf-8") as handle:
        values = yaml.safe_load(handle)
    assert set(values) == {field.name for field in dataclasses.fields(FinetuneSettings)}


def test_the_training_of_a_run():
    settings = dataclasses.replace(preset("xnli"), learning_rate=1e-4)
    config = settings.training("classification", ["a", "b"], 50, 7, "model.json", "vocab.txt")
    assert (config.num_train_steps, config.num_warmup_steps) == (100, 10)
    assert config.save_checkpoints_steps == 50
    assert (config.random_seed, config.learning_rate, config.pad_to) == (7, 1e-4, 32)
    assert config.labels == ["a", "b"]


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("dropout=1.0", "dropout must be at least 0 and below 1, not 1.0"),
        ("num_train_epochs=0", "num_train_epochs must be between 1 and 10,000,000, not 0"),
        ("max_seq_length=4", "max_seq_length must be between 8 and 65,536, not 4"),
        ("tpu=local", "a TPU needs sequences of one length: set pad_to=null"),
        ("epochs=3", "there is no setting epochs; did you mean"),
    ],
)
def test_mistakes(setting, said):
    with pytest.raises(UserError, match=said):
        load_settings(FinetuneSettings, "configs/finetune/base.yaml", [setting])
