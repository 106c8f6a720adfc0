"""The rules of the tree: who imports whom, and what the presets say."""

import ast
import glob
import json
import os
import re

import pytest

yaml = pytest.importorskip("yaml")

STAGES = [
    "corpus",
    "segmentation",
    "tokenization",
    "pairs",
    "synonyms",
    "masking",
    "records",
]
# What each folder or module at the top of `data_gen` may import, besides itself.
MAY_IMPORT = {
    "shared": [],
    "core": ["shared"],
    "storage": ["shared"],
    "engine": ["shared", "core", "storage"],
    "corpus": ["shared", "core", "storage"],
    "segmentation": ["shared", "core"],
    "tokenization": ["shared", "core"],
    "pairs": ["shared", "core"],
    "synonyms": ["shared", "core", "storage", "tokenization"],
    "masking": ["shared", "core", "tokenization", "synonyms"],
    "records": ["shared", "core", "storage"],
    "config": ["shared", *STAGES],
    "pipeline": ["shared", "core", "config", *STAGES],
    "jobs": ["shared", "core", "storage", "engine", "config", "pipeline", *STAGES],
    "show": ["shared", "core", "storage", "tokenization", "records", "pairs", "masking"],
    "cli": ["shared", "core", "storage", "engine", "config", "pipeline", *STAGES, "jobs", "show"],
    "__main__": ["shared", "cli"],
}
# From the ground up: a folder of `pretrain` imports what stands before it ...
PRETRAIN = [
    "runtime",
    "tasks",
    "results",
    "model",
    "learning",
    "config",
    "inputs",
    "checkpoint",
    "text",
    "evaluate",
    "train",
    "finetune",
    "predict",
    "vocab",
    "exchange",
    "plan",
    "report",
    "cli",
    "__main__",
]
# ... but for these: what uses a model does not need the trainer, nor do the three one another.
MAY_NOT_IMPORT = {
    "predict": ["train"],
    "vocab": ["train", "predict"],
    "exchange": ["train", "predict", "vocab"],
    "report": ["train", "finetune", "predict", "vocab", "exchange", "plan"],
}
# `pretrain` uses the generator's contract; text for a model, its tokenizers and readers, too; the
# data of a task, packed files.
MAY_IMPORT_OF_DATA_GEN = {
    "text": ["shared", "tokenization", "corpus", "storage"],
    "tasks": ["shared", "storage"],
}

SOURCES = sorted(glob.glob("data_gen/**/*.py", recursive=True)) + sorted(
    glob.glob("pretrain/**/*.py", recursive=True)
)


def parsed(path):
    with open(path, encoding="utf-8") as handle:
        return ast.parse(handle.read())


def imports(path):
    """The dotted names of every import of a file, those inside functions included."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(path_or_name):
    """(package, folder or module at its top) of a file or of a dotted name."""
    parts = re.split(r"[/.]", re.sub(r"\.py$", "", path_or_name))
    return tuple([*parts, ""][:2])


def allowed(package, folder):
    if package == "data_gen":
        return {("data_gen", other) for other in [folder, *MAY_IMPORT[folder]]}
    below = PRETRAIN[: PRETRAIN.index(folder) + 1]
    of_data_gen = MAY_IMPORT_OF_DATA_GEN.get(folder, ["shared"])
    return {
        *(("pretrain", other) for other in below if other not in MAY_NOT_IMPORT.get(folder, [])),
        *(("data_gen", other) for other in of_data_gen),
    }


@pytest.mark.parametrize("path", [p for p in SOURCES if not p.endswith("__init__.py")])
def test_a_folder_imports_only_what_it_may(path):
    used = {room(name) for name in imports(path) if name.startswith(("data_gen.", "pretrain."))}
    assert used <= allowed(*room(path))


def test_no_circle_of_modules():
    modules = {re.sub(r"/__init__$", "", path[:-3]).replace("/", "."): path for path in SOURCES}
    needs = {
        module: {
            name if name in modules else name.rpartition(".")[0]
            for name in imports(path)
            if name.startswith(("data_gen.", "pretrain."))
        }
        for module, path in modules.items()
    }
    while ready := [module for module, used in needs.items() if not used & needs.keys()]:
        for module in ready:
            del needs[module]
    assert not needs


def test_the_generator_knows_no_tensorflow_and_no_trainer():
    for path in glob.glob("data_gen/**/*.py", recursive=True):
        assert not {"tensorflow", "keras", "pretrain"} & {room(name)[0] for name in imports(path)}


def test_tensorflow_is_imported_in_one_place():
    importers = [p for p in SOURCES if "tensorflow" in {room(name)[0] for name in imports(p)}]
    assert importers == [os.path.join("pretrain", "runtime", "tensorflow.py")]


def test_a_folder_says_what_it_is_for_and_does_nothing_else():
    for path in SOURCES:
        if path.endswith("__init__.py"):
            body = parsed(path).body
            assert isinstance(body[0], ast.Expr), path
            assert [type(n) for n in body[1:]] in ([], [ast.Assign]), path  # the version


def test_folders_stay_small_enough_to_survey():
    for package in ("data_gen", "pretrain"):
        assert len(glob.glob(f"{package}/*.py")) <= 8
        for folder, _, names in os.walk(package):
            assert sum(name.endswith(".py") for name in names) <= 15, folder


def test_tests_share_helpers_and_import_no_test_module():
    for path in glob.glob("tests/**/*.py", recursive=True):
        others = [n for n in imports(path) if re.match(r"tests\..*\btest_", n)]
        assert not others, path


def docstrings(path):
    """(name, docstring) of a file and of all that it defines."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
            text = ast.get_docstring(node)
            if text:
                yield getattr(node, "name", path), text


def test_docstrings_begin_with_a_verb_or_a_noun():
    asking = [
        f"{path}: {name}: {text.splitlines()[0]}"
        for path in SOURCES
        for name, text in docstrings(path)
        if re.match(r"(What|Whether|Which|Where|How)\b", text)
    ]
    assert len(asking) <= 12, "\n".join(asking)


def test_a_private_name_stays_in_its_module():
    for path in SOURCES:
        private = [n for n in imports(path) if re.search(r"\._[a-z]", n, re.I) and "__" not in n]
        assert not [name for name in private if name.startswith(("data_gen.", "pretrain."))], path


PRESET_KINDS = ("data", "pretrain", "finetune")
PRESETS = sorted(path for kind in PRESET_KINDS for path in glob.glob(f"configs/{kind}/*.yaml"))
SOURCE = re.compile(r"# (paper|readme|issue (wwm|mac)#\d+|lamb|google|cmrc|clue|our choice)\b")


@pytest.mark.parametrize("path", PRESETS)
def test_every_value_of_a_preset_has_its_source(path):
    with open(path, encoding="utf-8") as handle:
        text = handle.read()
    for line in text.splitlines():
        if line and not re.match(r"#|base: |\s*\w+:$", line):
            assert SOURCE.search(line), line
    assert yaml.safe_load(text)


def values_of(path):
    """The values of a preset, its base left out: {(group, ..., setting): value}."""
    with open(path, encoding="utf-8") as handle:
        return dict(leaves(yaml.safe_load(handle)))


def leaves(group, names=()):
    for name, value in group.items():
        if isinstance(value, dict):
            yield from leaves(value, (*names, name))
        elif name != "base":
            yield (*names, name), value


def base_of(path):
    with open(path, encoding="utf-8") as handle:
        name = yaml.safe_load(handle).get("base")
    return name and os.path.join(os.path.dirname(path), f"{name}.yaml")


@pytest.mark.parametrize("path", PRESETS)
def test_a_preset_names_what_it_changes_and_no_more(path):
    below = base_of(path)
    if below is None:
        assert os.path.basename(path) == "base.yaml"
        return
    inherited = {}
    while below is not None:
        inherited = {**values_of(below), **inherited}
        below = base_of(below)
    own = values_of(path)
    assert set(own) <= set(inherited)
    assert not [name for name, value in own.items() if value == inherited[name]]
    assert len(own) <= 12


def test_the_presets_are_those_promised():
    names = {
        kind: {os.path.basename(p)[:-5] for p in PRESETS if kind in p} for kind in PRESET_KINDS
    }
    assert names["data"] == {"base", "tiny", "wwm_128", "wwm_512", "roberta_wwm_512", "macbert_512"}
    assert names["pretrain"] == {
        "base",
        "tiny",
        "small",
        "bert_wwm",
        "bert_wwm_ext",
        "roberta_wwm_ext",
        "roberta_wwm_ext_large",
        "macbert_base",
        "macbert_large",
        "continue",
        "electra_mini",
        *(f"electra{kind}_{size}" for kind in ("", "_wwm") for size in ("small", "base", "large")),
    }
    assert names["finetune"] == {
        *("base", "cmrc2018", "drcd", "xnli", "chnsenticorp", "lcqmc", "bq"),
        *("afqmc", "tnews", "ocnli", "cluewsc", "classification", "pair"),
    }


@pytest.mark.parametrize(
    ("name", "layers", "hidden", "heads"),
    [
        ("tiny", 2, 128, 2),
        ("small", 4, 256, 4),
        ("rbt3", 3, 768, 12),
        ("base", 12, 768, 12),
        ("large", 24, 1024, 16),
    ],
)
def test_models(name, layers, hidden, heads):
    with open(f"configs/models/{name}.json", encoding="utf-8") as handle:
        model = json.load(handle)
    assert model["num_hidden_layers"] == layers
    assert model["hidden_size"] == hidden
    assert model["num_attention_heads"] == heads
    assert model["intermediate_size"] == 4 * hidden
    assert model["vocab_size"] == 21128
    assert sorted(model) == list(model)


def test_the_vocabulary_is_googles():
    import hashlib

    with open("configs/vocab/bert_base_chinese.txt", "rb") as handle:
        digest = hashlib.md5(handle.read()).hexdigest()
    assert digest == "3b5b76c4aef48ecf8cb3abaafe960f09"
