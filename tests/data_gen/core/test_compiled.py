"""Both ways of each loop: compiled.c, and numpy where there is no compiler."""

import os
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from data_gen.config import DataConfig
from data_gen.core import compiled
from data_gen.core.columns import offsets_of, ranges
from data_gen.core.word_keys import WordIndex, word_keys
from data_gen.pipeline.align import word_starts
from data_gen.records.pack_examples import ExamplePacker
from data_gen.segmentation.boundaries import segment_sentences
from data_gen.segmentation.segmenter import Segmenter
from data_gen.shared.vocabulary import read_vocabulary
from data_gen.tokenization.tokenizer import Tokens
from data_gen.tokenization.wordpiece import WordPiece
from tests.conftest import ROOT, default_settings
from tests.data_gen.helpers import VOCAB, columns, hard_sentences, run, shards

FOLDER = os.path.dirname(compiled.__file__)
pytestmark = pytest.mark.skipif(not compiled.LOOPS, reason="compiled.c was not compiled here")


def both(make):
    """What a function returns with the loops and without, as nested lists."""
    loops = dict(compiled.LOOPS)
    with_loops = listed(make())
    compiled.LOOPS.clear()
    try:
        return with_loops, listed(make())
    finally:
        compiled.LOOPS.update(loops)


def listed(value):
    if isinstance(value, np.ndarray):
        return str(value.dtype), value.tolist()
    return [*map(listed, value)] if isinstance(value, (tuple, list)) else value


def same(make):
    with_loops, without = both(make)
    assert with_loops == without
    return with_loops


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 5)), max_size=20))
def test_ranges(pairs):
    starts, lengths = np.array(pairs, np.int64).reshape(-1, 2).T.copy()
    assert same(lambda: ranges(starts, starts + lengths))[1] == [
        start + i for start, length in pairs for i in range(length)
    ]


def cut(text, size):
    """Words of `size` characters, or of one, two or three, with empty ones between them."""
    sizes = [size] if size else [1, 3, 0, 2]
    words, at = [], 0
    while at < len(text):
        words.append(text[at : at + sizes[len(words) % len(sizes)]])
        at += len(words[-1])
    return words


# What else a segmenter may do to the words of several texts.
CHANGES = {
    "nothing": lambda words: words,
    "drops whitespace": lambda words: [[w for w in own if w == "\n" or w.strip()] for own in words],
    "drops the last word": lambda words: [*words[:-1], *(own[:-1] for own in words[-1:])],
    "changes a word": lambda words: [["别的", *own[1:]] for own in words],
    "joins all": lambda words: [
        [" ".join("".join(own) for own in words)],
        *([] for _ in words[1:]),
    ],
    "lets words cross": lambda words: [
        [*own[:-1]] if i % 2 else [*own, *other[-1:]]
        for i, (own, other) in enumerate(zip(words, [*words[1:], []]))
    ],
}


@pytest.mark.parametrize("keeps_whitespace", [True, False])
@pytest.mark.parametrize("change", CHANGES)
@given(st.lists(hard_sentences.filter(lambda text: "\n" not in text)), st.integers(0, 3))
@example(["ab c"], 1)
@example(["a   bc"], 0)
def test_boundaries_of_words(change, keeps_whitespace, sentences, size):
    def words(texts):
        return CHANGES[change]([cut(text, size) for text in texts])

    segmenter = Segmenter(words, "cuts anywhere", keeps_whitespace)
    same(lambda: segment_sentences(segmenter, sentences))


@given(st.lists(hard_sentences.filter(lambda text: "\n" not in text), max_size=6))
def test_tokens(sentences):
    vocabulary = read_vocabulary(os.path.join(ROOT, VOCAB))
    tokenizers = [WordPiece(vocabulary[:3000], do_lower_case=True) for _ in range(2)]
    # Each way with a tokenizer of its own, twice: characters not seen before, and known ones.
    for _ in range(2):
        again = iter(tokenizers)
        same(lambda again=again: next(again).tokenize(sentences))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1), st.integers(0))
def test_word_starts(pieces, seed):
    # Each piece a gap behind the one before, or in part over it; of no character, now and then.
    first = np.cumsum([gap for gap, _ in pieces]) + 3
    last = first + [size for _, size in pieces]
    boundaries = np.random.default_rng(seed).random(last.max() + 4) < 0.3
    tokens = Tokens(np.zeros(len(first), np.int32), first, last)
    same(lambda: word_starts(tokens, np.array([0, len(first) // 2]), boundaries))


@given(st.lists(st.lists(st.integers(0, 21127), min_size=1, max_size=12), max_size=20))
def test_hashes_and_numbers_of_words(words):
    pieces = np.array([piece for word in words for piece in word], np.int32)
    starts = offsets_of([len(word) for word in words])

    def numbered():
        keys, index = word_keys(pieces, starts), WordIndex()
        return [keys, *index(keys[::2]), *index(keys), *index(keys[::-1])]

    same(numbered)


def test_examples_of_any_numbers():
    rng = np.random.default_rng(1)
    packer = ExamplePacker(64, 64)
    examples = []
    for limit in (1, 2, 1 << 7, 1 << 14, 1 << 21, 1 << 27):
        edge = [n for n in (0, 1, limit - 2, limit - 1) if 0 <= n < limit]
        ids = (*edge, *rng.integers(0, limit, 30).tolist())
        examples.append(SimpleNamespace(a_stop=2, label=1, pieces=ids, masked_positions=()))
        examples[-1].masked_labels = ()
        examples.append(SimpleNamespace(a_stop=1, label=0, pieces=ids, masked_positions=ids))
        examples[-1].masked_labels = ids[::-1]
    same(lambda: packer(columns(*examples)))


SETTINGS = {
    "macbert": [],
    "units and classes": ["masking.corruption_unit=ngram", "masking.skip=[number]"],
    "pieces": ["masking.corruption_unit=piece", "masking.ngram_within=sentence"],
    "ltp's way": ["segmenter.name=latin", "dupe_factor=2", "max_seq_length=64"],
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_build_gives_the_same_bytes_without_the_loops(name, table, tmp_path, monkeypatch):
    asked = [f"synonyms.table={table}", "segmenter.name=rjieba", *SETTINGS[name]]
    config = default_settings(DataConfig, ["masking.corruption=similar", *asked])
    called = set()

    def count(loop, function):
        return lambda *values: called.add(loop) or function(*values)

    for loop, (function, types) in compiled.LOOPS.items():
        monkeypatch.setitem(compiled.LOOPS, loop, (count(loop, function), types))
    run(config, tmp_path / "with")
    if name == "macbert":
        assert called == set(compiled.LOOPS)
    for loop in list(compiled.LOOPS):
        monkeypatch.delitem(compiled.LOOPS, loop)
    run(config, tmp_path / "without")
    assert shards(tmp_path / "with") == shards(tmp_path / "without")


@pytest.fixture
def copy(tmp_path):
    """The library and its source, in a folder of their own."""
    for path in (compiled.library_path(FOLDER), os.path.join(FOLDER, "compiled.c")):
        shutil.copy(path, tmp_path)
    return tmp_path


def test_a_library_is_loaded_from_its_folder(copy):
    assert compiled.load_loops(str(copy)).keys() == compiled.LOOPS.keys()
    os.remove(copy / "compiled.c")  # as in a wheel
    assert compiled.load_loops(str(copy)).keys() == compiled.LOOPS.keys()


def test_a_library_of_another_source_is_left_alone(copy):
    with open(copy / "compiled.c", "a") as handle:
        handle.write("\n")
    assert not compiled.load_loops(str(copy))


def test_a_library_that_is_none_is_left_alone(copy):
    path = compiled.library_path(str(copy))
    os.remove(path)
    assert not compiled.load_loops(str(copy))
    with open(path, "wb") as handle:
        handle.write(b"\x7fELF of another machine")
    assert not compiled.load_loops(str(copy))


def test_an_array_of_another_type_goes_numpys_way():
    numbers = np.arange(3)
    assert compiled.compiled("fill_ranges", numbers, numbers, 3, np.empty(9, np.int32)) is None
    assert compiled.compiled("fill_ranges", numbers[::2], numbers, 2, np.empty(9, np.int64)) is None
