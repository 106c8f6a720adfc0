"""Consoles of any encoding, readers that go away, words that are nearly right, other outputs."""

import os
import subprocess
import sys

import pytest

import data_gen.__main__
import pretrain.__main__
from data_gen.shared.console import utf8_text
from tests.conftest import ROOT

MAINS = {"data_gen": data_gen.__main__.main, "pretrain": pretrain.__main__.main}
DATA = "tests/golden/dataset"
PLAIN = {"LC_ALL": "C", "LANG": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
CONSOLES = {
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "ascii:strict": {"PYTHONIOENCODING": "ascii:strict"},
    "gbk": {"PYTHONIOENCODING": "gbk"},
    "the C locale": PLAIN,
}
TEXT = "今天天气很好。“真的吗？” Ž 他说，明天也很好。\n我们一起去公园散步吧。\n\n" * 9


def run(line, environment, *more, **options):
    return subprocess.run(
        [sys.executable, "-m", *line.split(), *more],
        env={**os.environ, "PYTHONIOENCODING": "", **environment},
        capture_output=True,
        check=False,
        **options,
    )


LINES = [
    f"data_gen show {DATA}",
    f"data_gen stats {DATA}",
    "data_gen --list",
    "data_gen synonyms nearby --help",
    "pretrain vocab extend --help",
    "pretrain plan --config macbert_base",
]
# Several commands in one process, as each would be run by itself.
SEVERAL = """
import contextlib, sys
import data_gen.__main__, pretrain.__main__
for line in sys.argv[1:]:
    package, *argv = line.split()
    main = data_gen.__main__.main if package == "data_gen" else pretrain.__main__.main
    with contextlib.suppress(SystemExit):
        assert main(argv) == 0
"""


def said_by_all(environment):
    result = subprocess.run(
        [sys.executable, "-c", SEVERAL, *LINES],
        env={**os.environ, "PYTHONIOENCODING": "", **environment},
        capture_output=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, b"")
    return result.stdout


@pytest.fixture(scope="module")
def plain():
    return said_by_all({"PYTHONIOENCODING": "utf-8"}).decode("utf-8")


@pytest.mark.parametrize("console", CONSOLES)
def test_a_console_without_chinese_gets_escapes(console, plain):
    encoding = "gbk" if console == "gbk" else "ascii"
    said = said_by_all(CONSOLES[console])
    assert said == plain.encode(encoding, errors="backslashreplace")
    assert b"\\u" in said or encoding == "gbk"


def test_errors_and_results_of_a_build_in_the_c_locale(tmp_path):
    pytest.importorskip("tokenizers")
    folder = tmp_path / "语料"
    folder.mkdir()
    (folder / "一.txt").write_text(TEXT, encoding="utf-8")
    build = "data_gen build --config tests/data/golden.yaml --set segmenter.name=char --workers 1"
    masked = "--set masking.corruption=partial_mask"
    output = folder / "数据"
    line = f"{build} {masked} --input {folder} --output {output}"
    result = run(line, PLAIN)
    assert result.returncode == 0, result.stderr
    assert (
        b"\\udc" in result.stdout
    )  # the name of the folder, whose bytes this locale does not know
    assert (output / "dataset.json").exists()
    result = run(f"data_gen stats {folder}", PLAIN)
    assert result.returncode == 1
    assert b"unexpected" not in result.stderr


def test_words_that_are_given_in_the_c_locale():
    code = "import sys; from pretrain.__main__ import make_parser; "
    code += "print(ascii(make_parser().parse_args(sys.argv[1:]).texts))"
    words = ["语言", "a", b"\xd6\xd0"]
    result = subprocess.run(
        [sys.executable, "-c", code, "predict", "--model", "a", *words],
        env={**os.environ, **PLAIN, "PYTHONPATH": ROOT},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == "['\\u8bed\\u8a00', 'a', '\\udcd6\\udcd0']\n"
    assert utf8_text("语言") == "语言"


@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-", "2>&-"])
def test_streams_that_are_closed_from_the_start(closed):
    command = f"{sys.executable} -m data_gen stats {DATA} {closed}"
    result = subprocess.run(["bash", "-c", command], capture_output=True, check=False)
    assert (result.returncode, result.stderr) == (0, b"")
    assert bool(result.stdout) == (closed == "2>&-")


def closed_pipe():
    """The writing end of a pipe that nobody reads."""
    read, write = os.pipe()
    os.close(read)
    return write


READS = [f"data_gen stats {DATA}", f"data_gen show {DATA} -n 70", "data_gen --list"]
READS += ["pretrain plan --config macbert_base", "pretrain bench --help"]


@pytest.mark.parametrize("line", READS)
@pytest.mark.parametrize("both", [False, True])
def test_a_reader_that_has_seen_enough_is_no_error(line, both):
    """As `| head -1`, and `2>&1 | head -1`."""
    write = closed_pipe()
    try:
        result = subprocess.run(
            [sys.executable, "-m", *line.split()],
            stdout=write,
            stderr=write if both else subprocess.PIPE,
            check=False,
        )
    finally:
        os.close(write)
    assert result.returncode == 0
    assert both or result.stderr == b""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("line", [*READS, f"data_gen verify {DATA}", "pretrain results --help"])
def test_results_on_a_full_disk_are_one_sentence(line):
    with open("/dev/full", "w", encoding="utf-8") as full:
        result = subprocess.run(
            [sys.executable, "-m", *line.split()],
            stdout=full,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": ""},
            check=False,
        )
    said = [line for line in result.stderr.decode().splitlines() if not line.startswith("warning")]
    assert result.returncode == 1
    assert len(said) == 1
    assert said[0].startswith("error: cannot write /dev/full: No space left on device: make room")


def test_work_goes_on_when_nobody_reads_what_is_said_along_the_way(tmp_path):
    pytest.importorskip("tokenizers")
    (tmp_path / "a.txt").write_text(TEXT, encoding="utf-8")
    arguments = ["--config", "tests/data/golden.yaml", "--set", "segmenter.name=char"]
    arguments += ["--set", "masking.corruption=partial_mask", "--input", str(tmp_path / "a.txt")]
    write = closed_pipe()
    try:
        result = subprocess.run(
            [
                *(sys.executable, "-m", "data_gen", "build", *arguments, "--log-json"),
                *("--output", str(tmp_path / "data")),
            ],
            stdout=write,
            stderr=write,
            check=False,
        )
    finally:
        os.close(write)
    assert result.returncode == 0
    assert (tmp_path / "data" / "dataset.json").exists()


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("data_gen bild", "; did you mean build?"),
        ("data_gen train", "; it is a command of the other package: `python -m pretrain train`"),
        ("data_gen trian", "; did you mean python -m pretrain train?"),
        ("data_gen vocab extend", "other package: `python -m pretrain vocab extend`"),
        ("data_gen vocab chek", "; did you mean check?"),
        ("pretrain stats", "other package: `python -m data_gen stats`"),
        ("pretrain evalute", "; did you mean evaluate?"),
        ("pretrain vocab train", "other package: `python -m data_gen vocab train`"),
        ("pretrain synonyms", "other package: `python -m data_gen synonyms build`"),
        ("data_gen stats x --jsn", "unrecognized arguments: --jsn; --jsn is unknown; did you mean"),
        ("data_gen stats --helpp", "did you mean --help?"),
        ("pretrain plan --confg base", "--confg is unknown; did you mean --config?"),
        ("pretrain export --format hff --model a --output b", "; did you mean hf?"),
        ("pretrain bench --optimizer adam", "; did you mean adamw?"),
    ],
)
def test_wrong_usage_names_what_was_perhaps_meant(line, sentence, capsys):
    program, *argv = line.split()
    with pytest.raises(SystemExit) as exit_code:
        MAINS[program](argv)
    assert exit_code.value.code == 2
    assert sentence in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("plan --config macbert_bse", "did you mean macbert_base?"),
        ("plan --config macbert_512", "macbert_512 is for `python -m data_gen COMMAND --config`"),
        ("plan --config base --device a100-8", "did you mean a100-80?"),
        ("plan --config base --set optimizer=lam", "not lam; did you mean lamb?"),
        ("plan --config base --set lerning_rate=1", "did you mean learning_rate?"),
        ("plan --config base --set dupe_factor=1", "one of `python -m data_gen COMMAND --config`"),
        ("plan --config base --set num_train_epochs=1", "num_train_epochs"),
        ("plan --config base --set bert_config_file=bas", "cannot read the model bas"),
        ("plan --config base --set learning_rate=${oc.env:HOME}", "write the value itself"),
        ("plan --config base --set learning_rate=???", "learning_rate is ???: write the value"),
    ],
)
def test_a_mistake_is_one_sentence_with_the_nearest_name(line, sentence, capsys):
    assert MAINS["pretrain"](line.split()) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert sentence in said


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a100", "a100-80"),
        ("A100-40GB", "a100-40"),
        ("h100", "h100"),
        ("v5e", "tpu-v5e"),
        ("TPU_v4", "tpu-v4"),
    ],
)
def test_a_device_is_found_by_the_name_that_people_give_it(name, expected):
    from pretrain.plan.accelerators import find_device

    assert find_device(name) == expected
