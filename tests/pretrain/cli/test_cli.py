import json
import re
import shlex
import subprocess
import sys

import pytest

from pretrain.__main__ import main, make_parser
from tests.pretrain.helpers import DATA


@pytest.fixture
def train(model_file, tmp_path):
    def run(*arguments):
        sets = [f"bert_config_file={model_file}", "num_train_steps=3", "num_warmup_steps=1"]
        overrides = [word for setting in sets for word in ("--set", setting)]
        command = ["train", "--config", "configs/pretrain/tiny.yaml", "--data", DATA, *overrides]
        return main([*command, "--output", str(tmp_path / "model"), *arguments])

    return run


def test_train_evaluate_export(train, tmp_path, capsys):
    assert train() == 0
    output = capsys.readouterr()
    assert output.out.strip() == str(tmp_path / "model" / "model.ckpt-3")
    assert "step 3 of 3: loss " in output.err
    evaluate = ["evaluate", "--model", str(tmp_path / "model"), "--data", DATA]
    assert main(evaluate) == 0
    assert "on 78 examples" in capsys.readouterr().out
    assert main([*evaluate, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["masked_pieces"] == 457
    release = str(tmp_path / "release")
    export = ["export", "--format", "tf1", "--model", str(tmp_path / "model"), "--output", release]
    assert main(export) == 0
    assert capsys.readouterr().out.strip() == release + "/bert_model.ckpt"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["--set", "lerning_rate=1"],
            "no setting lerning_rate; did you mean learning_rate?",
        ),
        (["--set", "num_warmup_steps=9"], "num_warmup_steps must be between 0 and num_train_steps"),
        (["--set", "optimizer=sgd"], "optimizer must be one of adamw, lamb, not sgd"),
        (["--set", "clip_norm=0"], "clip_norm must be above 0"),
        (["--set", "learning_rate=-1"], "learning_rate must be above 0"),
        (["--set", "beta_1=1"], "beta_1 must be at least 0 and below 1"),
        (["--set", "random_seed=-1"], "random_seed must be between 0 and"),
        (["--set", "learning_rate=.inf"], "learning_rate must be between 0 and 1,000,000"),
        (["--set", "learning_rate=.nan"], "learning_rate must be above 0, not nan"),
        (["--set", "clip_norm=1e300"], "clip_norm must be between 0 and 1,000,000"),
        (["--set", f"num_train_steps={10**20}"], "num_train_steps must be between 1 and 1,000,"),
        (["--set", f"train_batch_size={10**20}"], "train_batch_size must be between 1 and 10,"),
        (["--set", f"pad_to={10**20}"], "pad_to must be between 1 and 65,536"),
        (["--set", "steps_per_call=7"], "must be a multiple of steps_per_call (7)"),
        (["--set", "precision=float8"], "must be one of float32, bfloat16, float16, not float8"),
        (["--set", "schedule=cosine"], "schedule must be one of linear, constant, not cosine"),
        (["--set", "frozen=['(']"], "frozen: ( is no regular expression"),
        (
            ["--set", "objective=causal_lm"],
            "must be one of masked_lm, replaced_tokens, classification, span, not causal_lm",
        ),
        (["--set", "pair_task=cls"], "pair_task must be one of sop, nsp, none, not cls"),
        (["--set", "weight_decay=-1"], "weight_decay must not be negative"),
        (["--set", "heldout_shards=-1"], "heldout_shards must not be negative"),
        (["--set", "heldout_shards=2"], "does not divide into two sets with examples"),
        (
            ["--set", "keep_checkpoint_every_steps=0"],
            "keep_checkpoint_every_steps must be between",
        ),
        (["--set", "keep_checkpoint_every_steps=300"], "multiple of save_checkpoints_steps (200)"),
        (["--set", "frozen=[encodr]"], "encodr is found in no name of a weight, such as bert/emb"),
        (["--set", "frozen=[bert, cls]"], "frozen leaves no weight to train"),
        (["--set", "gradient_accumulation_steps=3"], "16 cannot be shared equally among 3"),
        (["--heldout", "nowhere"], "nowhere has no dataset.json"),
        (["--set", "bert_config_file=nowhere.json"], "cannot read the model nowhere.json"),
        (["--set", "bert_config_file=setup.cfg"], "setup.cfg is no bert_config.json"),
        (["--data", "nowhere"], "nowhere has no dataset.json"),
        (["--reinit-heads"], "name it with --init"),
        (["--output", "nobody://bucket/model"], "cannot reach nobody://bucket/model: "),
        (["--init", "nowhere"], "there is no checkpoint at nowhere"),
    ],
)
def test_mistakes_are_one_sentence(train, capsys, arguments, sentence):
    assert train(*arguments) == 1
    error = capsys.readouterr().err
    assert sentence in error
    assert "Traceback" not in error
    assert len([line for line in error.splitlines() if line.startswith("error: ")]) == 1


@pytest.mark.parametrize("command", ["train", "evaluate", "export", "import", "plan", "bench"])
def test_help_shows_an_example(command, capsys):
    with pytest.raises(SystemExit) as exit_code:
        main([command, "--help"])
    assert exit_code.value.code == 0
    assert "example:\n  python -m pretrain " + command in capsys.readouterr().out


def test_plans_and_wrong_settings_do_not_wait_for_tensorflow():
    """It takes seconds to import."""
    script = """
import sys
from pretrain.__main__ import main, make_parser
config = ["--config", "configs/pretrain/tiny.yaml"]
assert main(["plan", *config]) == 0
train = ["train", *config, "--data", "nowhere", "--output", "nowhere"]
assert main([*train, "--set", "optimizer=sgd"]) == 1
assert "tensorflow" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_wrong_usage_exits_with_2(capsys):
    with pytest.raises(SystemExit) as exit_code:
        main([])
    assert exit_code.value.code == 2
    said = capsys.readouterr().err
    examples = re.findall(r"^    python -m pretrain (.*)$", said, re.MULTILINE)
    assert [example.split()[0] for example in examples] == ["train", "predict", "export"]
    for example in examples:  # the parser takes them
        make_parser().parse_args(shlex.split(example))
