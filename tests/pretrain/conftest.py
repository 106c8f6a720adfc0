"""A model small enough to train in seconds, on the golden data set; for TensorFlow 1.15, too."""

import importlib
import io
import json
import os
import signal
import warnings
from contextlib import suppress

import pytest

with warnings.catch_warnings():  # 1.15 warns of NumPy's and Python's changes since
    warnings.simplefilter("ignore")
    import tensorflow  # noqa: F401
from data_gen.shared.dataset.dataset_info import read_info
from pretrain.config import TrainConfig
from pretrain.inputs.batches import training_batches
from pretrain.model.config import BertConfig
from pretrain.runtime.devices import mirrored, one_device
from pretrain.runtime.tensorflow import tf
from pretrain.train.loop import train
from pretrain.train.state import new_state
from pretrain.train.step import TrainStep
from tests.conftest import default_settings
from tests.pretrain.helpers import DATA, ELECTRA, MODEL, PLAIN, features_of

# A second device for the tests of replicas; what is not told to use it does not.
_CPU = tf.config.experimental.list_physical_devices("CPU")[0]
if hasattr(tf.config, "set_logical_device_configuration"):
    tf.config.set_logical_device_configuration(_CPU, [tf.config.LogicalDeviceConfiguration()] * 2)
else:
    tf.config.experimental.set_virtual_device_configuration(
        _CPU, [tf.config.experimental.VirtualDeviceConfiguration()] * 2
    )


@pytest.fixture(scope="session")
def model():
    return BertConfig(**MODEL)


@pytest.fixture(scope="session")
def plain_model():
    """The same model without dropout."""
    return BertConfig(**PLAIN)


@pytest.fixture(scope="session")
def info(root):
    return read_info(f"{root}/{DATA}")


@pytest.fixture(scope="session")
def model_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "bert_config.json"
    path.write_text(json.dumps(MODEL))
    return str(path)


@pytest.fixture(scope="session")
def plain_model_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("plain") / "bert_config.json"
    path.write_text(json.dumps(PLAIN))
    return str(path)


@pytest.fixture(scope="session")
def electra_file(root, tmp_path_factory):
    """The model of `ELECTRA` with dropout."""
    path = tmp_path_factory.mktemp("electra") / "bert_config.json"
    with open(f"{root}/{ELECTRA}", encoding="utf-8") as handle:
        path.write_text(json.dumps({**json.load(handle), "hidden_dropout_prob": 0.1}))
    return str(path)


@pytest.fixture(scope="session")
def two_devices():
    return mirrored(["CPU:0", "CPU:1"])


@pytest.fixture(scope="session")
def settings(model_file):
    """Settings of a training of 20 steps that learns something."""

    def make(*overrides):
        return default_settings(
            TrainConfig,
            [
                f"bert_config_file={model_file}",
                "learning_rate=0.02",
                "train_batch_size=8",
                "num_train_steps=20",
                "num_warmup_steps=2",
                "save_checkpoints_steps=10",
                "log_steps=5",
                *overrides,
            ],
        )

    return make


@pytest.fixture(scope="session")
def one_step(settings, info):
    """A training's state, its step and a batch."""

    def make(model, *overrides, **options):
        strategy = options.get("strategy") or one_device()
        config = settings(*overrides)
        stage = config.resolved_stages()[0]
        state = new_state(strategy, model, config)
        batch = next(training_batches(strategy, info, features_of(info), stage, 1, 0))
        return state, TrainStep(strategy, model, config, stage, state), batch

    return make


@pytest.fixture(scope="session")
def trained(settings, root, tmp_path_factory):
    """A training of 20 steps, whole."""
    folder = str(tmp_path_factory.mktemp("trained"))
    train(settings(), [os.path.join(root, DATA)], folder, None)
    return folder


@pytest.fixture
def standard_input(monkeypatch):
    """Makes a file the standard input of this process."""

    def read_from(path):
        data = path.read_bytes()
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))
        with suppress(ImportError):  # the generator needs Python 3.9
            reader = importlib.import_module("data_gen.storage.standard_input")
            reader.standard_input.cache_clear()

    return read_from


@pytest.fixture
def files_up_to():
    """Let no file of this process grow beyond some bytes, as on a full disk."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    def limit(most):
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))

    yield limit
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)
