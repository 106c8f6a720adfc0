"""The wheel: all of the project and nothing else, and its commands in an empty folder."""

import configparser
import glob
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile

import pytest

import data_gen
import data_gen.__main__
import pretrain.__main__
from data_gen.core.compiled import LOOPS
from data_gen.shared.commands import COMMANDS
from data_gen.shared.errors import UserError
from data_gen.shared.shipped import KINDS, find_file, revision, setting_names, shipped_names
from tests.conftest import ROOT
from tests.package.conftest import build_wheel


def setup_cfg():
    parser = configparser.ConfigParser()
    parser.read(os.path.join(ROOT, "setup.cfg"), encoding="utf-8")
    return parser


def sources():
    return [
        path
        for package in ("data_gen", "pretrain")
        for path in glob.glob(f"{package}/**/*.py", recursive=True)
    ]


def test_the_packages_listed_are_those_of_the_tree():
    listed = setup_cfg()["options"]["packages"].split()
    tree = {os.path.dirname(path).replace("/", ".") for path in sources()}
    assert sorted(listed) == sorted({*tree, "data_gen.configs"})


WEB = ["pretrain/predict/web", "data_gen/shared/web", "data_gen/show/web", "pretrain/report/web"]


def test_the_wheel_holds_everything_and_nothing_else(names):
    configs = [
        f"data_gen/{path}"
        for path in glob.glob("configs/**", recursive=True)
        if os.path.isfile(path)
    ]
    pages = [page for folder in WEB for page in glob.glob(f"{folder}/*")]
    neighbours = "data_gen/synonyms/toolkit_neighbours.npz"
    assert len(configs) >= 34
    assert len(pages) == 12
    expected = {*sources(), *configs, *pages, neighbours}
    found = {name for name in names if ".dist-info/" not in name}
    library = {name for name in found if name.startswith("data_gen/core/_compiled.")}
    assert len(library) == bool(LOOPS)  # a compiler made this clone's, too
    assert found - library == expected
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {
        "data_gen",
        "pretrain",
    }


def test_both_console_commands(installed):
    for name, program in (("macbert-data", "data_gen"), ("macbert-pretrain", "pretrain")):
        command = os.path.join(installed.site, "bin", name)
        said = installed.run(command, "--help").stdout
        assert said.startswith(f"usage: python -m {program} ")


def test_the_table_of_commands_is_that_of_the_parsers():
    for package in (data_gen, pretrain):
        parser = package.__main__.make_parser()
        found = []
        for name, command in choices(parser).items():
            actions = choices(command)
            found += [f"{name} {action}" for action in actions] or [name]
        assert sorted(COMMANDS[f"python -m {package.__name__}"]) == sorted(found)


def choices(parser):
    """The subcommands of a parser, by name."""
    found = {}
    for action in parser._actions:  # argparse has no public list
        named = action.choices if isinstance(action.choices, dict) else {}
        found.update({name: one for name, one in named.items() if hasattr(one, "parse_args")})
    return found


TINY = (
    *("max_seq_length=48", "max_predictions_per_seq=12", "segmenter.name=char", "num_shards=2"),
    "masking.corruption=partial_mask",
)
SHORT = (
    *("num_train_steps=4", "num_warmup_steps=1", "save_checkpoints_steps=2", "log_steps=2"),
    "train_batch_size=4",
)


IN_ONE_PROCESS = """
import importlib, sys, time
for line in sys.stdin.read().splitlines():
    package, *argv = line.split()
    print("==", importlib.import_module(package + ".__main__").main(argv))
    print(time.process_time(), line, file=sys.stderr)
"""


def sets(settings):
    return " ".join(f"--set {setting}" for setting in settings)


def test_from_text_to_a_prediction_in_an_empty_folder(installed, tmp_path):
    for package in ("tokenizers", "tensorflow"):
        if not importlib.util.find_spec(package):  # importing would take long
            pytest.skip(f"could not import '{package}'")
    shutil.copy(os.path.join(ROOT, "tests", "data", "text.txt"), tmp_path / "text.txt")

    lines = [
        f"data_gen build --config tiny --input text.txt --output data --workers 1 {sets(TINY)}",
        "data_gen stats data",
        "data_gen show data -n 1",
        f"pretrain train --config tiny --data data --output model {sets(SHORT)}",
        "pretrain evaluate --model model --data data",
        "pretrain export --format hf --model model --output release",
        "pretrain predict --model model 使用语[MASK]来预测",
    ]
    # In one process: TensorFlow takes long to import.
    result = installed.python("-c", IN_ONE_PROCESS, input="\n".join(lines), folder=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    for said in ("instances  ", "example 1 of", "\nmodel/model.ckpt-4\n", "masked"):
        assert said in result.stdout
    assert result.stdout.count("== 0\n") == len(lines), result.stderr
    assert (tmp_path / "release" / "model.safetensors").exists()
    manifest = json.loads((tmp_path / "data" / "dataset.json").read_text(encoding="utf-8"))
    assert manifest["config"]["vocab_file"] == "configs/vocab/bert_base_chinese.txt"
    described = json.loads((tmp_path / "model" / "run.json").read_text(encoding="utf-8"))
    assert described["git_revision"] == data_gen.__version__
    assert described["config"]["bert_config_file"] == "configs/models/tiny.json"


@pytest.fixture
def foreign(installed):
    """A repository of something else around the installed packages."""
    git = ["git", "-c", "user.name=a", "-c", "user.email=a", "-C", os.path.dirname(installed.site)]
    for words in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "theirs"]):
        subprocess.run([*git, *words], check=True)
    yield
    shutil.rmtree(os.path.join(os.path.dirname(installed.site), ".git"))


def test_the_revision_is_never_that_of_another_repository(installed, foreign):
    said = installed.python("-m", "pretrain", "--version").stdout
    version = data_gen.__version__
    assert said == f"macbert-pretraining {version}, revision {version}\n"


def test_the_revision_of_a_clone_is_its_commit():
    if not os.path.exists(".git"):
        pytest.skip("this is no clone")
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()
    assert revision() in (head, f"{head}+")


def test_the_list_names_every_preset_model_and_setting(installed):
    said = installed.python("-m", "data_gen", "--list").stdout
    assert said == installed.python("-m", "pretrain", "--list").stdout
    for kind in KINDS:
        for name in shipped_names(kind):
            assert re.search(rf"^  {re.escape(name)}\b", said, re.MULTILINE), name
    for kind in ("data", "pretrain", "finetune"):
        assert len(setting_names(kind)) > 15
        for name in setting_names(kind):
            assert re.search(rf"^  {re.escape(name)}: ", said, re.MULTILINE), name


@pytest.mark.parametrize(
    ("kind", "name", "sentence"),
    [
        ("data", "macbert_521", r"no preset of that name; did you mean macbert_512\?$"),
        ("data", "macbert_base", "macbert_base is for `python -m pretrain train --config`$"),
        ("data", "configs/data/tyni.yaml", r"no file configs/data/tyni.yaml, .*mean tiny\?$"),
        ("data", "qqqqqq", "`--list` names the presets$"),
        ("models", "bse", r"no model of that name; did you mean base\?$"),
        ("pretrain", "../pretrain/tiny", "did you mean tiny"),
        ("pretrain", "configs/../README.md", "there is no file"),
    ],
)
def test_a_name_that_is_nearly_one_names_the_nearest(kind, name, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=sentence):
        find_file(kind, name)


def test_a_file_of_the_current_folder_comes_before_a_preset(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert os.path.isabs(find_file("data", "tiny"))
    (tmp_path / "tiny").write_text("random_seed: 1")
    assert find_file("data", "tiny") == "tiny"


def test_without_a_compiler_the_wheel_has_all_but_the_loops(tmp_path):
    wheel = build_wheel(tmp_path, CC="false")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert "data_gen/core/compiled.py" in names
    assert not [name for name in names if "_compiled." in name]
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    code = "from data_gen.core import columns, compiled; print(compiled.LOOPS, columns.__file__)"
    said = subprocess.run(
        [sys.executable, "-c", code],
        cwd=site,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert said.startswith(f"{{}} {site}")
