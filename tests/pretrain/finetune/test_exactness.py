"""A fine-tuning of 20 steps is Google's, and the same one in micro batches and on two devices."""

import numpy as np
import pytest

from pretrain.finetune.features import read_features
from pretrain.inputs.batches import parse
from pretrain.learning.objectives import OBJECTIVES
from pretrain.model.heads import POOLER
from pretrain.runtime.devices import distribute, one_device
from pretrain.runtime.tensorflow import tf
from pretrain.tasks.tasks import TASKS
from pretrain.train.state import new_state
from pretrain.train.step import TrainStep

STEPS, BATCH = 20, 8
RATES = {"pair": "1.0e-3", "cmrc2018": "1.0e-4"}


@pytest.fixture(scope="module")
def google():
    """The end of google-research/bert's fine-tuning by task; see tests/golden/README.md."""
    stored = dict(np.load("tests/golden/google_finetuning.npz"))

    def end(task):
        names = (key.split(":", 1) for key in stored)
        return {name: stored[f"{task}:{name}"] for of, name in names if of == task}

    return end


def start_weight(i, name, shape):
    noise = np.random.RandomState(i).uniform(-0.2, 0.2, shape)
    return (noise + name.endswith("gamma")).astype(np.float32)


class FineTuning:
    """Google's start and batches: the records in their order, again and again, rate constant, no
    dropout.
    """

    def __init__(self, task, model, settings, strategy, overrides):
        self.features = read_features(f"tests/golden/finetuning/{task}")
        self.config = settings(
            f"objective={TASKS[task].objective}",
            f"labels=[{','.join(self.features.labels)}]",
            "pair_task=none",
            f"learning_rate={RATES[task]}",
            "schedule=constant",
            "num_warmup_steps=0",
            *overrides,
        )
        self.strategy, self.model = strategy, model
        self.state = new_state(strategy, model, self.config)
        for i, (name, variable) in enumerate(self.state.variables.items()):
            variable.assign(start_weight(i, name, variable.shape))

    def batches(self):
        """The batches as `training_batches` makes them: name -> [1, micro batches, B, ...]."""
        info, config = self.features.info("train"), self.config
        wanted = OBJECTIVES[config.objective].features(info)
        replicas, micro = self.strategy.num_replicas_in_sync, config.gradient_accumulation_steps
        parts = []
        for records in tf.data.TFRecordDataset(info.paths).repeat().batch(BATCH).take(STEPS):
            batch = {name: x.numpy() for name, x in parse(records, wanted).items()}
            for index in range(replicas):
                part = {name: np.split(x, replicas)[index] for name, x in batch.items()}
                if config.pad_to is not None:
                    order = part["input_mask"].sum(axis=1).argsort(kind="stable")
                    part = {name: x[order] for name, x in part.items()}
                parts.append({n: np.stack(np.split(x, micro))[None] for n, x in part.items()})
        columns = {name: np.stack([part[name] for part in parts]) for name in parts[0]}
        return distribute(
            self.strategy, lambda context: tf.data.Dataset.from_tensor_slices(columns)
        )

    def losses(self):
        """Train; return the loss of every step."""
        stage = self.config.resolved_stages()[0]
        step = TrainStep(self.strategy, self.model, self.config, stage, self.state)
        return [step(batch).sums["loss"] for batch in self.batches()]


def require_equal(tuning, losses, google):
    assert np.abs(losses - google["losses"]).max() < 1e-5
    tensors = tuning.state.tensors()
    assert set(google) - {"losses"} <= set(tensors)
    for name in set(google) - {"losses"}:
        found = tensors[name].numpy().ravel()
        found = found[:: max(1, found.size // 250)]
        assert np.abs(found - google[name]).max() <= 1e-5, name


CHANGES_NOTHING = [
    (1, []),
    # Padding is masked, and each micro batch has the sequences of like lengths.
    (1, ["gradient_accumulation_steps=4", "pad_to=8"]),
    (2, []),
    (2, ["gradient_accumulation_steps=2", "pad_to=8"]),
]


@pytest.mark.parametrize(("replicas", "overrides"), CHANGES_NOTHING)
def test_a_classification_is_googles(
    google, plain_model, settings, two_devices, replicas, overrides
):
    strategy = two_devices if replicas == 2 else one_device()
    tuning = FineTuning("pair", plain_model, settings, strategy, overrides)
    losses, expected = tuning.losses(), google("pair")
    require_equal(tuning, losses, expected)
    assert set(expected) - {"losses"} == set(tuning.state.tensors())
    assert losses[15] < losses[0] - 0.15  # the same sequences, four epochs later


# Without pad_to: the softmax runs over all positions, padding included, as in run_squad.py. So the
# loss of a shorter batch is another one.
@pytest.mark.parametrize(
    ("replicas", "overrides"), [(1, []), (1, ["gradient_accumulation_steps=4"]), (2, [])]
)
def test_a_span_extraction_is_googles(
    google, plain_model, settings, two_devices, replicas, overrides
):
    strategy = two_devices if replicas == 2 else one_device()
    tuning = FineTuning("cmrc2018", plain_model, settings, strategy, overrides)
    losses, expected = tuning.losses(), google("cmrc2018")
    require_equal(tuning, losses, expected)
    assert losses[15] < losses[0] - 0.2
    # Nothing reads the pooler: Google keeps no slots for it, ours stay empty.
    others = set(tuning.state.tensors()) - set(expected)
    assert others
    assert all(name.startswith(POOLER) for name in others)
    assert not any(tuning.state.slots[name].numpy().any() for name in others)
    for i, (name, variable) in enumerate(tuning.state.variables.items()):
        if name.startswith(POOLER):
            assert (variable.numpy() == start_weight(i, name, variable.shape)).all()
