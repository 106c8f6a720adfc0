"""The training scripts: what they set exists, and they say how they are used."""

import glob
import os
import re
import subprocess

import pytest

from data_gen.settings import load_settings
from pretrain.config import TrainConfig

SCRIPTS = sorted(glob.glob("scripts/train_*.sh"))


@pytest.mark.parametrize("path", SCRIPTS)
def test_a_script_without_arguments_says_how_it_is_used(path):
    result = subprocess.run(["bash", path], stderr=subprocess.PIPE, check=False)
    assert result.returncode == 2
    assert result.stderr.decode().startswith(f"  bash {path} ")


@pytest.mark.parametrize("path", SCRIPTS)
def test_the_settings_of_a_script_are_settings(path):
    with open(path, encoding="utf-8") as handle:
        text = handle.read()
    names = dict(re.findall(r"\b([a-z][a-z_]+)=(bfloat16|true|\d+|\"[^\"]*\")", text))
    wanted = {"precision", "jit_compile", "steps_per_call", "gradient_accumulation_steps"}
    known = {name: value.strip('"') for name, value in names.items() if name in wanted}
    assert "precision" in known
    known["precision"] = "bfloat16"
    (config,) = set(re.findall(r"configs/pretrain/\w+\.yaml", text))
    load_settings(TrainConfig, config, [f"{name}={value}" for name, value in known.items()])
    if path.endswith("tpu_vm.sh"):
        assert "--worker=all" in text


def test_words_for_the_command_line():
    command = 'source scripts/common.sh; sets a=1 "b=[x, y]"; printf "%s\\n" "${options[@]}"'
    environment = {**os.environ, "SETS": "c=3 d=4"}
    result = subprocess.run(
        ["bash", "-c", command], stdout=subprocess.PIPE, env=environment, check=True
    )
    words = [word for s in ("a=1", "b=[x, y]", "c=3", "d=4") for word in ("--set", s)]
    assert result.stdout.decode().splitlines() == words
