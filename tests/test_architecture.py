"""The rules of the tree: who imports whom, and what the presets say."""

import ast
import glob
import json
import os
import re

import pytest

yaml = pytest.importorskip("yaml")

# From the ground up; a module imports only what stands before it.
DATA_GEN = [
    "settings",
    "features",
    "packages",
    "progress",
    "types",
    "draws",
    "wordclass",
    "storage",
    "outputs",
    "formats",
    "normalise",
    "splitting",
    "vocabulary",
    "pieces",
    "wordpiece",
    "sentence_piece",
    "tokenizer",
    "words",
    "ltp_neural",
    "ltp",
    "segment",
    "word_text",
    "word_file",
    "stats",
    "distinct",
    "lexicon",
    "placing",
    "masking",
    "corruption",
    "pairs",
    "alike",
    "config",
    "kept",
    "repeats",
    "corpus",
    "engine",
    "text_files",
    "word_folder",
    "sentences",
    "records",
    "reader",
    "ray_engine",
    "table",
    "synonyms",
    "vectors",
    "neighbours",
    "word2vec",
    "tables",
    "coverage",
    "quality",
    "layout",
    "known",
    "examples",
    "pipeline",
    "work",
    "stages",
    "build",
    "segmentation",
    "bench",
    "sample",
    "vocab",
    "vocab_check",
    "tools",
    "similar_tools",
    "show",
    "page",
    "__main__",
]
PRETRAIN = [
    "devices",
    "files",
    "config",
    "cost",
    "requirements",
    "bert",
    "heads",
    "optimizers",
    "inputs",
    "checkpoint",
    "run",
    "metrics",
    "step",
    "model",
    "texts",
    "propose",
    "fill",
    "correct",
    "predict",
    "serve",
    "predict_tools",
    "check_head",
    "vocabulary",
    "extend",
    "shrink",
    "vocabulary_tools",
    "evaluate",
    "train",
    "release",
    "weight_files",
    "hugging_face",
    "hf_tokenizer",
    "model_card",
    "saved_model",
    "imports",
    "export",
    "exchange_tools",
    "plan",
    "bench",
    "__main__",
]


def imports(path):
    """(top package, module within it or None) of every import of a file."""
    with open(path, encoding="utf-8") as handle:
        tree = ast.parse(handle.read())
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            package = node.module in ("data_gen", "pretrain")
            names = [f"{node.module}.{a.name}" for a in node.names] if package else [node.module]
        else:
            continue
        for name in names:
            yield [*name.split("."), None][:2]


@pytest.mark.parametrize(("package", "order"), [("data_gen", DATA_GEN), ("pretrain", PRETRAIN)])
def test_imports_go_down_only(package, order):
    modules = {os.path.basename(path)[:-3] for path in glob.glob(f"{package}/*.py")}
    assert modules == {*order, "__init__"}
    for i, module in enumerate(order):
        used = {name for top, name in imports(f"{package}/{module}.py") if top == package}
        assert used <= set(order[:i]), f"{package}.{module} imports what stands above it"


def test_the_generator_knows_no_tensorflow_and_no_trainer():
    for path in glob.glob("data_gen/*.py"):
        assert not {"tensorflow", "keras", "pretrain"} & {top for top, _ in imports(path)}, path


def test_the_trainer_takes_the_contract_and_the_settings_from_the_generator_and_no_more():
    for path in glob.glob("pretrain/*.py"):
        used = {name for top, name in imports(path) if top == "data_gen"}
        # What turns text into pieces for a model needs the generator's tokenizers.
        text = {"tokenizer", "splitting"} if path.endswith("texts.py") else set()
        assert used <= {"features", "settings", "vocabulary"} | text, path


def test_tensorflow_is_imported_in_one_place():
    importers = [
        p for p in glob.glob("pretrain/*.py") if ("tensorflow", None) in map(tuple, imports(p))
    ]
    assert importers == [os.path.join("pretrain", "devices.py")]


PRESETS = sorted(glob.glob("configs/data/*.yaml") + glob.glob("configs/pretrain/*.yaml"))
SOURCE = re.compile(r"# (paper|readme|issue (wwm|mac)#\d+|lamb|google|our choice)\b")


@pytest.mark.parametrize("path", PRESETS)
def test_every_value_of_a_preset_has_its_source(path):
    with open(path, encoding="utf-8") as handle:
        text = handle.read()
    for line in text.splitlines():
        if line and not line.startswith("#") and not line.endswith(":"):
            assert SOURCE.search(line), line
    assert yaml.safe_load(text)


def test_the_presets_are_those_promised():
    names = {
        kind: {os.path.basename(p)[:-5] for p in PRESETS if kind in p}
        for kind in ("data", "pretrain")
    }
    assert names["data"] == {"tiny", "wwm_128", "wwm_512", "roberta_wwm_512", "macbert_512"}
    assert names["pretrain"] == {
        "tiny",
        "small",
        "bert_wwm",
        "bert_wwm_ext",
        "roberta_wwm_ext",
        "roberta_wwm_ext_large",
        "macbert_base",
        "macbert_large",
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
