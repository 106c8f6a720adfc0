import gzip
import json
import os
import shutil

import fsspec
import pytest

from data_gen.__main__ import main
from data_gen.config import DataConfig
from data_gen.corpus import blocks
from data_gen.corpus.segmented.file import MANIFEST, SUFFIX
from data_gen.engine.processes import LocalEngine
from data_gen.jobs import build_synonyms, segment_corpus, train_vocabulary
from data_gen.jobs.build_dataset import TABLE
from data_gen.segmentation import segmenters
from data_gen.segmentation.segmenter import Segmenter
from data_gen.shared.dataset.dataset_info import MANIFEST as DATASET
from data_gen.shared.errors import UserError
from data_gen.shared.settings import load_settings
from data_gen.storage.output_folder import WORK
from data_gen.tokenization.training import Options
from tests.conftest import default_settings
from tests.data_gen.helpers import GOLDEN, SEGMENTED, TEXT, open_bytes, run, shards, show


@pytest.fixture
def settings(table):
    """MacBERT's recipe on short sequences, with a segmenter of any kind."""

    def make(*overrides):
        sizes = ["max_seq_length=64", "max_predictions_per_seq=16", "num_shards=3"]
        ours = ["segmenter.name=rjieba", f"synonyms.table={table}"]
        return default_settings(DataConfig, [*sizes, *ours, *overrides])

    return make


@pytest.fixture
def text(tmp_path, monkeypatch):
    """A folder of files of several formats, one of them empty, in small blocks."""
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 500)
    folder = tmp_path / "text"
    os.makedirs(folder / "b")
    with open(TEXT, encoding="utf-8") as handle:
        documents = handle.read().split("\n\n")
    for name, some in (("a.txt", documents), ("b/c.txt", documents[:3])):
        (folder / name).write_text("\n\n".join(some), encoding="utf-8")
    odd = [f"“{text}”\t \\u{i}  ␣\u3000a" for i, text in enumerate(documents)]
    lines = [json.dumps({"text": text}) for each in odd for text in ("又是这一句。", each)]
    (folder / "d.jsonl.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    (folder / "empty.txt").write_text("")
    return str(folder)


def words_of(config, output, inputs, workers=1):
    inputs = [inputs] if isinstance(inputs, str) else inputs
    return segment_corpus.segment(config, inputs, str(output), LocalEngine(workers), show)


def files_of(folder):
    return {name: open_bytes(os.path.join(folder, name)) for name in sorted(os.listdir(folder))}


@pytest.fixture
def no_segmenter(monkeypatch):
    """Nothing of what makes words can be used any more."""

    def forbid():
        for name, kind in segmenters.SEGMENTERS.items():
            monkeypatch.setitem(segmenters.SEGMENTERS, name, kind._replace(load=None))

    return forbid


OTHERS = [
    ("max_seq_length=64", "dupe_factor=3", "pair_task=nsp"),
    ("max_seq_length=32", "masking.corruption=partial_mask", "corpus.normalize=[quotes]"),
    ("pair_task=none", "corpus.drop_duplicates=true", "random_seed=9"),
]


@pytest.mark.parametrize("overrides", OTHERS)
def test_a_build_from_words_is_that_from_the_text(
    settings, text, tmp_path, no_segmenter, overrides
):
    of_text = run(settings(*overrides), tmp_path / "of-text", [text])
    made = [override for override in overrides if override.startswith("corpus.")]
    words = words_of(settings(*made), tmp_path / "words", text)
    assert len(words.manifest["word_files"]) > 3
    no_segmenter()
    # the settings of the text are the words' own
    others = [override for override in overrides if override not in made]
    config = settings("segmenter.name=char", "corpus.normalize=[width]", *others)
    of_words = run(config, tmp_path / "of-words", [words.folder])
    assert shards(of_words.folder) == shards(of_text.folder)
    for info in (of_words, of_text):
        del info.manifest["statistics"]["cpu_seconds"]
    assert of_words.manifest == of_text.manifest
    assert run(config, tmp_path / "of-text", [words.folder]).examples == of_text.examples


def test_two_workers_write_and_read_the_same_words(settings, text, tmp_path):
    words = [words_of(settings(), tmp_path / f"words-{n}", text, n) for n in (1, 2)]
    one, two = (files_of(folder.folder) for folder in words)
    assert [json.loads(files.pop(MANIFEST))["fingerprint"] for files in (one, two)] == [
        words[0].manifest["fingerprint"]
    ] * 2
    assert one == two
    assert len(list(blocks.task_blocks(words[0].files))) > len(words[0].manifest["word_files"])
    built = [run(settings(), tmp_path / f"out-{n}", [words[0].folder], n) for n in (1, 2)]
    assert shards(built[0].folder) == shards(built[1].folder)


def test_a_table_of_the_build_takes_the_words(
    settings, text, vectors, tmp_path, no_segmenter, monkeypatch
):
    monkeypatch.setattr(build_synonyms, "toolkit_vectors", lambda: vectors)
    config = settings("synonyms.table=null")
    of_text = run(config, tmp_path / "of-text", [text])
    words_of(config, tmp_path / "words", text)
    no_segmenter()
    of_words = run(config, tmp_path / "of-words", [str(tmp_path / "words")])
    assert of_words.fingerprint == of_text.fingerprint
    assert shards(of_words.folder) == shards(of_text.folder)
    assert open_bytes(tmp_path / "of-words" / TABLE) == open_bytes(tmp_path / "of-text" / TABLE)


def test_sentences_that_are_misaligned_stay_so(settings, text, tmp_path, monkeypatch):
    def garbling(config, user_words):
        return Segmenter(lambda runs: [[r[::-1], "x"] if "我" in r else list(r) for r in runs], "g")

    kind = segmenters.SegmenterKind(garbling)
    monkeypatch.setitem(segmenters.SEGMENTERS, "char", kind)
    config = settings("segmenter.name=char")
    of_text = run(config, tmp_path / "of-text", [text])
    words = words_of(config, tmp_path / "words", text)
    of_words = run(config, tmp_path / "of-words", [words.folder])
    assert shards(of_words.folder) == shards(of_text.folder)
    misaligned = of_text.manifest["statistics"]["misaligned_sentences"]
    assert words.manifest["statistics"]["misaligned_sentences"] == misaligned > 0


def test_a_document_that_is_cut_is_the_same(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 100)
    of_text = run(settings(), tmp_path / "of-text")
    words_of(settings(), tmp_path / "words", TEXT)
    of_words = run(settings(), tmp_path / "of-words", [str(tmp_path / "words")])
    assert shards(of_words.folder) == shards(of_text.folder)


def test_the_words_read_as_text(settings, tmp_path):
    (tmp_path / "a.txt").write_text("使用语言模型 v2。好！\n\n预测\n", encoding="utf-8")
    words = words_of(settings(), tmp_path / "words", str(tmp_path / "a.txt"))
    (file,) = (name for name in os.listdir(words.folder) if name.endswith(SUFFIX))
    assert gzip.decompress(open_bytes(tmp_path / "words" / file)).decode() == (
        "使用 语言 模型 ␣ v2 。\n好 ！\n\n预测\n\n"
    )
    counted = {name: words.manifest["statistics"][name] for name in segment_corpus.COUNTED}
    assert counted == {
        **{"documents": 2, "sentences": 3, "words": 8, "characters": 14},
        "misaligned_sentences": 0,
    }


def test_an_interrupted_segmentation_goes_on(settings, text, tmp_path, monkeypatch):
    whole = words_of(settings(), tmp_path / "whole", text)
    done = []
    original = segment_corpus.run_segment_task

    def fail_after_two(task):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(task)
        return original(task)

    monkeypatch.setattr(segment_corpus, "run_segment_task", fail_after_two)
    with pytest.raises(KeyboardInterrupt):
        words_of(settings(), tmp_path / "words", text)
    with pytest.raises(UserError, match=r"holds words but no words\.json"):
        run(settings(), tmp_path / "out", [str(tmp_path / "words")])
    with pytest.raises(UserError, match=r"another, unfinished segmentation \(\w"):
        words_of(settings("corpus.normalize=[width]"), tmp_path / "words", text)
    done.clear()
    done.append(None)  # one task more, then it is stopped again
    with pytest.raises(KeyboardInterrupt):
        words_of(settings(), tmp_path / "words", text)
    monkeypatch.setattr(segment_corpus, "run_segment_task", original)
    words_of(settings(), tmp_path / "words", text)
    resumed, expected = files_of(tmp_path / "words"), files_of(whole.folder)
    del resumed[MANIFEST], expected[MANIFEST]
    assert resumed == expected


def test_a_segmentation_does_not_go_on_with_other_tasks(settings, tmp_path, monkeypatch):
    """A packed file is one task: so the same text, packed otherwise, has others of these names."""
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 500)
    with open(TEXT, encoding="utf-8") as handle:
        text = handle.read().encode()
    plain, packed = tmp_path / "plain", tmp_path / "packed"
    for folder, names in ((plain, ("a.txt", "b.txt.gz")), (packed, ("a.txt.gz", "b.txt"))):
        folder.mkdir()
        for name, content in zip(names, (text[:1400].rsplit(b"\n", 1)[0], text)):
            data = gzip.compress(content) if name.endswith(".gz") else content
            (folder / name).write_bytes(data)

    def stop(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(segment_corpus, "_described", stop)
        with pytest.raises(KeyboardInterrupt):
            words_of(settings(), tmp_path / "words", str(plain))
    with pytest.raises(UserError, match=r"another, unfinished segmentation \(\w"):
        words_of(settings(), tmp_path / "words", str(packed))
    words_of(settings(), tmp_path / "words", str(plain))
    assert words_of(settings(), tmp_path / "words", str(packed)).files


def test_what_a_crash_left_half_written_is_no_text(settings, words, tmp_path):
    os.mkdir(tmp_path / "crashed")
    shutil.copy(first_file(words), tmp_path / "crashed" / f"part-00000-of-00001{SUFFIX}.partial")
    with pytest.raises(UserError, match=r"holds words but no words\.json"):
        run(settings(), tmp_path / "out", [str(tmp_path / "crashed")])


def test_finished_words_are_not_made_again(settings, text, tmp_path, monkeypatch):
    words = words_of(settings(), tmp_path / "words", text)
    before = files_of(words.folder)
    monkeypatch.setattr(segment_corpus, "run_segment_task", None)
    assert words_of(settings("dupe_factor=3"), tmp_path / "words", text) == words
    for other, named in (
        ("segmenter.name=char", "segmenter"),
        ("corpus.normalize=[quotes]", "corpus"),
    ):
        with pytest.raises(UserError, match=rf"holds another segmented corpus \({named}\b.* here"):
            words_of(settings(other), tmp_path / "words", text)
    with pytest.raises(UserError, match=r"holds another segmented corpus \(input differs\)"):
        words_of(settings(), tmp_path / "words", TEXT)
    assert files_of(words.folder) == before


def test_finished_words_that_lost_a_file_are_not_called_whole(settings, text, tmp_path):
    os.remove(first_file(words_of(settings(), tmp_path / "words", text).folder))
    with pytest.raises(UserError, match=r"cannot read .*00000-of"):
        words_of(settings(), tmp_path / "words", text)


def test_words_of_unknown_origin_are_never_touched(settings, tmp_path):
    (tmp_path / f"mine{SUFFIX}").write_bytes(b"precious")
    with pytest.raises(UserError, match=r"holds words but no words\.json: choose another"):
        words_of(settings(), tmp_path, TEXT)
    assert open_bytes(tmp_path / f"mine{SUFFIX}") == b"precious"


@pytest.fixture
def words(settings, text, tmp_path):
    return words_of(settings(), tmp_path / "words", text).folder


def change(path, old, new):
    data = open_bytes(path)
    assert old in data
    with open(path, "wb") as handle:
        handle.write(data.replace(old, new, 1))


def first_file(folder):
    return os.path.join(folder, min(name for name in os.listdir(folder) if name.endswith(SUFFIX)))


def cut_short(path, left=-100):
    data = open_bytes(path)
    with open(path, "wb") as handle:
        handle.write(data[:left])


def flip(path, at):
    data = bytearray(open_bytes(path))
    data[at] ^= 0x55
    with open(path, "wb") as handle:
        handle.write(data)


DAMAGES = {
    "a file is missing": (lambda w: os.remove(first_file(w)), "cannot read .*00000-of"),
    "a file is cut": (lambda w: cut_short(first_file(w)), r"words\.json says .*copy the whole"),
    "a byte is another": (lambda w: flip(first_file(w), 300), "is damaged .*copy the whole"),
    "the list is cut": (
        lambda w: cut_short(os.path.join(w, MANIFEST)),
        r"words\.json is damaged .*copy the whole",
    ),
    "the list lacks something": (
        lambda w: change(os.path.join(w, MANIFEST), b'"word_files"', b'"files"'),
        r"words\.json: word_files is missing: copy the whole",
    ),
    "the list is missing": (
        lambda w: os.remove(os.path.join(w, MANIFEST)),
        r"holds words but no words\.json.*to its end",
    ),
    "a newer format": (
        lambda w: change(os.path.join(w, MANIFEST), b'format": 3', b'format": 4'),
        "is of word format 4, this code reads 3",
    ),
    "other documents": (
        lambda w: change(os.path.join(w, MANIFEST), b'"documents": 1,\n     ', b'"documents": 2, '),
        "is damaged .it holds .* documents for .*copy the whole",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_words_are_one_sentence(settings, words, tmp_path, damage):
    spoil, sentence = DAMAGES[damage]
    spoil(words)
    with pytest.raises(UserError, match=sentence) as error:
        run(settings(), tmp_path / "out", [words])
    assert "\n" not in str(error.value)


def test_words_are_no_text(settings, words, text, tmp_path):
    for inputs in ([words, text], [text, words]):
        with pytest.raises(UserError, match="is a segmented corpus, which must be the only input"):
            run(settings(), tmp_path / "out", inputs)
    for inputs in (first_file(words), f"{words}/*.gz", str(tmp_path), f"{words}/{MANIFEST}"):
        with pytest.raises(UserError, match="is part of a segmented corpus, not text"):
            run(settings(), tmp_path / "out", [inputs])
    with pytest.raises(UserError, match="is a segmented corpus already"):
        words_of(settings(), tmp_path / "again", words)
    with pytest.raises(UserError, match="is part of a segmented corpus, not text"):
        train_vocabulary.train_vocabulary(
            settings(), [words], str(tmp_path / "vocab"), Options(size=700), show
        )


def test_a_file_of_the_users_with_our_name_is_text(settings, tmp_path):
    os.mkdir(tmp_path / "in")
    shutil.copy(TEXT, tmp_path / "in" / MANIFEST)
    assert run(settings(), tmp_path / "out", [str(tmp_path / "in")]).examples


def test_golden_words_give_the_golden_data_set(table, tmp_path):
    """Words that are on disk stay readable: tests/golden/README.md says how they were made."""
    config = load_settings(DataConfig, "tests/data/golden.yaml", [f"synonyms.table={table}"])
    assert shards(run(config, tmp_path / "out", ["tests/golden/words"]).folder) == shards(GOLDEN)


def test_words_behind_a_url(settings, words, tmp_path):
    filesystem = fsspec.filesystem("memory")
    filesystem.store.clear()
    for name in os.listdir(words):
        filesystem.pipe(f"/bucket/words/{name}", open_bytes(os.path.join(words, name)))
    try:
        remote = run(settings(), tmp_path / "remote", ["memory://bucket/words"])
        here = run(settings(), tmp_path / "here", [words])
        assert shards(remote.folder) == shards(here.folder)
        with pytest.raises(UserError, match="is part of a segmented corpus, not text"):
            run(settings(), tmp_path / "out", ["memory://bucket/words/*.gz"])
    finally:
        filesystem.store.clear()


def test_the_version_of_opencc_is_that_of_the_words(settings, words, tmp_path, monkeypatch):
    path = os.path.join(words, MANIFEST)
    change(path, b'"opencc": null', b'"opencc": "0.1"')
    monkeypatch.setattr("data_gen.jobs.build_dataset.opencc_version", lambda: "9.9")
    both = run(settings("synonyms.traditional=true"), tmp_path / "both", [words])
    assert both.manifest["opencc"] == "0.1, 9.9"
    alone = settings("masking.corruption=partial_mask", "masking.corruption_unit=piece")
    assert run(alone, tmp_path / "alone", [words]).manifest["opencc"] == "0.1"
    change(path, b'"opencc": "0.1"', b'"opencc": "9.9"')
    same = run(settings("synonyms.traditional=true"), tmp_path / "same", [words])
    assert same.manifest["opencc"] == "9.9"


@pytest.fixture
def command(table):
    def make(name, *argv, sets=()):
        overrides = [word for each in sets for word in ("--set", each)]
        config = ["--config", "configs/data/tiny.yaml", *overrides]
        similar = ["--set", f"synonyms.table={table}"]
        return main([*name.split(), *config, *similar, *argv])

    return make


def test_segment_then_build(command, tmp_path, capsys):
    words, out = str(tmp_path / "words"), str(tmp_path / "out")
    argv = ["--input", TEXT, SEGMENTED, "--output", words, "--workers", "1"]
    sets = ["segmenter.name=rjieba", "corpus.normalize=[width]"]
    assert command("segment", *argv, sets=sets) == 0
    said = capsys.readouterr().out.splitlines()
    rows = {row.split()[0]: row.split() for row in said if row.startswith("  ")}
    assert {"documents", "sentences", "words", "characters"} <= rows.keys()
    assert "102" in rows["sentences"]
    assert said[-1].startswith(f"{words}: words of rjieba 0.")
    built = ["--input", words, "--output", out, "--workers", "1"]
    assert command("build", *built) == 0
    said = capsys.readouterr()
    assert said.err.count(f"{words}: words of rjieba 0.") == 1
    assert 'corpus.normalize=["width"], segmenter.name=rjieba' in said.err
    assert "102 sentences" in said.out
    # what says the same is no contradiction, and where the model is and what runs it no setting
    agree = ["segmenter.name=rjieba", "corpus.normalize=[width]", "segmenter.device=cuda"]
    assert command("build", *built, sets=agree) == 0
    assert main(["stats", words]) == 0
    assert "102" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("override", "stored"),
    [
        ("segmenter.name=jieba", "segmenter.name=rjieba"),
        ("segmenter.model=work/ltp", "segmenter.model=null"),
        ("segmenter={name: char}", "segmenter.name=rjieba"),
        ("corpus.normalize=[width]", "corpus.normalize=[]"),
    ],
)
def test_settings_that_contradict_the_words(command, words, tmp_path, capsys, override, stored):
    argv = ["--input", words, "--output", str(tmp_path / "out")]
    assert command("build", *argv, sets=[override]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"error: --set {override} contradicts {words}, ")
    assert f"made with {stored}: leave it out" in error
    assert not os.path.exists(tmp_path / "out")


def test_other_commands_take_words(command, words, tmp_path, vectors, capsys, no_segmenter):
    no_segmenter()
    assert command("synonyms coverage", "--input", words, "--workers", "1") == 0
    assert "words with similar" in capsys.readouterr().out
    table = ["--output", str(tmp_path / "t.safetensors"), "--workers", "1"]
    sets = [f"synonyms.vectors=[{vectors}]"]
    assert command("synonyms build", "--corpus", words, *table, sets=sets) == 0
    assert "corpus: " in capsys.readouterr().out
    sets.append("segmenter.name=jieba")
    assert command("synonyms build", "--corpus", words, *table, sets=sets) == 1
    assert "contradicts" in capsys.readouterr().err


def test_bench_of_words(command, settings, text, tmp_path, monkeypatch, capsys):
    monkeypatch.undo()  # its processes know of no smaller blocks
    words = words_of(settings(), tmp_path / "words", text).folder
    assert command("bench", "--input", words) == 0
    *table, build, jieba = capsys.readouterr().out.splitlines()
    (segmented,) = [line.split() for line in table if line.startswith("segment ")]
    assert segmented[1:] == ["0.00", "-"]  # there is no rate of what was not done
    assert build.startswith("the build: ")
    assert jieba.startswith("jieba 0.")


def test_nothing_but_words_is_left_behind(settings, words, tmp_path):
    assert WORK not in os.listdir(words)
    assert {name for name in os.listdir(words) if not name.endswith(SUFFIX)} == {MANIFEST}
    run(settings(), tmp_path / "out", [words])
    assert DATASET in os.listdir(tmp_path / "out")
