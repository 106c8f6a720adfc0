import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.masking import SELECTORS, Policy
from data_gen.types import Span

NOMINAL = [0.4, 0.3, 0.2, 0.1]  # MacBERT paper, IV-A
sizes = st.lists(st.integers(1, 6), max_size=40)


def spans(sizes, start=1):
    words = []
    for size in sizes:
        words.append(Span(start, start + size))
        start += size
    return words


def segments(a, b):
    first = spans(a)
    return first, spans(b, (first[-1].stop if first else 1) + 1)


def accept_all(ngram):
    return True


@pytest.mark.parametrize("name", sorted(SELECTORS))
def test_what_always_holds(name):
    @given(
        a=sizes, b=sizes, share=st.floats(0.01, 0.9), most=st.integers(1, 30), seed=st.integers()
    )
    def check(a, b, share, most, seed):
        words = segments(a, b)
        policy = Policy(share * sum(a + b), most, NOMINAL)
        chosen = SELECTORS[name](words, policy, random.Random(seed), accept_all)
        assert chosen == SELECTORS[name](words, policy, random.Random(seed), accept_all)
        units = [word for ngram in chosen.ngrams for word in ngram]
        pieces = [i for word in units for i in range(*word)]
        assert len(set(pieces)) == len(pieces) <= most
        assert chosen.ngrams == sorted(chosen.ngrams)
        if name != "piece":
            assert set(units) <= {*words[0], *words[1]}
        for ngram in chosen.ngrams:
            assert 1 <= len(ngram) <= (4 if name == "ngram" else 1)
            assert all(left.stop == right.start for left, right in zip(ngram, ngram[1:]))
        # nothing is masked only where nothing fits
        smallest = 1 if name == "piece" and a + b else min(a + b, default=most + 1)
        assert bool(units) == (smallest <= most)

    check()


@pytest.mark.parametrize("name", sorted(SELECTORS))
def test_a_refused_ngram_is_never_chosen(name, rng):
    words = segments([2] * 20, [1] * 20)
    refused = set(words[0])
    allowed = set(words[1])
    chosen = SELECTORS[name](
        words, Policy(8, 20, NOMINAL), rng, lambda ngram: all(word in allowed for word in ngram)
    )
    assert chosen.ngrams
    assert not refused & {word for ngram in chosen.ngrams for word in ngram}


def realistic(rng, length):
    """Two segments of words with the lengths of Chinese ones, `length` pieces with specials."""
    a, b = [], []
    room = length - 3
    cut = rng.randrange(room // 4, room * 3 // 4)
    for segment, pieces in ((a, cut), (b, room - cut)):
        while sum(segment) < pieces:
            size = rng.choices([1, 2, 3, 4, 5, 8], [470, 455, 49, 22, 3, 1])[0]
            segment.append(min(size, pieces - sum(segment)))
    return segments(a, b)


def test_words_at_the_edges_are_masked_like_the_others(rng):
    """With starts drawn instead of words the first would be masked half as often as others."""
    words = segments([1] * 40, [1] * 40)
    edges = [words[0][:4], words[0][-4:], words[1][:4], words[1][-4:]]
    masked = Counter()
    for _ in range(6000):
        chosen = SELECTORS["ngram"](words, Policy(12, 40, NOMINAL), rng, accept_all)
        masked.update(word for ngram in chosen.ngrams for word in ngram)
    mean = sum(masked.values()) / 80
    for edge in edges:
        assert sum(masked[word] for word in edge) / 4 == pytest.approx(mean, rel=0.08)


@pytest.mark.parametrize(("length", "most"), [(128, 24), (512, 84)])
@pytest.mark.parametrize("name", sorted(SELECTORS))
def test_the_promised_distributions(name, length, most):
    rng = random.Random(length)
    lengths, by_decile, maskable = Counter(), Counter(), Counter()
    by_size, size_masked = Counter(), Counter()
    masked = total = 0
    rounds = 400_000 // length
    for _ in range(rounds):
        words = realistic(rng, length)
        chosen = SELECTORS[name](words, Policy(0.15 * length, most, NOMINAL), rng, accept_all)
        lengths.update(len(ngram) for ngram in chosen.ngrams)
        units = [word for ngram in chosen.ngrams for word in ngram]
        positions = [i for word in units for i in range(*word)]
        masked += len(positions)
        total += length
        by_decile.update(i * 10 // length for i in positions)
        everything = [*words[0], *words[1]]
        maskable.update(i * 10 // length for word in everything for i in range(*word))
        by_size.update("long" if word.size >= 4 else "short" for word in everything)
        size_masked.update("long" if word.size >= 4 else "short" for word in units)
    assert masked / total == pytest.approx(0.15, abs=0.003)
    if name == "ngram":
        shares = [lengths[n] / sum(lengths.values()) for n in (1, 2, 3, 4)]
        assert shares == pytest.approx(NOMINAL, abs=0.01)
    for decile in range(10):
        share = by_decile[decile] / maskable[decile]
        assert share == pytest.approx(masked / sum(maskable.values()), rel=0.08)
    if name != "piece":
        long, short = (size_masked[kind] / by_size[kind] for kind in ("long", "short"))
        assert long == pytest.approx(short, rel=0.1)
