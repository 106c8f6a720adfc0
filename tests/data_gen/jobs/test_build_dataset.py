import collections
import dataclasses
import gc
import gzip
import hashlib
import os
import shutil

import pytest

from data_gen.__main__ import main
from data_gen.config import DataConfig
from data_gen.corpus import blocks
from data_gen.corpus.input_kinds import TextInput
from data_gen.engine import tasks as engine_tasks
from data_gen.jobs import build_dataset, build_synonyms, corpus_vectors, inputs, map_and_merge
from data_gen.jobs.build_dataset import TABLE
from data_gen.pipeline import load, tokenized_text
from data_gen.records.read import read_examples
from data_gen.segmentation.segmenters import SEGMENTERS
from data_gen.shared.dataset.dataset_info import MANIFEST, read_info, require_same_vocabulary
from data_gen.shared.errors import UserError
from data_gen.shared.settings import load_settings
from data_gen.storage import folders, output_folder
from data_gen.storage.output_folder import WORK
from data_gen.synonyms.config import SynonymsConfig
from data_gen.synonyms.table import load_table
from data_gen.tokenization.tokenizers import TOKENIZERS
from tests.conftest import ROOT, default_settings
from tests.data_gen.helpers import GOLDEN, SEGMENTED, TEXT, VOCAB, open_bytes, run, shards, unpack


@pytest.fixture
def settings(ltp_model, table):
    """MacBERT's recipe on short sequences."""

    def make(*overrides):
        return default_settings(
            DataConfig,
            [
                "max_seq_length=64",
                "max_predictions_per_seq=16",
                "num_shards=3",
                "dupe_factor=2",
                f"segmenter.model={ltp_model}",
                f"synonyms.table={table}",
                *overrides,
            ],
        )

    return make


def records(info):
    found = []
    for path in info.paths:
        data = open_bytes(path)
        at = 0
        while at < len(data):
            size = int.from_bytes(data[at : at + 8], "little")
            found.append(unpack(data[at + 12 : at + 12 + size]))
            at += size + 16
    return found


def test_one_and_two_workers_give_the_same_bytes(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 500)
    one = run(settings(), tmp_path / "one")
    two = run(settings(), tmp_path / "two", workers=2, task_bytes=1000)  # several tasks
    assert shards(one.folder) == shards(two.folder)
    assert one.fingerprint == two.fingerprint
    assert set(os.listdir(one.folder)) == {MANIFEST, *shards(one.folder)}
    assert one.examples == len(records(one)) > 30


@pytest.mark.parametrize("pair_task", ["sop", "nsp", "none"])
def test_how_tasks_are_grouped_changes_nothing(settings, tmp_path, monkeypatch, pair_task):
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 500)
    whole = run(settings(f"pair_task={pair_task}"), tmp_path / "whole", task_bytes=1 << 26)
    parts = run(settings(f"pair_task={pair_task}"), tmp_path / "parts", task_bytes=1)
    assert shards(whole.folder) == shards(parts.folder)


def test_an_interrupted_build_goes_on_and_gives_the_same(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 500)
    whole = run(settings(), tmp_path / "whole")
    output = tmp_path / "interrupted"
    done = []

    def fail_after(function, count):
        def wrapped(task):
            if len(done) >= count:
                raise KeyboardInterrupt
            done.append(task.stem)
            return function(task)

        return wrapped

    monkeypatch.setattr(map_and_merge, "MERGE_BYTES", 1)
    for stage, tasks in (("run_map_task", 3), ("run_merge_task", 1)):
        original = getattr(map_and_merge, stage)
        done.clear()
        monkeypatch.setattr(map_and_merge, stage, fail_after(original, tasks))
        with pytest.raises(KeyboardInterrupt):
            run(settings(), output)
        assert not os.path.exists(output / MANIFEST)
        monkeypatch.setattr(map_and_merge, stage, original)
    finished = os.listdir(output / WORK)
    assert sum(name.startswith("merge-") for name in finished) == 1
    with pytest.raises(UserError, match=r"another, unfinished build \(\w"):
        run(settings("random_seed=2"), output)
    # what is whole is taken up by tasks of the same blocks alone
    resumed = run(settings(), output, task_bytes=1200)
    assert shards(whole.folder) == shards(output)
    assert whole.manifest["statistics"].keys() == resumed.manifest["statistics"].keys()
    assert not os.path.exists(output / WORK)


def test_a_machine_with_other_packages_does_no_task(settings, tmp_path):
    config = settings()
    tokenize_documents = load.load_pipeline(config).tokenize_documents
    same = load.environment(config, tokenize_documents)
    for i in range(3):
        other = (*same[:i], "another one", *same[i + 1 :])
        task = map_and_merge.MapTask(
            str(tmp_path / "map"), config, TextInput(config.corpus), (), other, ()
        )
        with pytest.raises(UserError, match="that of the command another one: install the same"):
            map_and_merge.run_map_task(task)
    assert os.listdir(tmp_path) == []


def test_packed_shards_hold_the_same_records(settings, tmp_path, monkeypatch):
    plain = run(settings(), tmp_path / "plain")
    packed = run(settings("compression=gzip"), tmp_path / "packed")
    assert packed.fingerprint != plain.fingerprint
    assert list(shards(packed.folder)) == [f"{name}.gz" for name in shards(plain.folder)]
    unpacked = [gzip.decompress(data) for data in shards(packed.folder).values()]
    assert unpacked == list(shards(plain.folder).values())
    for one, other in zip(read_examples(packed, 21128), read_examples(plain, 21128)):
        assert one.example == other.example
    for shard, (name, data) in zip(packed.shards, shards(packed.folder).items()):
        assert (shard.name, shard.bytes) == (name, len(data))
        assert shard.sha256 == hashlib.sha256(data).hexdigest()
        assert data[3:8] == bytes(5)  # neither name nor time
    monkeypatch.setattr("time.time", lambda: 0.0)
    again = run(settings("compression=gzip"), tmp_path / "again")
    assert shards(again.folder) == shards(packed.folder)


def test_a_finished_build_is_not_done_again(settings, tmp_path, monkeypatch):
    first = run(settings(), tmp_path / "out")
    monkeypatch.setattr(map_and_merge, "run_map_task", None)
    assert run(settings(), tmp_path / "out") == first


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ("random_seed=2", "random_seed is 12345 there, 2 here"),
        ("masking.selector=word", 'masking.selector is "ngram" there, "word" here'),
        ("max_seq_length=80", "max_seq_length is 64 there, 80 here"),
        ("num_shards=2", r"num_shards is \d there, 2 here"),
    ],
)
def test_an_output_of_another_build_is_never_touched(settings, tmp_path, change, difference):
    run(settings(), tmp_path / "out")
    before = {**shards(tmp_path / "out"), MANIFEST: open_bytes(tmp_path / "out" / MANIFEST)}
    with pytest.raises(UserError, match=rf"holds another build \({difference}\): choose"):
        run(settings(change), tmp_path / "out")
    after = {**shards(tmp_path / "out"), MANIFEST: open_bytes(tmp_path / "out" / MANIFEST)}
    assert after == before


def test_records_of_unknown_origin_are_never_touched(settings, tmp_path):
    (tmp_path / "mine.tfrecord").write_bytes(b"precious")
    with pytest.raises(UserError, match="holds TFRecords but no dataset"):
        run(settings(), tmp_path)
    assert open_bytes(tmp_path / "mine.tfrecord") == b"precious"


@pytest.mark.parametrize("pair_task", ["sop", "nsp", "none"])
@pytest.mark.parametrize("corruption", ["similar", "partial_mask"])
def test_every_record_keeps_the_promises(settings, tmp_path, tokenizer, pair_task, corruption):
    unit = "word" if corruption == "similar" else "piece"
    config = settings(
        f"pair_task={pair_task}",
        f"masking.corruption={corruption}",
        f"masking.corruption_unit={unit}",
    )
    info = run(config, tmp_path / "out")
    reachable_ids = {*tokenizer.reachable_ids, tokenizer.unk}
    for record in records(info):
        length = sum(record["input_mask"])
        ids = record["input_ids"][:length]
        assert record["input_mask"] == [1] * length + [0] * (64 - length)
        seps = [i for i, kind in enumerate(record["segment_ids"]) if kind == 1]
        a_stop = seps[0]
        assert ids[0] == tokenizer.cls
        assert ids[a_stop - 1] == ids[-1] == tokenizer.sep
        assert seps == list(range(a_stop, length))
        assert min(a_stop - 2, length - a_stop - 1) >= 1  # both segments hold something
        count = int(sum(record["masked_lm_weights"]))
        positions = record["masked_lm_positions"][:count]
        assert positions == sorted(set(positions))
        assert count >= 1
        assert not {0, a_stop - 1, length - 1} & set(positions)
        labels = record["masked_lm_ids"][:count]
        assert set(labels) <= reachable_ids
        inputs = {ids[i] for i in positions}
        assert inputs <= reachable_ids | (
            {tokenizer.mask} if corruption == "partial_mask" else set()
        )
        assert record["next_sentence_labels"][0] in ((0,) if pair_task == "none" else (0, 1))
    statistics = info.manifest["statistics"]
    assert statistics["pieces_kept"] == 1
    assert statistics["misaligned_sentences"] == 0


def test_words_of_two_segments_undo_to_the_text(settings, tmp_path, tokenizer):
    """Labels put back in their places give the text, in both orders of the segments."""
    info = run(settings("dupe_factor=1"), tmp_path / "out")
    with open(TEXT, encoding="utf-8") as handle:
        text = handle.read()
    everything = tokenizer.join(tokenizer.encode(["".join(text.split())])[0][0])
    swapped = 0
    for record in records(info):
        ids = list(record["input_ids"])
        for position, label, weight in zip(
            record["masked_lm_positions"], record["masked_lm_ids"], record["masked_lm_weights"]
        ):
            if weight:
                ids[position] = label
        length, a_stop = sum(record["input_mask"]), record["segment_ids"].index(1)
        a = tokenizer.join(ids[1 : a_stop - 1])
        b = tokenizer.join(ids[a_stop : length - 1])
        label = record["next_sentence_labels"][0]
        assert (b + a if label else a + b) in everything
        swapped += label
    assert 0 < swapped < info.examples


def test_the_golden_data_set_is_what_this_code_makes(tmp_path, table):
    """The same bytes on every Python version: tests/golden/README.md says how they were made."""
    config = load_settings(DataConfig, "tests/data/golden.yaml", [f"synonyms.table={table}"])
    info = run(config, tmp_path / "out", [SEGMENTED])
    expected = read_info(GOLDEN)
    assert [shard.sha256 for shard in info.shards] == [shard.sha256 for shard in expected.shards]
    assert shards(info.folder) == shards(GOLDEN)


def test_the_manifest_describes_its_shards(settings, tmp_path):
    info = run(settings(), tmp_path / "out")
    assert info.manifest["config"]["masking"]["selector"] == "ngram"
    assert info.manifest["segmenter"].startswith("ltp ")
    for shard in info.shards:
        assert len(open_bytes(tmp_path / "out" / shard.name)) == shard.bytes
    require_same_vocabulary(info, VOCAB)


def test_another_vocabulary_is_refused(settings, tmp_path):
    info = run(settings(), tmp_path / "out")
    shutil.copy(VOCAB, tmp_path / "vocab.txt")
    with open(tmp_path / "vocab.txt", "a", encoding="utf-8") as handle:
        handle.write("“\n")
    with pytest.raises(UserError, match="were made with the vocabulary"):
        require_same_vocabulary(info, str(tmp_path / "vocab.txt"))


@pytest.mark.parametrize("damage", ["{", "{}", '{"format": 99}'])
def test_a_damaged_manifest_is_an_error(tmp_path, damage):
    (tmp_path / MANIFEST).write_text(damage)
    with pytest.raises(UserError, match="build it again"):
        read_info(str(tmp_path))


def test_a_build_is_known_by_the_content_of_the_users_words(settings, tmp_path):
    fingerprints = []
    for i, words in enumerate(["公园里\n", "公园里\n", "图书馆里\n"]):
        path = tmp_path / f"{i}.txt"
        path.write_text(words, encoding="utf-8")
        config = settings(f"segmenter.user_dict={path}", f"segmenter.batch_size={i + 1}")
        fingerprints.append(run(config, tmp_path / str(i)).fingerprint)
    assert fingerprints[0] == fingerprints[1]
    assert len({*fingerprints, run(settings(), tmp_path / "none").fingerprint}) == 3


def test_one_document_a_file_still_gives_balanced_nsp(settings, tmp_path):
    os.mkdir(tmp_path / "in")
    with open(TEXT, encoding="utf-8") as handle:
        for i, document in enumerate(handle.read().split("\n\n")):
            (tmp_path / "in" / f"{i}.txt").write_text(document, encoding="utf-8")
    config = settings("pair_task=nsp", "dupe_factor=10")
    info = run(config, tmp_path / "out", [str(tmp_path / "in")])
    assert 0.3 < info.manifest["statistics"]["label_1"] < 0.7


def test_a_folder_of_the_users_in_our_place_is_never_touched(settings, tmp_path):
    os.makedirs(tmp_path / "out" / WORK)
    (tmp_path / "out" / WORK / "thesis.txt").write_text("precious")
    with pytest.raises(UserError, match="is not of a build"):
        run(settings(), tmp_path / "out")
    assert (tmp_path / "out" / WORK / "thesis.txt").read_text() == "precious"


def test_an_output_within_the_input_folder_is_not_read(settings, tmp_path):
    shutil.copy(TEXT, tmp_path / "text.txt")
    first = run(settings(), tmp_path / "out", [str(tmp_path)])
    assert run(settings(), tmp_path / "out", [str(tmp_path)]) == first


@pytest.mark.parametrize("damage", ["missing", "short"])
def test_a_data_set_that_lost_records_is_an_error(settings, tmp_path, damage):
    info = run(settings(), tmp_path / "out")
    if damage == "missing":
        os.remove(info.paths[0])
    else:
        with open(info.paths[0], "r+b") as handle:
            handle.truncate(10)
    with pytest.raises(UserError, match="is missing or cut short"):
        read_info(str(tmp_path / "out"))


def test_every_example_predicts_something_even_without_similar_words(settings, tmp_path):
    (tmp_path / "english.txt").write_text("zqx vvk.\n\nqqz xkcd jjq.\n\n" * 30)
    info = run(
        settings("segmenter.name=char", "segmenter.model=null"),
        tmp_path / "out",
        [str(tmp_path / "english.txt")],
    )
    assert min(sum(record["masked_lm_weights"]) for record in records(info)) >= 1
    assert info.manifest["statistics"]["forced"] > 0


def test_the_cap_counts_what_is_masked_not_what_was_asked(settings, tmp_path):
    """A cap on predictions lowers the cap on fallbacks with it."""
    config = settings("max_seq_length=64", "max_predictions_per_seq=10")
    statistics = run(config, tmp_path / "out").manifest["statistics"]
    assert statistics["kinds_by_piece"]["fallback"] < 0.12


@pytest.fixture
def without_table(settings, vectors, monkeypatch):
    """The settings of a build that makes its own table; the toolkit's vectors are small ones."""
    monkeypatch.setattr(build_synonyms, "toolkit_vectors", lambda: vectors)
    return lambda *overrides: settings("synonyms.table=null", *overrides)


def test_a_build_makes_its_own_table(without_table, tmp_path):
    info = run(without_table(), tmp_path / "out", [SEGMENTED])
    statistics = info.manifest["statistics"]
    assert set(statistics["similar_words_from"]) >= {"toolkit", "corpus"}
    assert statistics["words_with_similar"] > 0.7
    table = tmp_path / "out" / TABLE
    made = info.manifest["synonyms_made_from"]
    assert made == load_table(str(table)).provenance
    # whole: nothing is made again, not even a table that was deleted
    table.unlink()
    assert run(without_table(), tmp_path / "out", [SEGMENTED]) == info
    assert not table.exists()
    with pytest.raises(UserError, match="holds another build"):
        run(without_table("synonyms.min_count=3"), tmp_path / "out", [SEGMENTED])
    (tmp_path / "taken").mkdir()
    shutil.copy(VOCAB, tmp_path / "taken" / TABLE)
    with pytest.raises(UserError, match="was made from something else"):
        run(without_table(), tmp_path / "taken", [SEGMENTED])
    # and its table serves other builds
    again = without_table(f"synonyms.table={table}")
    other = run(without_table(), tmp_path / "other", [SEGMENTED])
    shutil.copy(tmp_path / "other" / TABLE, table)
    assert shards(run(again, tmp_path / "again", [SEGMENTED]).folder) == shards(other.folder)


def test_a_build_that_makes_its_table_goes_on_after_a_crash(without_table, tmp_path, monkeypatch):
    whole = run(without_table(), tmp_path / "whole", [SEGMENTED])
    monkeypatch.setattr(map_and_merge, "run_map_task", None)
    with pytest.raises(TypeError):
        run(without_table(), tmp_path / "out", [SEGMENTED])
    assert TABLE in os.listdir(tmp_path / "out")
    monkeypatch.undo()
    monkeypatch.setattr(build_synonyms, "toolkit_vectors", lambda: f"{ROOT}/tests/data/vectors.bin")
    monkeypatch.setattr(build_synonyms, "nearest_of_size", None)  # the table is not made again
    resumed = run(without_table(), tmp_path / "out", [SEGMENTED])
    assert shards(whole.folder) == shards(resumed.folder)
    assert sorted(os.listdir(whole.folder)) == sorted(os.listdir(resumed.folder))


def test_the_words_of_the_table_are_those_of_the_build(without_table, tmp_path, monkeypatch):
    """A slow segmenter runs once, also for a build that was interrupted in between."""
    segmented = collections.Counter()

    def count(segmenter, sentences):
        segmented.update(sentences)
        return segment(segmenter, sentences)

    segment = tokenized_text.segment_sentences
    monkeypatch.setattr(tokenized_text, "segment_sentences", count)
    with monkeypatch.context() as interrupted:
        interrupted.setattr(map_and_merge, "run_map_task", None)
        with pytest.raises(TypeError):
            run(without_table(), tmp_path / "out")
    once = dict(segmented)
    assert once
    kept = sorted((tmp_path / "out" / WORK / "words").iterdir())
    whole = kept[0].read_bytes()
    kept[0].write_bytes(whole[:-5])
    with pytest.raises(UserError, match=r"000000\.npz is damaged: delete it; run the same command"):
        run(without_table(), tmp_path / "out", task_bytes=1 << 30)
    kept[0].write_bytes(whole)
    first = run(without_table(), tmp_path / "out", task_bytes=1 << 30)
    assert segmented == once
    assert not (tmp_path / "out" / WORK).exists()
    given = without_table(f"synonyms.table={tmp_path / 'out' / TABLE}")
    second = run(given, tmp_path / "given")
    assert segmented == {sentence: 2 * times for sentence, times in once.items()}
    assert shards(first.folder) == shards(second.folder)


def test_a_build_does_each_thing_once(vectors, tmp_path, monkeypatch):
    """One that makes its own table, in one process, from the command line on."""
    calls = collections.Counter()

    def counted(function, name):
        def count(*args, **options):
            calls[name] += 1
            return function(*args, **options)

        return count

    for name in ("wordpiece", "presegmented"):
        table = TOKENIZERS if name in TOKENIZERS else SEGMENTERS
        entry = table[name]
        monkeypatch.setitem(table, name, entry._replace(load=counted(entry.load, name)))
    for module, name in [
        (inputs, "find"),
        (inputs, "find_inputs"),
        (build_synonyms, "table_provenance"),
        (build_synonyms, "open_text"),  # to hash a file of vectors
        (build_synonyms, "read_vectors"),
        (build_synonyms, "load_table"),
        (load, "load_table"),
        *((module, "list_names") for module in LISTING),
    ]:
        monkeypatch.setattr(module, name, counted(getattr(module, name), name))
    shutil.copy(VOCAB, tmp_path / "vocab.txt")  # a vocabulary that no test has loaded before
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))  # where no test has left a table
    monkeypatch.setattr(build_synonyms, "toolkit_vectors", lambda: vectors)
    overrides = [f"vocab_file={tmp_path}/vocab.txt", "segmenter.batch_size=17"]
    argv = ["build", "--config", "tests/data/golden.yaml", "--input", SEGMENTED, "--workers", "1"]
    sets = [word for override in overrides for word in ("--set", override)]
    assert main([*argv, *sets, "--output", str(tmp_path / "out")]) == 0
    listed = calls.pop("list_names")
    assert calls == dict.fromkeys(calls, 1)
    assert len(calls) == 8
    # the output, the folder of the table's work and its parent, its parts, the work folder before
    # and in its lock, the tasks of two stages, the whole data set
    assert listed <= 9


LISTING = [build_dataset, build_synonyms, corpus_vectors, engine_tasks, folders, output_folder]


def test_every_setting_is_in_the_identity_or_has_a_reason_not_to_be():
    by_content = {"vocab_file", "tokenizer", "segmenter", "synonyms"}
    names = {field.name for field in dataclasses.fields(DataConfig)}
    assert {*build_dataset.BY_VALUE, *by_content} == names
    in_the_table = {"table", "vectors", "top_k", "min_count", "candidate_min_count"}
    names = {field.name for field in dataclasses.fields(SynonymsConfig)}
    assert {*build_dataset.SYNONYMS_BY_VALUE, *in_the_table} == names


@pytest.mark.parametrize("on", [True, False])
def test_a_build_leaves_the_search_for_cycles_as_it_was(settings, tmp_path, on):
    (gc.enable if on else gc.disable)()
    try:
        run(settings("dupe_factor=1"), tmp_path / "out")
        assert gc.isenabled() == on
    finally:
        gc.enable()
