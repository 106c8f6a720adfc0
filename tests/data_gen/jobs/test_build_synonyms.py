import os

import numpy as np
import pytest

from data_gen.config import DataConfig
from data_gen.engine.processes import LocalEngine
from data_gen.jobs import build_synonyms, corpus_vectors
from data_gen.jobs.build_synonyms import make_table, plan_table
from data_gen.jobs.inputs import resolve_inputs, scan_inputs
from data_gen.pipeline.load import load_similar, load_tokenizer
from data_gen.shared.errors import UserError
from data_gen.synonyms import neighbours
from data_gen.synonyms.lookup import CandidateLookup
from tests.conftest import default_settings
from tests.data_gen.helpers import SEGMENTED, VOCAB, pieces_of, show, write_word2vec

# 高兴 is near 快乐, 愉快 and, nearest of all, 乐; 大 and 巨大 are near, GPU and gpu one word.
NEAR = {
    "高兴": [9, 1],
    "快乐": [9, 1.1],
    "愉快": [9, 1.3],
    "乐": [9, 1.05],
    "大": [1, 9],
    "巨大": [1, 9.1],
    "GPU": [5, 5],
    "gpu": [5, 5],
    "cpu": [5, 5.1],
    "\U00020000\U00020001": [9, 1],
}


@pytest.fixture(scope="module")
def near(tmp_path_factory):
    """The path of vectors of these words."""
    path = tmp_path_factory.mktemp("near") / "near.bin"
    return write_word2vec(path, list(NEAR), np.array(list(NEAR.values()), np.float32))


def settings(*overrides):
    return default_settings(DataConfig, ["segmenter.name=presegmented", *overrides])


def make(path, vectors, text=(), *overrides):
    """Make a table from files of vectors and texts."""
    config = settings(f"synonyms.vectors=[{','.join(vectors)}]", *overrides)
    inputs = resolve_inputs(config, list(text))
    corpus = scan_inputs(inputs, None, LocalEngine(1), show) if text else None
    return make_table(plan_table(config, corpus), str(path), LocalEngine(1), show)


def candidates(tokenizer, table, word):
    similar = CandidateLookup(table, tokenizer, settings().synonyms)
    return [
        tokenizer.join(found) for found, _ in similar.of_word(pieces_of(tokenizer, word)).candidates
    ]


def test_a_file_of_vectors_is_searched_among_words_of_the_same_size(tokenizer, near, tmp_path):
    table = make(tmp_path / "table", [near], [], "synonyms.top_k=2").table
    assert candidates(tokenizer, table, "高兴") == ["快乐", "愉快"]
    assert candidates(tokenizer, table, "大") == ["cpu", "gpu"]
    # never itself in another spelling, never [UNK]
    assert candidates(tokenizer, table, "GPU") == ["cpu"]


def test_the_toolkit_finds_the_nearest_of_all_and_drops_other_sizes(
    tokenizer, near, tmp_path, monkeypatch
):
    monkeypatch.setattr(build_synonyms, "toolkit_vectors", lambda: near)
    table = make(tmp_path / "table", ["toolkit"], [], "synonyms.top_k=2").table
    # the two nearest are 乐 and what the vocabulary cannot spell
    assert candidates(tokenizer, table, "高兴") == []
    table = make(tmp_path / "table", ["toolkit"], [], "synonyms.top_k=4").table
    assert candidates(tokenizer, table, "高兴") == ["快乐", "愉快"]
    assert candidates(tokenizer, table, "GPU") == ["cpu"]


def test_the_first_source_is_preferred(tokenizer, near, tmp_path):
    text = tmp_path / "in.txt"
    text.write_text("高兴 吃饭\n大 小 吃饭\n" * 30, encoding="utf-8")
    table = make(tmp_path / "table", [near], [str(text)]).table
    assert list(table.layers) == ["near.bin", "corpus"]
    assert candidates(tokenizer, table, "高兴")[0] == "快乐"
    any_cosine = default_settings(DataConfig, ["synonyms.min_similarity=-1"]).synonyms
    similar = CandidateLookup(table, tokenizer, any_cosine)
    ((found, _),) = similar.of_word(pieces_of(tokenizer, "吃饭")).candidates
    assert tokenizer.join(found) == "高兴"
    assert similar.of_word(pieces_of(tokenizer, "大")).source == "near.bin"
    assert similar.of_word(pieces_of(tokenizer, "小")).source == "corpus"


def test_a_text_too_small_to_learn_from_gives_no_words(tokenizer, near, tmp_path):
    text = tmp_path / "in.txt"
    text.write_text("今天 天气 很 好", encoding="utf-8")
    table = make(tmp_path / "table", [near], [str(text)]).table
    assert len(table.layers["corpus"].keys) == 0
    assert candidates(tokenizer, table, "高兴")[0] == "快乐"
    assert candidates(tokenizer, table, "今天") == []


def test_what_is_no_vector_is_told(tmp_path):
    matrix = np.array([[1, 2], [0, 0], [np.nan, 1], [3, 1]], np.float32)
    path = write_word2vec(tmp_path / "words.bin", ["大", "小", "多", "少"], matrix)
    made = make(tmp_path / "table", [path])
    assert made.skipped == {"zero": 1, "NaN or infinite": 1}


def test_a_table_is_made_anew_only_when_its_sources_change(near, tmp_path):
    path = tmp_path / "table"
    text = tmp_path / "in.txt"
    text.write_text("今天 天气 很 好\n" * 9, encoding="utf-8")
    sources = [near], [str(text)]
    assert make(path, *sources).new
    first = path.read_bytes()
    assert not make(path, *sources).new
    os.rename(text, tmp_path / "other.txt")  # a single file is named by its name
    assert make(path, [near], [str(tmp_path / "other.txt")]).new
    os.rename(tmp_path / "other.txt", text)
    for other in ("synonyms.top_k=3", "random_seed=1"):
        assert make(path, *sources, other).new
    assert make(path, *sources).new
    assert not make(path, *sources, "synonyms.min_similarity=0.5").new  # of the lookup
    assert path.read_bytes() == first
    assert sorted(os.listdir(tmp_path)) == ["in.txt", "table"]


def test_a_damaged_table_is_made_again(near, tmp_path):
    path = tmp_path / "table"
    make(path, [near])
    path.write_bytes(path.read_bytes()[:100])
    assert make(path, [near]).new


def test_what_an_interrupted_run_left_is_used_or_deleted(near, tmp_path, monkeypatch):
    path = tmp_path / "table"
    sources = [], [SEGMENTED]
    segmented = []
    write_words = corpus_vectors.write_words
    monkeypatch.setattr(
        corpus_vectors, "write_words", lambda task: segmented.append(task) or write_words(task)
    )
    whole = make(tmp_path / "whole", *sources)
    assert len(segmented) == 1
    for part in ("context_vectors", "candidates"):
        with monkeypatch.context() as broken:
            broken.setattr(
                corpus_vectors if part == "context_vectors" else build_synonyms, part, None
            )
            with pytest.raises(TypeError):
                make(path, *sources)
    assert len(segmented) == 2
    make(path, *sources)
    assert len(segmented) == 2
    assert path.read_bytes() == (tmp_path / "whole").read_bytes()
    assert whole.new
    os.remove(tmp_path / "whole")
    with monkeypatch.context() as broken:
        broken.setattr(build_synonyms, "nearest_of_size", None)
        with pytest.raises(TypeError):
            make(path, *sources, "synonyms.top_k=2")
    hidden = set(os.listdir(tmp_path)) - {"table"}
    assert [name[:12] for name in hidden] == [".table.work-"]
    make(path, [near])
    assert os.listdir(tmp_path) == ["table"]


def test_two_runs_do_not_make_the_same_table(near, tmp_path, monkeypatch):
    path = tmp_path / "table"
    during = []

    def second(*args):
        if not during:
            for overrides in ([], ["synonyms.top_k=3"]):
                try:
                    during.append(make(path, [near], [], *overrides).new)
                except UserError as error:
                    during.append(str(error))
        return nearest_of_size(*args)

    monkeypatch.setattr(build_synonyms, "nearest_of_size", second)
    nearest_of_size = neighbours.nearest_of_size
    assert make(path, [near]).new
    refused = f"{path} is being made by another run: wait for it, or choose another --output"
    assert during == [refused, refused]
    assert os.listdir(tmp_path) == ["table"]


def test_only_its_own_hidden_folders_are_deleted(near, tmp_path):
    for name in (".table.work-notes", ".table.work-0123456789abcdef", ".table.partial"):
        (tmp_path / name).mkdir()
    make(tmp_path / "table", [near])
    assert sorted(os.listdir(tmp_path)) == [".table.partial", ".table.work-notes", "table"]


def test_two_files_of_one_name_are_refused(near, tmp_path):
    with pytest.raises(UserError, match=r"near\.bin twice"):
        make(tmp_path / "table", [near, near])
    with pytest.raises(UserError, match="no source"):
        make(tmp_path / "table", [])


@pytest.mark.parametrize("setting", ["do_lower_case=false", "vocab_file={folder}/vocab.txt"])
def test_a_table_belongs_to_a_vocabulary_and_a_tokenizer(tokenizer, near, tmp_path, setting):
    path = tmp_path / "table"
    make(path, [near])
    with open(VOCAB, encoding="utf-8") as handle:
        (tmp_path / "vocab.txt").write_text(handle.read() + "新\n", encoding="utf-8")
    ours = default_settings(DataConfig, [f"synonyms.table={path}"])
    assert load_similar(ours, tokenizer).of_word(pieces_of(tokenizer, "高兴")).candidates
    other = default_settings(
        DataConfig, [f"synonyms.table={path}", setting.format(folder=tmp_path)]
    )
    with pytest.raises(UserError, match="another vocabulary or tokenizer"):
        load_similar(other, tokenizer)


def test_sentencepiece_words_are_found_after_a_space_too(sentencepiece_folders, tmp_path):
    """Within a text a word has other pieces than alone, and the text's own vectors know them."""
    folder = sentencepiece_folders["unigram"]
    overrides = [
        "segmenter.name=char",
        "tokenizer.name=sentencepiece",
        f"tokenizer.model={folder}/spiece.model",
        f"vocab_file={folder}/vocab.txt",
    ]
    config = settings(*overrides)
    text = tmp_path / "in.txt"
    text.write_text("人 在 这里，人在这里。\n" * 30, encoding="utf-8")
    table = make(tmp_path / "table", [], [str(text)], *overrides).table
    tokenizer = load_tokenizer(config)
    ((pieces, _),) = tokenizer.encode(["我 在"])
    assert CandidateLookup(table, tokenizer, config.synonyms).of_word(tuple(pieces[-1:])).candidates


@pytest.mark.parametrize(
    ("text", "alone", "sources"),
    [
        ("the model reads the text , 3.14 。", True, ["corpus"]),
        ("the model reads the text , 3.14 。", False, ["toolkit", "corpus"]),
        ("the model reads the text 好", True, ["toolkit", "corpus"]),  # once is enough
    ],
)
def test_the_toolkit_is_not_searched_for_a_text_without_chinese_words(
    near, tmp_path, monkeypatch, text, alone, sources
):
    monkeypatch.setattr(build_synonyms, "toolkit_vectors", lambda: near)
    (tmp_path / "t.txt").write_text(f"{text}\n", encoding="utf-8")
    config = settings("segmenter.name=latin", "synonyms.min_count=1")
    corpus = scan_inputs(
        resolve_inputs(config, [str(tmp_path / "t.txt")]), None, LocalEngine(1), show
    )
    plan = plan_table(config, corpus, alone)
    table = make_table(plan, str(tmp_path / "table"), LocalEngine(1), show).table
    assert list(table.layers) == sources
