"""Where and what together: instances of real words, masked as one configuration says."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.config import DataConfig
from data_gen.corruption import CORRUPTION_UNITS, CORRUPTIONS, RANDOM_UNITS
from data_gen.examples import Carry, Masker
from data_gen.masking import SELECTORS
from data_gen.stats import Counts
from data_gen.synonyms import NoSimilarWords
from data_gen.types import Instance, Sentence, Span
from tests.conftest import default_settings

WORDS = ["模型", "的", "，", "1998", "bert", "概率", "人工智能", "不", "。", "语言"]


def masker(tokenizer, *overrides, similar=None):
    config = default_settings(
        DataConfig, ["max_seq_length=64", "max_predictions_per_seq=20", *overrides]
    )
    return Masker(config, tokenizer, similar or NoSimilarWords())


def instance(tokenizer, a, b):
    """An instance of two segments, each a list of sentences, each a list of words."""
    pieces, sentences, stops = [tokenizer.cls], [], []
    for segment in (a, b):
        for words in segment:
            spans = []
            for word in words:
                ((ids, _),) = tokenizer.encode([word])
                spans.append(Span(len(pieces), len(pieces) + len(ids)))
                pieces += ids
            sentences.append(tuple(spans))
        pieces.append(tokenizer.sep)
        stops.append(len(pieces))
    return Instance(tuple(pieces), stops[0], tuple(sentences), 0)


class Neighbours:
    """Every word has two similar ones, but words of an odd first piece."""

    def __call__(self, word):
        if word[0] % 2:
            return ()
        return [(tuple(4000 + piece % 100 for piece in word), 0.9), ((4500,) * len(word), 0.5)]

    def missing(self, word):
        return "not in the table"


sentences = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6)
segments = st.lists(sentences, min_size=1, max_size=3)


@pytest.mark.parametrize("unit", CORRUPTION_UNITS)
@pytest.mark.parametrize("corruption", sorted(CORRUPTIONS))
@pytest.mark.parametrize("selector", sorted(SELECTORS))
def test_every_combination_masks_whole_words_and_nothing_else(
    tokenizer, selector, corruption, unit
):
    masks = {
        random_unit: masker(
            tokenizer,
            f"masking.selector={selector}",
            f"masking.corruption={corruption}",
            f"masking.corruption_unit={unit}",
            f"masking.random_unit={random_unit}",
            similar=Neighbours(),
        )
        for random_unit in RANDOM_UNITS
    }
    allowed = {*tokenizer.producible, tokenizer.mask}

    @given(segments, segments, st.sampled_from(RANDOM_UNITS), st.integers())
    def check(a, b, random_unit, seed):
        made = instance(tokenizer, a, b)
        block = [
            Sentence(made.pieces[s[0].start : s[-1].stop], (Span(0, s[-1].stop - s[0].start),))
            for s in made.sentences
        ]
        masks[random_unit].begin_block([block])
        counts = Counts()
        example = masks[random_unit](made, Carry(), random.Random(seed), counts)
        masked = set(example.masked_positions)
        assert 1 <= len(masked) <= 20
        assert list(example.masked_positions) == sorted(masked)
        # labels are the originals, also where nothing was changed (MacBERT#1)
        assert example.masked_labels == tuple(made.pieces[i] for i in sorted(masked))
        for i, (old, new) in enumerate(zip(made.pieces, example.pieces)):
            assert i in masked or old == new
            assert old == new or new in allowed
        assert not {0, made.a_stop - 1, len(made.pieces) - 1} & masked
        if selector != "piece":
            for sentence in made.sentences:
                for word in sentence:
                    assert set(range(*word)) <= masked or not set(range(*word)) & masked
        if corruption == "similar":
            assert tokenizer.mask not in example.pieces
        assert counts["masked_pieces"] == len(masked)

    check()


def masked_words(tokenizer, rounds, a, b, *overrides, corruption="partial_mask"):
    """How often each word was masked, and the n-grams by the sentences that they touch."""
    mask = masker(tokenizer, f"masking.corruption={corruption}", "masked_lm_prob=0.3", *overrides)
    made = instance(tokenizer, a, b)
    masked, counts, carry = Counter(), Counts(), Carry()
    for seed in range(rounds):
        example = mask(made, carry, random.Random(seed), counts)
        for sentence in made.sentences:
            for word in sentence:
                if word.start in example.masked_positions:
                    masked[tokenizer.text(made.pieces[word.start : word.stop])] += 1
    return masked, counts


def test_classes_of_words_may_be_left_out(tokenizer):
    text = [WORDS[:7]], [WORDS[7:]]
    everything, _ = masked_words(tokenizer, 300, *text)
    assert set(everything) == set(WORDS)
    skip = "masking.skip=[punctuation,number,latin,single]"
    masked, counts = masked_words(tokenizer, 300, *text, skip)
    assert set(masked) == {"模型", "概率", "人工智能", "语言"}
    assert counts["never_masked/number"] == counts["never_masked/latin"] == 300
    assert counts["never_masked/punctuation"] == counts["never_masked/single"] == 600


def test_where_all_words_are_left_out_one_is_masked_all_the_same(tokenizer):
    masked, counts = masked_words(tokenizer, 20, [["，"]], [["。"]], "masking.skip=[punctuation]")
    assert sum(masked.values()) == 20
    assert counts["forced"] == 20


def test_ngrams_cross_sentences_but_never_segments(tokenizer):
    text = [["模型", "概率"], ["语言", "的"]], [["不", "模型"], ["概率", "语言"]]
    _, counts = masked_words(tokenizer, 500, *text)
    assert counts["ngrams_across_sentences"] > 0
    _, counts = masked_words(tokenizer, 500, *text, "masking.ngram_within=sentence")
    assert counts["ngrams_across_sentences"] == 0
    assert counts["ngrams/2"] > 0


def test_unknown_characters_are_never_masked(tokenizer):
    """No label is a special token, and [UNK] is nothing to predict."""
    text = [["“", "模型", "”"]], [["概率", "“"]]
    masked, counts = masked_words(tokenizer, 200, *text)
    assert set(masked) == {"模型", "概率"}
    assert counts["never_masked/unknown"] == 600


def test_an_instance_of_unknown_characters_alone_gives_no_example(tokenizer):
    counts = Counts()
    made = instance(tokenizer, [["“"]], [["”"]])
    assert masker(tokenizer)(made, Carry(), random.Random(1), counts) is None
    assert counts["instances_of_unknown_pieces"] == 1


def test_random_words_are_words_of_the_block(tokenizer):
    mask = masker(tokenizer, "masking.corruption=random", "masking.random_unit=word")
    made = instance(tokenizer, [["模型", "概率"]], [["语言", "不"]])
    words = [made.pieces[w.start : w.stop] for sentence in made.sentences for w in sentence]
    spans = (Span(0, 2), Span(2, 4), Span(4, 6), Span(6, 7), Span(7, 8))
    unknown = (tokenizer.unk,)  # a word of the block that is never taken
    block = [Sentence(tuple(piece for word in (*words, unknown) for piece in word), spans)]
    mask.begin_block([block])
    for seed in range(100):
        example = mask(made, Carry(), random.Random(seed), Counts())
        for sentence in made.sentences:
            for word in sentence:
                assert example.pieces[word.start : word.stop] in words


def test_kinds_are_counted_as_drawn_and_as_realised(tokenizer):
    mask = masker(tokenizer, "masking.max_fallback=1.0", similar=Neighbours())
    made = instance(tokenizer, [["模型", "的", "概率", "不"]], [["语言", "人工智能"]])
    counts = Counts()
    for seed in range(500):
        mask(made, Carry(), random.Random(seed), counts)
    drawn = {name: n for name, n in counts.items() if name.startswith("drawn/")}
    assert set(drawn) == {"drawn/similar", "drawn/random", "drawn/keep"}
    assert drawn["drawn/similar"] / sum(drawn.values()) == pytest.approx(0.8, abs=0.03)
    assert counts["pieces/fallback"] > 0
    pieces = sum(n for name, n in counts.items() if name.startswith("pieces/"))
    assert pieces == counts["masked_pieces"]
    assert sum(counts[f"masked_in_decile/{i}"] for i in range(10)) == pieces


@pytest.mark.parametrize(
    "overrides",
    [
        ["masking.over_budget=shorten", "masking.selector=word"],
        ["masking.over_budget=shorten"],
        ["masking.selector=ngram_in_order"],
        ["max_predictions_per_seq=10", "masking.selector=word"],
    ],
)
def test_every_example_predicts_something(tokenizer, overrides):
    """Words of two pieces for a budget of less than one, words longer than all predictions."""
    for words in (["模型"], ["bert" * 12]):
        made = instance(tokenizer, [words], [["语言"] if len(words[0]) < 9 else words])
        mask = masker(tokenizer, "masking.corruption=partial_mask", *overrides)
        for seed in range(30):
            assert mask(made, Carry(), random.Random(seed), Counts()).masked_positions


def test_kinds_that_found_no_place_are_handed_on(tokenizer):
    """Short instances that throw them away lose similar words."""
    mask = masker(tokenizer, "masking.max_fallback=0.0", similar=Neighbours())
    made = instance(tokenizer, [["概率", "模型"]], [["语言", "的"]])
    counts, carry = Counts(), Carry()
    for seed in range(3000):
        mask(made, carry, random.Random(seed), counts)
    drawn = counts["drawn/similar"] / (
        counts["drawn/similar"] + counts["drawn/random"] + counts["drawn/keep"]
    )
    assert drawn == pytest.approx(0.8, abs=0.015)
