"""The command line as a user meets it: what it prints, and its exit codes."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest

from data_gen.__main__ import main, make_parser
from data_gen.corpus.samples import peoples_daily
from data_gen.synonyms.vector_files import read_vectors
from tests.data_gen.helpers import SEGMENTED, TEXT, VOCAB

COMMANDS = [
    ["build"],
    ["segment"],
    ["stats"],
    ["show"],
    ["bench"],
    ["synonyms", "build"],
    ["synonyms", "nearby"],
    ["synonyms", "coverage"],
    ["synonyms", "judge"],
    ["segmenter", "fetch"],
    ["segmenter", "train"],
    ["corpus", "sample"],
    ["vocab", "train"],
    ["vocab", "check"],
]


@pytest.fixture
def build(tmp_path, table):
    """Run `build` with good arguments, some of them replaced."""

    def run(inputs=(TEXT,), output="out", sets=(), workers="1"):
        settings = ["segmenter.name=jieba", f"synonyms.table={table}", *sets]
        overrides = [word for setting in settings for word in ("--set", setting)]
        places = ["--output", str(tmp_path / output), "--input", *inputs]
        command = ["build", "--config", "configs/data/tiny.yaml", "--workers", workers]
        return main([*command, *overrides, *places])

    return run


@pytest.fixture
def fails(capsys):
    """Check that a command failed with exit code 1 and one clear sentence."""

    def check(code, *expected):
        error = capsys.readouterr().err
        assert code == 1
        assert error.count("\n") == 1, error
        assert error.startswith("error: ")
        assert "unexpected" not in error
        for part in expected:
            assert part in error

    return check


def test_build_then_stats(build, tmp_path, capsys):
    assert build() == 0
    assert "51 sentences" in capsys.readouterr().out
    assert main(["stats", str(tmp_path / "out")]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert any(row.split()[:2] == ["instances", "18"] for row in rows), rows
    assert rows[0].startswith("Promised and realised: ")
    assert main(["stats", str(tmp_path / "out"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sentences"] == 51


def test_a_build_says_that_it_makes_its_own_table(tmp_path, vectors, monkeypatch, capsys):
    monkeypatch.setattr("data_gen.jobs.build_synonyms.toolkit_vectors", lambda: vectors)
    argv = ["build", "--config", "tests/data/golden.yaml"]
    argv += ["--input", SEGMENTED, "--workers", "1", "--output", str(tmp_path / "out")]
    assert main(argv) == 0
    said = "synonyms.safetensors: similar words from toolkit and this text (synonyms.vectors)"
    assert said in capsys.readouterr().err
    assert main(argv) == 0
    assert capsys.readouterr().err == ""


def test_no_input_matches(build, fails, tmp_path):
    fails(build([str(tmp_path / "*.txt")]), "no input matches", "*.txt")
    fails(build([str(tmp_path / "missing.txt")]), "no input matches", "missing.txt")


def test_an_unreadable_file(build, fails, tmp_path):
    os.symlink(tmp_path / "nowhere", tmp_path / "dangling.txt")
    fails(build([str(tmp_path / "dangling.txt")]), "cannot read", "dangling.txt")


@pytest.mark.parametrize("text", ["", "\n \n\u3000\n"])
def test_empty_text(build, fails, tmp_path, text):
    (tmp_path / "empty.txt").write_text(text, encoding="utf-8")
    fails(build([str(tmp_path / "empty.txt")]), "there is no text in")


def test_text_of_single_words(build, fails, tmp_path):
    (tmp_path / "words.txt").write_text("好\n\n的\n", encoding="utf-8")
    fails(build([str(tmp_path / "words.txt")]), "no instance", "two pieces")


def test_invalid_utf8(build, fails, tmp_path):
    (tmp_path / "gbk.txt").write_bytes("OK\n\n我们的中文。".encode("gb18030"))
    fails(
        build([str(tmp_path / "gbk.txt")]),
        "gbk.txt, line 3 is not UTF-8 (byte 1)",
        "corpus.encoding=gb18030",
    )


def test_an_unknown_setting(build, fails):
    fails(build(sets=["masking.mask_selector=word"]), "masking.mask_selector", "mean selector?")


def test_a_vocabulary_without_the_special_tokens(build, fails, tmp_path):
    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\n中\n", encoding="utf-8")
    fails(build(sets=[f"vocab_file={tmp_path / 'vocab.txt'}"]), "lacks [CLS] [SEP] [MASK]")


def test_a_table_for_another_vocabulary(build, fails, tmp_path):
    shutil.copy(VOCAB, tmp_path / "vocab.txt")
    with open(tmp_path / "vocab.txt", "a", encoding="utf-8") as handle:
        handle.write("“\n")
    fails(build(sets=[f"vocab_file={tmp_path / 'vocab.txt'}"]), "made for another vocabulary")


def test_an_output_with_another_build(build, fails, capsys):
    assert build() == 0
    capsys.readouterr()
    fails(build(sets=["random_seed=1"]), "holds another build", "--output")
    assert build() == 0


def test_stats_of_no_build(fails, tmp_path):
    fails(main(["stats", str(tmp_path)]), "no finished build")


def test_a_mistake_of_ours_asks_for_a_report(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr("data_gen.storage.dataset_folder.read_dataset", lambda folder: 1 / 0)
    assert main(["stats", str(tmp_path)]) == 1
    assert "unexpected ZeroDivisionError" in capsys.readouterr().err
    assert main(["stats", str(tmp_path), "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_shows_an_example(command, capsys):
    with pytest.raises(SystemExit) as exit_code:
        main([*command, "--help"])
    assert exit_code.value.code == 0
    assert "example:\n  python -m data_gen " + " ".join(command) in capsys.readouterr().out


@pytest.mark.parametrize(
    "command", [["build"], ["synonyms", "build"], ["synonyms", "coverage"]], ids=" ".join
)
def test_commands_with_tasks_are_run_alike(command, capsys):
    with pytest.raises(SystemExit):
        main([*command, "--help"])
    said = capsys.readouterr().out
    for flag in ("--workers", "--engine {local,ray}", "--ray-address", "--log-json"):
        assert flag in said


def test_without_arguments_three_commands_are_named(capsys):
    with pytest.raises(SystemExit) as exit_code:
        main([])
    assert exit_code.value.code == 2  # a script that names no command has done nothing
    said = capsys.readouterr()
    assert said.out == ""
    examples = re.findall(r"^    python -m data_gen (.*)$", said.err, re.MULTILINE)
    assert [example.split()[0] for example in examples] == ["build", "stats", "show"]
    for example in examples:  # the parser takes them
        make_parser().parse_args(shlex.split(example))
    for more in ("--help", "COMMAND --help", "--list"):
        assert f"python -m data_gen {more}\n" in said.err
    assert max(map(len, said.err.splitlines())) <= 100


@pytest.mark.parametrize(
    "argv", [[], ["biuld"], ["build", "--set", "random_seed"], ["build", "--workers", "0"]]
)
def test_wrong_usage_exits_with_2(argv, capsys):
    with pytest.raises(SystemExit) as exit_code:
        main(argv)
    assert exit_code.value.code == 2
    assert "usage:" in capsys.readouterr().err


def golden_settings(table):
    return ["--config", "tests/data/golden.yaml", "--set", f"synonyms.table={table}"]


def test_nearby(table, capsys):
    assert main(["synonyms", "nearby", *golden_settings(table), "公园", "龘"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("公园  vectors.bin: ")
    assert len(first.split("  ")) == 1 + 10
    assert second == "龘  vectors.bin: (none)"


def test_similar_words_need_a_table_to_be_looked_up(fails):
    config = ["--config", "configs/data/tiny.yaml"]
    fails(main(["synonyms", "nearby", *config, "公园"]), "synonyms build", "synonyms.table=FILE")


def test_synonyms_build(tmp_path, vectors, capsys):
    output = str(tmp_path / "table.safetensors")
    argv = ["--config", "tests/data/golden.yaml", "--set", f"synonyms.vectors=[{vectors}]"]
    argv += ["--output", output]
    argv = ["synonyms", "build", *argv, "--corpus", SEGMENTED]
    assert main(argv) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("vectors.bin: 194 words, ")
    assert said[1].startswith("corpus: ")
    assert said[2] == f"{output}: made"
    assert os.listdir(tmp_path) == ["table.safetensors"]
    assert main(argv) == 0
    assert capsys.readouterr().out.endswith("up to date, nothing to do\n")
    assert main([*argv, "--set", "synonyms.top_k=3"]) == 0
    assert capsys.readouterr().out.endswith("made\n")


def test_a_table_within_its_corpus_is_no_text(tmp_path, vectors, capsys):
    with open(SEGMENTED, encoding="utf-8") as handle:
        (tmp_path / "in.txt").write_text(handle.read(), encoding="utf-8")
    output = str(tmp_path / "table.safetensors")
    argv = ["--config", "tests/data/golden.yaml", "--set", f"synonyms.vectors=[{vectors}]"]
    argv += ["--output", output]
    for ending in ("made", "up to date, nothing to do"):
        assert main(["synonyms", "build", *argv, "--corpus", str(tmp_path)]) == 0
        assert capsys.readouterr().out.endswith(f"{output}: {ending}\n")


def test_where_no_table_can_be_written(tmp_path, vectors, fails):
    (tmp_path / "file").write_text("", encoding="utf-8")
    argv = ["synonyms", "build", "--config", "tests/data/golden.yaml"]
    argv += ["--set", f"synonyms.vectors=[{vectors}]"]
    fails(main([*argv, "--output", str(tmp_path / "file" / "table")]), "cannot make the folder")
    fails(main([*argv, "--output", f"{tmp_path}/"]), "choose another --output")
    argv[-1] = "synonyms.vectors=[file:///none.vec]"
    fails(main([*argv, "--output", str(tmp_path / "t")]), "none.vec")


def test_coverage(table, vectors, capsys):
    with open(SEGMENTED, encoding="utf-8") as handle:
        words = handle.read().split()
    known = set(read_vectors(vectors).words)
    share = sum(word in known for word in words) / len(words)
    argv = ["--input", SEGMENTED, "--workers", "1"]
    assert main(["synonyms", "coverage", *golden_settings(table), *argv]) == 0
    rows = [line.strip() for line in capsys.readouterr().out.splitlines()]
    row = next(row for row in rows if row.startswith("words with similar"))
    realised = row.split()[3]
    assert float(realised.rstrip("%")) / 100 == pytest.approx(share, abs=0.01)
    assert f"vectors.bin {realised}" in rows
    assert any(row.startswith("， ") for row in rows)


def test_judge(table, tmp_path, capsys):
    (tmp_path / "thesaurus.txt").write_text("Aa01= 公园 学校 博物馆 图书馆\n", encoding="utf-8")
    argv = [*golden_settings(table), "--thesaurus", str(tmp_path / "thesaurus.txt")]
    assert main(["synonyms", "judge", *argv]) == 0
    first, chance = capsys.readouterr().out.splitlines()
    assert first.split()[:3] == ["vectors.bin", "2", "words"]
    assert chance.startswith("chance ")


def test_segmenter_fetch_without_a_hub(monkeypatch, fails, tmp_path):
    import huggingface_hub

    def refuse(*args, **options):
        raise ConnectionError

    monkeypatch.setattr(huggingface_hub, "snapshot_download", refuse)
    fails(main(["segmenter", "fetch", "--output", str(tmp_path)]), "cannot be fetched")


def test_segmenter_train_says_what_it_made(monkeypatch, capsys, tmp_path):
    with open(SEGMENTED, encoding="utf-8") as handle:
        gold = [line.split() for line in handle if line.strip()] * 3
    monkeypatch.setattr(peoples_daily, "paragraphs", lambda: gold)
    assert main(["segmenter", "train", "--epochs", "1", "--output", str(tmp_path)]) == 0
    said = capsys.readouterr().out.splitlines()[-1]
    assert "LTP perceptron trained on the People's Daily of January 1998, held-out F1 " in said
    files = ["SHA256SUMS", "config.json", "cws_model.bin", "source.txt"]
    assert sorted(os.listdir(tmp_path)) == files


def test_no_command_writes_over_a_file_of_the_users(fails, tmp_path, vectors):
    for name in ("train.txt", "config.json", "table.safetensors"):
        (tmp_path / name).write_text("precious", encoding="utf-8")
    output = ["--output", str(tmp_path)]
    fails(main(["corpus", "sample", *output]), "train.txt is another file")
    fails(main(["segmenter", "train", *output]), "LTP model")
    fails(main(["segmenter", "fetch", *output]), "LTP model")
    table = ["--config", "tests/data/golden.yaml", "--set", f"synonyms.vectors=[{vectors}]"]
    argv = ["synonyms", "build", *table, "--output", str(tmp_path / "table.safetensors")]
    fails(main(argv), "table.safetensors is another file")
    (tmp_path / "config.json").unlink()
    fails(main(["segmenter", "train", *output]), "other files than an LTP model")
    assert (tmp_path / "train.txt").read_text(encoding="utf-8") == "precious"


@pytest.fixture
def bench(table, capsys):
    """Run `bench` with some more arguments. Returns its exit code and its lines."""

    def run(*more, sets=(f"synonyms.table={table}",)):
        settings = [word for setting in sets for word in ("--set", setting)]
        config = ["--config", "configs/data/tiny.yaml", "--set", "segmenter.name=rjieba"]
        code = main(["bench", *config, *settings, "--input", TEXT, *more])
        return code, capsys.readouterr()

    return run


def columns(stages):
    """Return the CPU seconds of each column by the names of the stages."""
    return {line[:26].strip(): [float(cost) for cost in line[26:].split()[:-1]] for line in stages}


def test_bench(bench):
    code, told = bench()
    first, start, head, *stages, build, jieba, rjieba = told.out.splitlines()
    assert code == 0
    assert first.startswith("0.0 MB of text, 982 characters, ")
    assert start.startswith("start: Python 0.")
    assert " modules, the slowest: " in start
    assert head.split() == ["CPU", "s", "warm", "MB/s"]
    seconds = columns(stages)
    assert {"start", "load", "segment", "mask", "pack"} <= set(seconds)
    (every,) = seconds.pop("all")
    assert sum(own for (own,) in seconds.values()) == pytest.approx(every, abs=0.1)
    assert build.startswith("the build: ")
    assert jieba.startswith("jieba 0.")
    assert rjieba.startswith("rjieba 0.")


def test_bench_of_a_build_that_makes_its_table(bench, vectors):
    code, told = bench(sets=[f"synonyms.vectors=[{vectors}]"])
    _, _, head, *stages = told.out.splitlines()[:-3]
    assert code == 0
    assert head.split() == ["CPU", "s", "cold", "cached", "warm", "MB/s"]
    seconds = columns(stages)
    for stage in ("words", "contexts", "nearest words", "the rest"):
        assert seconds[f"table, {stage}"][-1] == 0  # the last has the table
    assert min(seconds["table, the rest"][:2]) > 0
    every = seconds.pop("all")
    for i in range(3):
        assert sum(costs[i] for costs in seconds.values()) == pytest.approx(every[i], abs=0.15)


# What Google's script is given, as it is given it.
STAND_IN = """
import argparse, json, sys, time
parser = argparse.ArgumentParser()
for name in "input_file output_file vocab_file do_lower_case do_whole_word_mask".split():
    parser.add_argument("--" + name, required=True)
for name in "max_seq_length max_predictions_per_seq dupe_factor random_seed".split():
    parser.add_argument("--" + name, required=True, type=int)
for name in "masked_lm_prob short_seq_prob".split():
    parser.add_argument("--" + name, required=True, type=float)
args = parser.parse_args()
text = open(args.input_file, encoding="utf-8").read()
open(args.output_file, "w").write("records")
json.dump({**vars(args), "text": text}, open(__file__ + ".json", "w"))
while time.process_time() < 2:
    pass
"""


@pytest.fixture
def google(tmp_path):
    """Arguments that name a stand-in for Google's generator; its code is to be written."""
    (tmp_path / "create_pretraining_data.py").write_text(STAND_IN, encoding="utf-8")
    return ["--google-bert", str(tmp_path), "--google-python", sys.executable]


def test_bench_beside_googles_generator(bench, google, tmp_path):
    code, told = bench(*google)
    assert code == 0
    theirs, warm = told.out.splitlines()[-2:]
    seconds = float(re.fullmatch(r"google-research/bert's generator: (.*) CPU s; .*", theirs)[1])
    assert 1.9 < seconds < 3
    share = float(re.match("  warm: (.*) of that", warm)[1])
    (ours,) = columns([line for line in told.out.splitlines() if line.startswith("all ")])["all"]
    assert share == pytest.approx(ours / seconds, abs=0.02)
    given = json.loads((tmp_path / "create_pretraining_data.py.json").read_text(encoding="utf-8"))
    text = given.pop("text")
    assert text.startswith("春天来了，公园里的樱花开得正好。\n孩子们在草地上放风筝")
    assert [len(document.split("\n")) for document in text.split("\n\n")[:2]] == [6, 6]
    assert os.path.samefile(given.pop("vocab_file"), VOCAB)
    assert {name: given[name] for name in sorted(given) if "file" not in name} == {
        "do_lower_case": "true",
        "do_whole_word_mask": "true",
        "dupe_factor": 2,
        "masked_lm_prob": 0.15,
        "max_predictions_per_seq": 28,
        "max_seq_length": 128,
        "random_seed": 12345,
        "short_seq_prob": 0.0,
    }


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import no_tensorflow", "No module named 'no_tensorflow'"),
        ("raise SystemExit(3)", "ended with code 3"),
        ("", "wrote no records"),
        (None, "create_pretraining_data.py: give a copy of google-research/bert"),
    ],
)
def test_what_is_not_googles_generator(bench, google, tmp_path, code, said):
    script = tmp_path / "create_pretraining_data.py"
    script.unlink() if code is None else script.write_text(code, encoding="utf-8")
    ended, told = bench(*google)
    assert ended == 1
    assert told.err.splitlines()[-1].startswith("error: ")
    assert said in told.err.splitlines()[-1]


def test_googles_generator_needs_folder_and_python(bench, google):
    for part in (google[:2], google[2:]):
        code, told = bench(*part)
        assert (code, told.err.count("\n")) == (1, 1)
        assert "both --google-bert and --google-python" in told.err
    code, told = bench(*google[:2], "--google-python", "/no/python")
    assert (code, told.err.count("\n")) == (1, 1)
    assert "there is no program /no/python" in told.err


GOLDEN = "tests/golden/dataset"


def test_show(capsys, tmp_path):
    assert main(["show", GOLDEN, "-n", "2", "--start", "78"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("example")] == [lines[2]]
    assert lines[2].startswith("example 78 of 78 · part-00001-of-00002.tfrecord #44 · ")
    assert main(["show", GOLDEN]) == 0
    assert capsys.readouterr().out.count("\nexample ") == 3
    page = tmp_path / "page.html"
    assert main(["show", GOLDEN, "--html", str(page), "-n", "1000"]) == 0
    assert capsys.readouterr().out == f"{page}: 78 examples\n"
    assert page.read_text(encoding="utf-8").count("<article ") == 78


def test_show_finds(capsys, fails, tmp_path):
    assert main(["show", GOLDEN, "--find", "老顾客", "-n", "100"]) == 0
    legend, *lines = capsys.readouterr().out.splitlines()
    assert "MASK" not in legend  # the recipe has no [MASK]
    titles = [line for line in lines if line.startswith("example ")]
    assert 0 < len(titles) < 78
    assert main(["show", GOLDEN, "--kind", "kept", "--pieces", "2", "-n", "1"]) == 0
    assert re.search(r"\[=..\]", capsys.readouterr().out.split("\n", 1)[1])
    assert main(["show", GOLDEN, "--random", "7", "-n", "2"]) == 0
    first = capsys.readouterr().out
    assert main(["show", GOLDEN, "--random", "7", "-n", "2"]) == 0
    assert capsys.readouterr().out == first
    page = tmp_path / "page.html"
    assert main(["show", GOLDEN, "--find", "老顾客", "--html", str(page)]) == 0
    assert capsys.readouterr().out == f"{page}: {len(titles)} examples\n"
    fails(main(["show", GOLDEN, "--find", "未必存在"]), "none of its 78 examples", "“未必存在”")
    fails(main(["show", GOLDEN, "--random", "1", "--start", "2"]), "--start or --random, not both")
    fails(
        main(["show", GOLDEN, "--find", "未必", "--html", str(page.with_name("no.html"))]), "none"
    )
    assert not page.with_name("no.html").exists()


@pytest.mark.parametrize(
    "argv", [["--find", " "], ["--kind", "masked"], ["--pieces", "0"], ["--random", "-1"]]
)
def test_show_of_nothing_to_look_for_is_wrong_usage(argv, capsys):
    with pytest.raises(SystemExit) as exit_code:
        main(["show", GOLDEN, *argv])
    assert exit_code.value.code == 2
    assert f"argument {argv[0]}: " in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    ("terminal", "no_color", "coloured"), [(True, "", True), (True, "1", False), (False, "", False)]
)
def test_show_is_coloured_on_a_terminal_alone(terminal, no_color, coloured, monkeypatch, capsys):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    monkeypatch.setenv("NO_COLOR", no_color)
    assert main(["show", GOLDEN]) == 0
    assert ("\033[" in capsys.readouterr().out) == coloured


def test_show_of_what_cannot_be_shown(fails, tmp_path):
    fails(main(["show", str(tmp_path)]), "no finished build")
    fails(main(["show", GOLDEN, "--start", "79"]), "holds 78 examples", "--start 79")
    fails(main(["show", GOLDEN, "--vocab", TEXT]), TEXT, "another vocabulary", "--vocab FILE")
    (tmp_path / "mine.html").write_text("precious", encoding="utf-8")
    fails(main(["show", GOLDEN, "--html", str(tmp_path / "mine.html")]), "mine.html is another")
    assert (tmp_path / "mine.html").read_text(encoding="utf-8") == "precious"
    copy = tmp_path / "copy"
    shutil.copytree(GOLDEN, copy)
    with open(copy / "part-00000-of-00002.tfrecord", "r+b") as handle:
        handle.seek(100)
        handle.write(b"\xff")
    fails(
        main(["show", str(copy)]), "part-00000-of-00002.tfrecord is damaged", "record 1, at byte 0,"
    )


@pytest.mark.parametrize("count", ["1", "78"])  # less and more than a buffer holds
def test_show_ends_quietly_when_its_reader_has_seen_enough(count):
    command = [sys.executable, "-m", "data_gen", "show", GOLDEN, "-n", count]
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=buffered
    )
    process.stdout.close()  # before anything is written
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 0


def test_as_a_program_with_several_workers(tmp_path, table):
    """The real command, spawned workers included."""
    argv = ["-m", "data_gen", "build", "--config", "configs/data/tiny.yaml", "--workers", "2"]
    argv += ["--set", "segmenter.name=rjieba", "--set", f"synonyms.table={table}"]
    argv += ["--input", TEXT, SEGMENTED, "--output", str(tmp_path / "out")]
    result = subprocess.run([sys.executable, *argv], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "102 sentences" in result.stdout


def test_the_parser_of_all_commands_loads_nothing_heavy():
    """`--help` and a typo are answered at once."""
    code = "import sys; from data_gen.__main__ import make_parser; make_parser(); "
    code += "print(sorted({'numpy', 'omegaconf', 'yaml', 'tqdm', 'tokenizers'} & {*sys.modules}))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"
