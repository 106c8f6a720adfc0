"""Training from the weights of another model."""

import gzip
import json
import os
import shutil

import numpy as np
import pytest

from data_gen.shared.dataset.dataset_info import read_info
from data_gen.shared.errors import UserError
from data_gen.shared.files import file_sha256
from pretrain.checkpoint import store
from pretrain.exchange.export_release import export_tf1
from pretrain.inputs.batches import label_counts, training_batches
from pretrain.runtime.devices import one_device
from pretrain.train.loop import train
from pretrain.train.state import new_state
from tests.pretrain.helpers import DATA, MODEL, features_of

KERNEL = "bert/encoder/layer_1/output/dense/kernel"
HEAD = "cls/predictions/transform/dense/kernel"


@pytest.fixture(scope="module")
def trained(settings, root, tmp_path_factory):
    output = str(tmp_path_factory.mktemp("trained"))
    train(settings("num_train_steps=4"), [os.path.join(root, DATA)], output, None)
    return output


def start(settings, tmp_path, source, *overrides, **options):
    """The weights after one step at rate 0 (the first of a warm-up), which changes nothing."""
    config = settings("num_train_steps=1", "num_warmup_steps=1", *overrides)
    output = str(tmp_path / "out")
    train(config, [DATA], output, source, **options)
    return store.read(store.find(output))


def test_all_weights_of_a_release_are_taken(trained, settings, tmp_path, capsys):
    release = export_tf1(trained, str(tmp_path / "release"))
    found = start(settings, tmp_path, release)
    assert "46 weights loaded, 0 new, 0 left" in capsys.readouterr().err
    for name, array in store.read(release).items():
        assert np.array_equal(found[name], array), name


def test_heads_may_start_anew(trained, settings, tmp_path, model, capsys):
    found = start(settings, tmp_path, trained, reinit_heads=True)
    error = capsys.readouterr().err
    assert "39 weights loaded, 7 new, 0 left" in error
    assert f"new: {HEAD}" in error
    source = store.read(store.find(trained))
    assert np.array_equal(found[KERNEL], source[KERNEL])
    fresh = new_state(one_device(), model, settings()).variables[HEAD].numpy()
    assert np.array_equal(found[HEAD], fresh)


def test_a_model_of_fewer_layers_takes_the_first_ones(trained, settings, tmp_path, capsys):
    path = tmp_path / "shallow.json"
    path.write_text(json.dumps({**MODEL, "num_hidden_layers": 1}))
    found = start(settings, tmp_path, trained, f"bert_config_file={path}")
    error = capsys.readouterr().err
    assert "30 weights loaded, 0 new, 16 left" in error
    assert f"left over: {KERNEL}" in error
    name = KERNEL.replace("layer_1", "layer_0")
    assert np.array_equal(found[name], store.read(store.find(trained))[name])
    assert KERNEL not in found


def test_a_checkpoint_without_any_weight_of_ours_is_refused(settings, tmp_path):
    (tmp_path / "other").mkdir()
    prefix = str(tmp_path / "other" / "x.ckpt")
    store.save(prefix, {"generator/kernel": np.zeros([2], np.float32)})
    with pytest.raises(UserError, match="has no weight of this model"):
        start(settings, tmp_path, prefix)


@pytest.mark.parametrize("name", [KERNEL, "bert/embeddings/word_embeddings"])
def test_a_checkpoint_with_half_a_layer_is_refused(trained, settings, tmp_path, name):
    (tmp_path / "source").mkdir()
    prefix = str(tmp_path / "source" / "x.ckpt")
    arrays = store.read(store.find(trained))
    store.save(prefix, {n: x for n, x in arrays.items() if n != name})
    part = "bert/encoder/layer_1" if name == KERNEL else "bert/embeddings"
    with pytest.raises(UserError, match=f"lacks {name}, but has other weights of {part}: it is no"):
        start(settings, tmp_path, prefix)


def test_a_model_of_more_layers_gets_new_ones(trained, settings, tmp_path, capsys):
    path = tmp_path / "deep.json"
    path.write_text(json.dumps({**MODEL, "num_hidden_layers": 3}))
    start(settings, tmp_path, trained, f"bert_config_file={path}")
    assert "46 weights loaded, 16 new, 0 left" in capsys.readouterr().err


def test_frozen_weights_stay_and_have_no_slots(settings, tmp_path, model):
    config = settings("frozen=[embeddings, layer_0]", "num_train_steps=3")
    train(config, [DATA], str(tmp_path), None)
    found = store.read(store.find(str(tmp_path)))
    for name, variable in new_state(one_device(), model, config).variables.items():
        frozen = "embeddings" in name or "layer_0" in name
        assert np.array_equal(found[name], variable.numpy()) == frozen, name
        assert (f"{name}/adam_m" in found) != frozen


def test_compressed_shards_hold_the_same(info, settings, tmp_path):
    folder = str(tmp_path / "gz")
    shutil.copytree(DATA, folder)
    path = os.path.join(folder, "dataset.json")
    with open(path, encoding="utf-8") as handle:
        manifest = json.load(handle)
    for shard in manifest["shards"]:
        plain = os.path.join(folder, shard["name"])
        with open(plain, "rb") as source, gzip.open(plain + ".gz", "wb") as target:
            target.write(source.read())
        os.remove(plain)
        shard["name"] += ".gz"
        shard["bytes"] = os.path.getsize(plain + ".gz")
        shard["sha256"] = file_sha256(plain + ".gz")
    with open(path, "w", encoding="utf-8") as handle:
        json.dump(manifest, handle)
    stage = settings().resolved_stages()[0]
    first, second = (
        next(training_batches(one_device(), of, features_of(of), stage, 1, 3))
        for of in (info, read_info(folder))
    )
    for name, x in first.items():
        assert np.array_equal(x.numpy(), second[name].numpy())


def test_data_of_another_record_format_are_refused(settings, tmp_path):
    folder = str(tmp_path / "newer")
    shutil.copytree(DATA, folder)
    path = os.path.join(folder, "dataset.json")
    with open(path, encoding="utf-8") as handle:
        manifest = json.load(handle)
    manifest["format"] += 1
    with open(path, "w", encoding="utf-8") as handle:
        json.dump(manifest, handle)
    with pytest.raises(UserError, match="is of record format"):
        train(settings(), [folder], str(tmp_path / "out"), None)


def test_the_output_bias_starts_at_the_frequencies(settings, info, tmp_path):
    config = settings(
        "output_bias=frequencies", "num_train_steps=1", "num_warmup_steps=0", "learning_rate=1.0e-9"
    )
    output = str(tmp_path / "out")
    train(config, [DATA], output, None)
    bias = store.read(store.find(output))["cls/predictions/output_bias"]
    counts = label_counts(info, len(bias))
    assert np.exp(bias).sum() == pytest.approx(1, rel=1e-4)
    seen = np.flatnonzero(counts)
    assert np.exp(bias[seen]).sum() > 0.1  # 21,128 pieces have a tenth of a label each
    ratio = np.exp(bias[seen]) / (counts[seen] + 0.1)
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-3)
    # Another model's bias is not touched.
    after = str(tmp_path / "after")
    train(config, [DATA], after, output)
    again = store.read(store.find(after))["cls/predictions/output_bias"]
    np.testing.assert_allclose(again, bias, atol=1e-6)
