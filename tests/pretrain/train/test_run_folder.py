"""The output folder of a training."""

import json
import os
import re
import shutil

import pytest

from data_gen.shared.dataset.dataset_info import read_info
from data_gen.shared.errors import UserError
from pretrain.checkpoint.folder import EVALUATIONS, METRICS, new_folder, read_journal
from pretrain.runtime.tensorflow import tf
from pretrain.train import run_folder
from pretrain.train.loop import train
from tests.pretrain.helpers import DATA


def read(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8") as handle:
        return json.load(handle)


def test_run_json_says_what_made_the_model(trained):
    said = read(trained, "run.json")
    assert said["config"]["train_batch_size"] == 8
    assert said["versions"]["tensorflow"] == tf.__version__
    assert said["data"] == [read_info(DATA).fingerprint]
    assert said["git_revision"] is None or re.fullmatch(r"[0-9a-f]{40}\+?", said["git_revision"])


def test_how_text_became_pieces_is_written_down(trained):
    assert read(trained, "tokenizer_config.json") == {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": True,
        "model_max_length": 48,
    }


def test_data_of_two_tokenizers_do_not_make_one_model(model, settings, info):
    config = {**info.manifest["config"], "do_lower_case": False}
    cased = info._replace(manifest={**info.manifest, "config": config})
    with pytest.raises(UserError, match="were made with different tokenizers"):
        run_folder.describe(settings(), model, [info, cased], None)


def test_a_training_from_before_a_setting_existed_goes_on(trained, settings, tmp_path):
    output = str(tmp_path / "out")
    shutil.copytree(trained, output)
    said = read(output, "run.json")
    del said["config"]["epsilon"]
    path = os.path.join(output, "run.json")
    with open(path, "w", encoding="utf-8") as handle:
        json.dump(said, handle)
    with pytest.raises(UserError, match=r"training \(epsilon is 1e-06 there, 1e-05 here\)"):
        train(settings("epsilon=1.0e-5"), [DATA], output, None)
    assert train(settings(), [DATA], output, None) == f"{output}/model.ckpt-20"


def test_a_training_with_other_weights_of_the_losses_does_not_go_on(trained, settings, tmp_path):
    """The weights were settings once."""
    output, path = str(tmp_path / "out"), tmp_path / "out" / "run.json"
    shutil.copytree(trained, output)
    said = read(output, "run.json")
    for weight in (0.5, 1.0):
        said["config"]["pair_loss_weight"] = weight
        path.write_text(json.dumps(said))
        if weight == 1.0:
            assert train(settings(), [DATA], output, None) == f"{output}/model.ckpt-20"
        else:
            with pytest.raises(UserError, match=r"\(pair_loss_weight is 0.5 there, 1.0 here\)"):
                train(settings(), [DATA], output, None)


def test_the_journals_have_one_reader(trained, tmp_path):
    lines = read_journal(trained, METRICS)
    assert [line["step"] for line in lines] == [5, 10, 15, 20]
    (tmp_path / METRICS).write_text('{"step": 1, "loss": 2.5}\n[3]\n{"step": 2, "lo')
    assert read_journal(str(tmp_path), METRICS) == [{"step": 1, "loss": 2.5}]
    assert read_journal(str(tmp_path), EVALUATIONS) == []


def write_into(output, finish):
    with new_folder(output) as folder:
        open(f"{folder}/name", "w").close()
        assert not os.path.exists(output)
        finish()


def test_a_new_folder_is_there_when_all_is_written(tmp_path):
    output = str(tmp_path / "out") + "/"
    with pytest.raises(KeyError):
        write_into(output, {}.popitem)
    assert os.listdir(str(tmp_path)) == []
    (tmp_path / ".out.0123456789abcdef.partial").mkdir()  # of a command that was killed
    (tmp_path / ".out.0123456789abcdef.partial" / "old").touch()
    (tmp_path / ".out.partial").mkdir()  # the user's
    (tmp_path / ".out.partial" / "mine").touch()
    write_into(output, dict)
    assert os.listdir(output) == ["name"]
    assert sorted(os.listdir(str(tmp_path))) == [".out.partial", "out"]
    assert os.listdir(str(tmp_path / ".out.partial")) == ["mine"]
    with pytest.raises(UserError, match="is not empty: choose another --output"):
        write_into(output, dict)
    with pytest.raises(UserError, match="is a URL: give a folder"):
        write_into("gs://bucket/out", dict)
    with pytest.raises(UserError, match="name is a file: choose another --output"):
        write_into(f"{output}name", dict)


def test_a_link_to_an_empty_folder_is_one(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there")
    with new_folder(str(tmp_path / "link")) as folder:
        open(f"{folder}/name", "w").close()
    assert (tmp_path / "link").is_symlink()
    assert os.listdir(str(tmp_path / "there")) == ["name"]


def test_a_training_that_has_saved_nothing_may_be_started_otherwise(settings, tmp_path):
    output = str(tmp_path / "out")
    with pytest.raises(UserError, match="fewer than one batch of 100: lower train_batch_size"):
        train(settings("train_batch_size=100"), [DATA], output, None)
    with pytest.raises(UserError, match="there is no checkpoint at nowhere"):
        train(settings(), [DATA], output, "nowhere")
    with pytest.raises(UserError, match="lower learning_rate"):
        train(settings("learning_rate=1.0e+6"), [DATA], output, None)
    train(settings("num_train_steps=2"), [DATA], output, None)


def test_a_folder_with_another_model_is_never_touched(settings, tmp_path):
    (tmp_path / "bert_config.json").write_text("precious")
    with pytest.raises(UserError, match=r"holds bert_config\.json but no run\.json"):
        train(settings(), [DATA], str(tmp_path), None)
    assert (tmp_path / "bert_config.json").read_text() == "precious"


def test_a_damaged_run_description_is_an_error(settings, tmp_path):
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(UserError, match=r"run\.json is damaged"):
        train(settings(), [DATA], str(tmp_path), None)


def test_an_output_with_another_training_is_never_touched(trained, settings, tmp_path):
    output = str(tmp_path / "out")
    shutil.copytree(trained, output)
    before = sorted(os.listdir(output))
    with pytest.raises(UserError, match=r"another training \(random_seed is \d+ there, 5 here\)"):
        train(settings("random_seed=5"), [DATA], output, None)
    os.remove(os.path.join(output, "run.json"))
    with pytest.raises(UserError, match=r"holds .* but no run\.json"):
        train(settings(), [DATA], output, None)
    assert sorted(os.listdir(output)) == [name for name in before if name != "run.json"]
