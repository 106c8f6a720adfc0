"""Held-out data beside a build: the same recipe and table, and no text in common."""

import os
import random

import pytest

from data_gen.__main__ import main
from data_gen.config import DataConfig
from data_gen.corpus import blocks
from data_gen.corpus.blocks import group_into_blocks
from data_gen.engine.processes import LocalEngine
from data_gen.jobs.build_dataset import run_build
from data_gen.jobs.build_heldout import plan_heldout, plan_trained, split_inputs
from data_gen.jobs.inputs import resolve_inputs
from data_gen.jobs.segment_corpus import segment
from data_gen.shared.dataset.dataset_info import MANIFEST, read_info
from data_gen.shared.errors import UserError
from data_gen.shared.files import file_sha256
from data_gen.synonyms.table import load_table
from tests.conftest import default_settings
from tests.data_gen.helpers import TEXT, run, shards, show

SETS = (
    "max_seq_length=64",
    "max_predictions_per_seq=14",
    "num_shards=3",
    "dupe_factor=2",
    "segmenter.name=char",
    "pair_task=none",
)
PLAIN = ("masking.corruption=partial_mask", "masking.corruption_unit=piece")
COUNT = 200


def settings(*overrides):
    return default_settings(DataConfig, [*SETS, *(overrides or PLAIN)])


def planned(config, text, output, heldout, engine=None):
    engine = engine or LocalEngine(1)
    split = split_inputs(resolve_inputs(config, text), heldout, engine, show)
    return split, plan_trained(split, str(output), engine, show)


def build_both(config, text, output, heldout, workers=1, task_bytes=None):
    """The descriptions of the data to train on and of the held-out ones, and the documents."""
    engine = LocalEngine(workers)
    split, trained = planned(config, text, output, heldout, engine)
    first = run_build(trained, engine, show, task_bytes)
    other = plan_heldout(split, trained, engine, show)
    second = run_build(other, engine, show, task_bytes)
    return (first, texts(trained)), (second, texts(other))


def texts(plan):
    """The documents that a build reads, without whitespace."""
    read = plan.corpus.kind.read(list(group_into_blocks(plan.corpus.files)))
    return ["".join("".join(d.sentences).split()) for block in read for d in block]


@pytest.fixture(scope="module")
def documents(root):
    """Different documents of the test's sentences."""
    with open(f"{root}/{TEXT}", encoding="utf-8") as handle:
        lines = handle.read().split()
    rng = random.Random(3)
    return [
        "\n".join([f"文件{number}。", *rng.sample(lines, rng.randint(2, 5))])
        for number in range(COUNT)
    ]


def write(path, documents):
    path.write_text("\n\n".join(documents) + "\n", encoding="utf-8")
    return str(path)


def skipped(info):
    return info.manifest["statistics"]["skipped_documents"]


def test_a_share_of_the_documents_is_held_out_equal_texts_on_one_side(documents, tmp_path):
    # Each text twice, the second time with its lines cut elsewhere.
    again = [document.replace("，", "，\n ").replace("\n文", "文") for document in documents]
    text = [write(tmp_path / "a.txt", documents), write(tmp_path / "b.txt", again)]
    (trained, kept), (heldout, held) = build_both(settings(), text, tmp_path / "out", 0.2)
    assert heldout.folder == str(tmp_path / "out-heldout")
    assert not set(kept) & set(held)
    assert len(kept) + len(held) == 2 * COUNT
    assert len(set(kept)) * 2 == len(kept)
    assert 0.1 * COUNT < len(set(held)) < 0.3 * COUNT
    sizes = {"documents_trained": len(kept), "documents_heldout": len(held)}
    assert trained.manifest["heldout"] == {"folder": "out-heldout", **sizes}
    assert heldout.manifest["heldout_of"] == {"fingerprint": trained.fingerprint, **sizes}
    assert skipped(trained)["of the other set"] == len(held)
    assert skipped(heldout)["of the other set"] == len(kept)
    # Copies are for training; a small set needs no shards.
    config = heldout.manifest["config"]
    assert (config["dupe_factor"], len(heldout.shards)) == (1, 1)
    assert (trained.manifest["config"]["dupe_factor"], len(trained.shards)) == (2, 3)


def test_the_seed_decides_which(documents, tmp_path):
    text = [write(tmp_path / "a.txt", documents)]
    first = texts(planned(settings(), text, tmp_path / "1", 0.5)[1])
    assert first == texts(planned(settings(), text, tmp_path / "2", 0.5)[1])
    other = texts(planned(settings(*PLAIN, "random_seed=7"), text, tmp_path / "3", 0.5)[1])
    assert set(first) != set(other)


def test_repeated_texts_are_counted_apart(documents, tmp_path):
    text = [write(tmp_path / name, documents) for name in ("a.txt", "b.txt")]
    config = settings(*PLAIN, "corpus.drop_duplicates=true")
    (trained, kept), (heldout, held) = build_both(config, text, tmp_path / "out", 0.2)
    assert sorted([*kept, *held]) == sorted("".join(d.split()) for d in documents)
    assert skipped(trained)["duplicate"] == len(kept)
    assert skipped(heldout)["duplicate"] == len(held)
    assert skipped(trained)["of the other set"] == 2 * len(held)


def test_documents_of_the_file_are_not_trained_on(documents, tmp_path):
    text = [write(tmp_path / "a.txt", documents)]
    some = [document.replace("\n", "") for document in documents[:30]]
    file = write(tmp_path / "heldout.txt", [*some, "只在这里。还有一句。"])
    (trained, kept), (heldout, held) = build_both(settings(), text, tmp_path / "out", file)
    assert kept == ["".join(document.split()) for document in documents[30:]]
    assert held == [*some, "只在这里。还有一句。"]
    assert skipped(trained)["of the other set"] == 30
    assert trained.manifest["heldout"]["documents_heldout"] == 31
    assert heldout.manifest["heldout_of"]["documents_trained"] == COUNT - 30
    # A build of the same file with the same settings, but for those of a training.
    alone = run(settings(*PLAIN, "dupe_factor=1", "num_shards=1"), tmp_path / "alone", [file])
    assert shards(alone.folder) == shards(heldout.folder)


def test_the_table_is_the_trainings_and_knows_no_held_out_text(documents, vectors, tmp_path):
    text = [write(tmp_path / "a.txt", [d.replace("文件", "甲乙丙 ") for d in documents])]
    config = settings(f"synonyms.vectors=[{vectors}]", "synonyms.min_count=1")
    (trained, _), (heldout, _) = build_both(config, text, tmp_path / "out", 0.2)
    path = os.path.join(trained.folder, "synonyms.safetensors")
    assert heldout.manifest["synonyms_sha256"] == file_sha256(path)
    assert not os.path.exists(os.path.join(heldout.folder, "synonyms.safetensors"))
    whole = run(config, tmp_path / "whole", text)
    other = load_table(os.path.join(whole.folder, "synonyms.safetensors"))
    assert load_table(path).provenance != other.provenance


def test_bytes_do_not_depend_on_workers_and_tasks(documents, tmp_path, monkeypatch):
    text = [write(tmp_path / "a.txt", documents[:99]), write(tmp_path / "b.txt", documents[99:])]
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 500)
    one = build_both(settings(), text, tmp_path / "one", 0.2)
    two = build_both(settings(), text, tmp_path / "two", 0.2, workers=2, task_bytes=1)
    for (a, _), (b, _) in zip(one, two):
        assert shards(a.folder) == shards(b.folder)
        assert a.fingerprint == b.fingerprint


COMMAND = ["build", "--config", "tests/data/defaults.yaml", "--workers", "1"]
COMMAND += [word for setting in (*SETS, *PLAIN) for word in ("--set", setting)]


def test_the_same_command_goes_on_where_it_was_stopped(documents, tmp_path, capsys, monkeypatch):
    text, output = write(tmp_path / "a.txt", documents), str(tmp_path / "out")
    command = [*COMMAND, "--input", text, "--output", output, "--heldout", "0.2"]
    with monkeypatch.context() as patch:
        patch.setattr("data_gen.jobs.build_heldout.plan_heldout", lambda *_: 1 / 0)
        assert main(command) == 1
    assert read_info(output).examples
    assert not os.path.exists(f"{output}-heldout/{MANIFEST}")
    capsys.readouterr()
    assert main(command) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{output}: ")
    assert "whole already" in first
    assert second.startswith(f"{output}-heldout: ")
    assert main(command) == 0
    assert "whole already" in capsys.readouterr().out.splitlines()[1]
    # Another share is another build.
    assert main([*command[:-1], "0.3"]) == 1
    assert "holds another build" in capsys.readouterr().err


@pytest.mark.parametrize("share", ["0", "1", "-0.1", "1.5", "nan"])
def test_what_is_no_share(share, capsys):
    with pytest.raises(SystemExit) as error:
        main([*COMMAND, "--input", TEXT, "--output", "nowhere", f"--heldout={share}"])
    assert error.value.code == 2
    assert f"{share} is no share above 0 and below 1" in capsys.readouterr().err


def test_two_sets_need_documents(documents, tmp_path):
    text = [write(tmp_path / "a.txt", documents[:2])]
    with pytest.raises(UserError, match=r"--heldout 1e-09 holds out none of the 2 documents"):
        planned(settings(), text, tmp_path / "out", 1e-9)
    with pytest.raises(UserError, match="leaves none of the 2 documents to train on"):
        planned(settings(), text, tmp_path / "out", text[0])
    with pytest.raises(UserError, match="no input matches nowhere"):
        planned(settings(), text, tmp_path / "out", "nowhere")
    assert not os.path.exists(str(tmp_path / "out"))


def test_a_segmented_corpus_cannot_be_divided(documents, tmp_path):
    text, words = write(tmp_path / "a.txt", documents), str(tmp_path / "words")
    segment(settings(), [text], words, LocalEngine(1), show)
    for inputs, heldout in (([words], 0.2), ([text], words)):
        with pytest.raises(UserError, match="is a segmented corpus, which --heldout cannot divide"):
            planned(settings(), inputs, tmp_path / "out", heldout)


def test_other_data_in_the_folder_are_found_before_the_work(documents, tmp_path):
    text = [write(tmp_path / "a.txt", documents)]
    run(settings(), tmp_path / "out-heldout", text)
    with pytest.raises(UserError, match="-heldout holds other data than the held-out ones"):
        planned(settings(), text, tmp_path / "out", 0.2)
