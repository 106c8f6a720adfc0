from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.core import compiled
from data_gen.core import word_keys as word_keys_module
from data_gen.core.columns import TokenizedBlock
from data_gen.core.counting import MISSING_OF_A_BLOCK
from data_gen.core.word_keys import WordIndex, distinct_words, word_keys
from data_gen.synonyms.lexicon import CandidateCache
from tests.data_gen.helpers import OneByOne

words_of_pieces = st.lists(
    st.lists(st.integers(0, 4), min_size=1, max_size=4).map(tuple), max_size=40
)


def text_of(words):
    pieces = np.array([piece for word in words for piece in word], np.int32)
    bounds = np.cumsum([0, *map(len, words)])
    return TokenizedBlock(pieces, bounds, np.array([0, len(words)]), np.array([0, 1]))


@given(words_of_pieces)
def test_equal_words_have_one_number_and_others_another(words):
    text = text_of(words)
    examples = [text.word(example) for example in distinct_words(text).tolist()]
    assert sorted(examples) == sorted(set(words))
    # nothing but the words decides, not where they stand
    turned = text_of(words[::-1])
    assert [turned.word(example) for example in distinct_words(turned).tolist()] == examples


@pytest.mark.parametrize("bits", [1, 2, 20])
@given(st.lists(words_of_pieces, max_size=4))
def test_numbers_are_kept_from_text_to_text(bits, texts):
    """With few slots most words are found the longer way."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(word_keys_module, "SLOT_BITS", bits)
        numbers, known = WordIndex(), []
        for words in texts:
            text = text_of(words)
            found, new = numbers(word_keys(text.pieces, text.words))
            known += [text.word(example) for example in new.tolist()]
            assert [known[number] for number in found.tolist()] == words
            assert len(numbers) == len(known) == len(set(known))


class Table(OneByOne):
    """Words of an even first piece have similar ones."""

    def __init__(self):
        self.asked = Counter()

    def __call__(self, word):
        self.asked[word] += 1
        return (
            [] if word[0] % 2 else [(tuple(piece + 10 * k for piece in word), 0.5) for k in (1, 2)]
        )

    def source(self, word):
        return "" if word[0] % 2 else "table"

    def missing(self, word):
        return "long" if len(word) > 2 else "short"


class Tokenizer:
    unk = -1
    pieces = range(1000)
    chinese_pieces = np.zeros(1000, bool)
    spelt = tuple(map(str, pieces))

    def join(self, pieces):
        return "-".join(map(str, pieces))


def every_choice(lexicon, text):
    """For each word whether it has a similar one, and the pieces of its first and second."""
    numbers = lexicon.numbers(text)
    known = lexicon.has_candidates(numbers)
    pieces = []
    for number, size in zip(numbers[known], text.sizes[known]):
        for share in (0.0, 1 - 2**-24):
            (start,) = lexicon.pick(np.array([number]), np.array([share]), np.array([size]))
            pieces.append(tuple(lexicon.pieces[start : start + size].tolist()))
    return known.tolist(), pieces


@pytest.mark.parametrize("most", [0, 1 << 18])
def test_words_are_looked_up_once_and_remembered_within_limits(most):
    table = Table()
    lexicon = CandidateCache(table, Tokenizer(), np.ones_like, most)
    words = [(2, 3), (1,), (4,), (2, 3)]
    for text in (text_of(words), text_of([(8, 8, 8), *words])):
        lexicon.trim()
        known, pieces = every_choice(lexicon, text)
        assert known[-4:] == [True, False, True, True]
        assert pieces[-6:] == [(12, 13), (22, 23), (14,), (24,), (12, 13), (22, 23)]
    assert set(table.asked.values()) == ({1} if most else {1, 2})


def test_a_choice_does_not_depend_on_how_many_words_were_met_before():
    """A weight a little above a share, which beside a great slot would be rounded down to it."""
    share = 0.25

    def weigh(similarities):
        return np.tile([share + 2.0**-40, 1 - share - 2.0**-40], (len(similarities), 1))

    lexicon = CandidateCache(Table(), Tokenizer(), weigh)
    text = text_of([(2 * i, j) for i in range(200) for j in range(100)])
    numbers = lexicon.numbers(text)
    chosen = lexicon.pick(numbers, np.full(len(numbers), share), np.full(len(numbers), 2))
    assert (lexicon.pieces[chosen] == text.pieces[::2] + 10).all()


@pytest.mark.parametrize("loops", [True, False])
def test_a_share_at_the_end_of_a_weight_chooses_the_next(loops, monkeypatch):
    if not loops:
        monkeypatch.setattr(compiled, "LOOPS", {})
    lexicon = CandidateCache(Table(), Tokenizer(), np.ones_like)
    numbers = lexicon.numbers(text_of([(2, 3), (6,)]))
    shares = np.array([0.5 - 2.0**-24, 0.5, 0.0, 0.5, 1 - 2.0**-24])
    chosen = lexicon.pick(numbers[[0, 0, 1, 1, 1]], shares, np.array([2, 2, 1, 1, 1]))
    assert lexicon.pieces[chosen].tolist() == [12, 22, 16, 26, 26]


def test_words_without_a_similar_one_are_counted():
    words = [(1, 1)] * 5 + [(3, 3, 3)] * 2 + [(2,)] * 9
    words += [(2 * i + 5,) for i in range(MISSING_OF_A_BLOCK)]
    text = text_of(words)
    lexicon = CandidateCache(Table(), Tokenizer(), np.ones_like)
    numbers = lexicon.numbers(text)
    counts = lexicon.count(numbers)
    assert counts["without_similar/short"] == 5 + MISSING_OF_A_BLOCK
    assert counts["without_similar/long"] == 2
    missing = {name: n for name, n in counts.items() if name.startswith("missing/")}
    assert len(missing) == MISSING_OF_A_BLOCK  # the most frequent, so that memory is bounded
    assert missing["missing/1-1"] == 5
    assert missing["missing/3-3-3"] == 2
