import json
import os
import shutil

import numpy as np
import pytest

from data_gen.shared.errors import UserError
from pretrain.checkpoint import store
from pretrain.checkpoint.load import load_model
from pretrain.model.bert import variable_shapes
from pretrain.runtime import files
from pretrain.runtime.tensorflow import tf
from pretrain.train.loop import train
from tests.pretrain.helpers import DATA


def test_the_checkpoint_has_googles_names_and_shapes(trained, model):
    arrays = store.read(store.find(trained))
    shapes = variable_shapes(model)
    expected = dict(shapes)
    for name, shape in shapes.items():
        expected[f"{name}/adam_m"] = expected[f"{name}/adam_v"] = shape
    expected["global_step"] = ()
    assert {name: array.shape for name, array in arrays.items()} == expected
    assert len(arrays) == 139
    assert arrays["global_step"] == 20
    assert arrays["global_step"].dtype == np.int64
    assert {a.dtype for n, a in arrays.items() if n != "global_step"} == {np.dtype(np.float32)}


def test_the_newest_checkpoint_is_named_again_after_a_crash(trained, settings, tmp_path):
    output = str(tmp_path / "out")
    shutil.copytree(trained, output)
    with open(os.path.join(output, "checkpoint"), "w", encoding="utf-8") as handle:
        handle.write('model_checkpoint_path: "model.ckpt-10"\n')
    train(settings(), [DATA], output, None)
    assert tf.train.latest_checkpoint(output).endswith("model.ckpt-20")


def test_a_checkpoint_of_another_shape_is_refused(trained, tmp_path, settings):
    folder = str(tmp_path / "other")
    shutil.copytree(trained, folder)
    path = os.path.join(folder, "bert_config.json")
    with open(path, encoding="utf-8") as handle:
        changed = {**json.load(handle), "intermediate_size": 64}
    with open(path, "w", encoding="utf-8") as handle:
        json.dump(changed, handle)
    with pytest.raises(UserError, match=r"32 in .*64 in this model"):
        load_model(folder)


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.bool_])
def test_weights_of_whole_numbers_are_refused(trained, tmp_path, dtype):
    """They would become the zeros that small weights are, rounded."""
    folder = str(tmp_path / "rounded")
    shutil.copytree(trained, folder)
    prefix = store.find(folder)
    arrays = store.read(prefix)
    arrays["bert/pooler/dense/kernel"] = arrays["bert/pooler/dense/kernel"].astype(dtype)
    store.save(prefix, {name: tf.constant(array) for name, array in arrays.items()})
    with pytest.raises(UserError, match=r"bert/pooler/dense/kernel holds values of (int|bool)"):
        load_model(folder)


def test_a_weight_that_is_no_number_is_refused(trained, tmp_path):
    folder = str(tmp_path / "astray")
    shutil.copytree(trained, folder)
    prefix = store.find(folder)
    arrays = store.read(prefix)
    arrays["cls/predictions/output_bias"][3] = np.inf
    store.save(prefix, {name: tf.constant(array) for name, array in arrays.items()})
    with pytest.raises(UserError, match="cls/predictions/output_bias is NaN or infinite in"):
        load_model(folder)


def test_a_damaged_checkpoint_is_an_error(trained, tmp_path):
    folder = str(tmp_path / "damaged")
    shutil.copytree(trained, folder)
    with open(os.path.join(folder, "model.ckpt-20.data-00000-of-00001"), "r+b") as handle:
        handle.truncate(1000)
    with pytest.raises(UserError, match="is damaged"):
        load_model(folder)
    with pytest.raises(UserError, match="there is no checkpoint at"):
        load_model(str(tmp_path / "nowhere"))


def test_an_interrupted_save_leaves_no_checkpoint(trained, tmp_path, monkeypatch):
    folder = str(tmp_path / "out")
    os.makedirs(folder)
    arrays = store.read(store.find(trained))

    move, calls = files.move, []

    def full_at_the_second(*args):
        calls.append(args)
        if len(calls) == 2:
            raise UserError("cannot reach it: No space left on device")
        move(*args)

    monkeypatch.setattr(files, "move", full_at_the_second)
    with pytest.raises(UserError, match="No space"):
        store.save_step(folder, 20, arrays, keep=1)
    assert store.latest(folder) is None
    monkeypatch.undo()
    store.save_step(folder, 20, arrays, keep=1)
    assert sorted(os.listdir(folder)) == [
        "checkpoint",
        "model.ckpt-20.data-00000-of-00001",
        "model.ckpt-20.index",
    ]
