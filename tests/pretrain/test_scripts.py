"""The training scripts: what they set exists, and they say how they are used."""

import glob
import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from data_gen.shared.settings import load_settings
from pretrain.checkpoint import store
from pretrain.config import TrainConfig
from pretrain.runtime.tensorflow import is_version_1
from tests.pretrain.helpers import DATA, free_ports

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
    (config,) = re.findall(r"\$\{CONFIG:-(configs/pretrain/\w+\.yaml)\}", text)
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


TINY = (
    "train_batch_size=8 gradient_accumulation_steps=1 num_train_steps=4 num_warmup_steps=1 "
    "steps_per_call=2 log_steps=2 save_checkpoints_steps=2 tpu=null precision=float32 "
    "jit_compile=false"
)


@pytest.fixture
def tree(tmp_path, root, model_file):
    """A copy of this tree, whose environments run this Python, and the settings of a tiny run."""
    home = tmp_path / "tree"
    home.mkdir()
    files = ("setup.cfg", "setup.py", "pyproject.toml")
    for name in ("configs", "data_gen", "pretrain", "scripts", *files):
        os.symlink(os.path.join(root, name), str(home / name))
    # The scripts find their tree by their own path, which must not be the link's target.
    os.remove(str(home / "scripts"))
    shutil.copytree(os.path.join(root, "scripts"), str(home / "scripts"))
    program(home / ".venv" / "bin" / "python", f'exec {sys.executable} "$@"')
    (home / ".venv" / ".stamp").write_text(stamp(home, "gpu"))
    environment = {
        **os.environ,
        "SETS": f"{TINY} bert_config_file={model_file}",
        "PYTHONWARNINGS": "ignore",
        "PYTHONPATH": str(home),
    }
    return home, environment


def program(path, line):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/usr/bin/env bash\n{line}\n")
    path.chmod(0o755)


def stamp(home, extras):
    command = f"source scripts/common.sh && stamp {extras}"
    return subprocess.check_output(["bash", "-c", command], cwd=str(home)).decode()


@pytest.mark.skipif(is_version_1(), reason="the scripts install the newest TensorFlow")
def test_the_script_for_several_machines_trains(tree, root, tmp_path):
    home, environment = tree
    data, model = os.path.join(root, DATA), str(tmp_path / "model")
    hosts = [f"localhost:{port}" for port in free_ports(2)]
    command = ["bash", str(home / "scripts" / "train_multi_gpu.sh"), data, model, *hosts]
    environment["CONFIG"] = "configs/pretrain/small.yaml"
    workers = [
        subprocess.Popen(
            command,
            env={**environment, "INDEX": str(index), "RETRIES": "0"},
            stderr=subprocess.PIPE,
        )
        for index in range(2)
    ]
    said = [worker.communicate(timeout=300)[1].decode() for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], said
    assert "CPU x 2 (" in said[0]
    assert store.latest(model).endswith("model.ckpt-4")
    with open(os.path.join(model, "run.json"), encoding="utf-8") as handle:
        assert json.load(handle)["config"]["learning_rate"] == 5e-4  # of small.yaml


# Does what `gcloud compute tpus tpu-vm` would, with a folder as the machine.
GCLOUD = """
echo "$*" >>"$MACHINE/../calls"
case $4 in
describe) [ -e "$MACHINE/made" ] ;;
create) touch "$MACHINE/made" ;;
scp) cp "$5" "$MACHINE" ;;
ssh)
  while [ "$1" != --command ]; do shift; done
  cd "$MACHINE" && bash -c "$2"
  ;;
esac
"""


@pytest.mark.skipif(is_version_1(), reason="the scripts install the newest TensorFlow")
@pytest.mark.parametrize(("kind", "where"), [("v3-8", "local"), ("v3-32", "my-tpu")])
def test_the_script_for_a_tpu_sends_the_code_and_trains_there(tree, root, tmp_path, kind, where):
    home, environment = tree
    machine = tmp_path / "machine"
    program(machine / "macbert" / ".venv" / "bin" / "python", f'exec {sys.executable} "$@"')
    shutil.copy(str(home / ".venv" / "bin" / "python"), str(machine / "macbert/.venv/bin/pip"))
    program(tmp_path / "bin" / "gcloud", GCLOUD)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a", "-C", str(home)]
    for words in (["init", "-q"], ["add", "configs", "scripts"], ["commit", "-q", "-m", "a"]):
        subprocess.run([*git, *words], check=True)
    environment["PATH"] = f"{tmp_path}/bin:{environment['PATH']}"
    environment["MACHINE"] = str(machine)
    data, model = os.path.join(root, DATA), str(tmp_path / "model")
    command = ["bash", str(home / "scripts" / "train_tpu_vm.sh"), "my-tpu", "zone", kind]
    for _ in range(2):  # the second time the machine is there, and the training done
        subprocess.run([*command, data, model], env=environment, check=True)
    assert store.latest(model).endswith("model.ckpt-4")
    calls = (tmp_path / "calls").read_text().splitlines()
    assert [call.split()[3] for call in calls] == [
        *("describe", "create", "scp", "ssh", "ssh"),
        *("describe", "scp", "ssh", "ssh"),
    ]
    assert f"tpu={where}" in calls[4]
    assert "--config configs/pretrain/macbert_base.yaml " in calls[4]
    assert all("--zone zone" in call for call in calls)
    assert (machine / "macbert" / "scripts" / "train_tpu_vm.sh").exists()
