"""Where and what together: instances of real words, masked as one configuration says."""

import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.config import DataConfig
from data_gen.jobs.statistics import report
from data_gen.masking.corruption import CORRUPTION_UNITS, CORRUPTIONS, RANDOM_UNITS
from data_gen.masking.selectors import SELECTORS
from data_gen.synonyms.lookup import NoSimilarWords
from tests.conftest import default_settings
from tests.data_gen.helpers import OneByOne, block, masker_of, pieces_of, sequence, spans

WORDS = ["模型", "的", "，", "1998", "bert", "概率", "人工智能", "不", "。", "语言"]


def masker(tokenizer, *overrides, similar=None):
    config = default_settings(
        DataConfig, ["max_seq_length=64", "max_predictions_per_seq=20", *overrides]
    )
    return masker_of(config, tokenizer, similar or NoSimilarWords())


class Neighbours(OneByOne):
    """Every word has two similar ones, but words of an odd first piece."""

    def __call__(self, word):
        if word[0] % 2:
            return ()
        return [(tuple(4000 + piece % 100 for piece in word), 0.9), ((4500,) * len(word), 0.5)]

    def source(self, word):
        return "neighbours" if self(word) else ""

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
    allowed = {*tokenizer.reachable_ids, tokenizer.mask}

    @given(segments, segments, st.sampled_from(RANDOM_UNITS), st.integers())
    def check(a, b, random_unit, seed):
        text, instances = block(tokenizer, a, b, 3, seed)
        original = sequence(tokenizer, text, instances)
        made, counts = masks[random_unit](text, instances)
        examples = list(made.each())
        again = list(masks[random_unit](text, instances)[0].each())
        assert examples == again
        assert len(examples) == 3
        for example in examples:
            masked = set(example.masked_positions)
            assert 1 <= len(masked) <= 20
            assert list(example.masked_positions) == sorted(masked)
            # labels are the originals, also where nothing was changed (MacBERT#1)
            assert example.masked_labels == tuple(original[i] for i in sorted(masked))
            assert len(example.pieces) == len(original)
            for i, (old, new) in enumerate(zip(original, example.pieces)):
                assert i in masked or old == new
                assert old == new or new in allowed
            assert example.a_stop == instances.a[0, 1] + 2
            assert not {0, example.a_stop - 1, len(original) - 1} & masked
            if selector != "piece":
                for word in spans(text, instances):
                    assert set(range(*word)) <= masked or not set(range(*word)) & masked
            if corruption == "similar":
                assert tokenizer.mask not in example.pieces
        total = sum(len(example.masked_positions) for example in examples)
        assert counts["masked_pieces"] == total

    check()


@pytest.mark.parametrize("selector", sorted(SELECTORS))
def test_a_mask_does_not_depend_on_the_instances_beside_it(tokenizer, selector):
    """Also where nearly all is masked, so that most n-grams find a place only by listing all."""
    settings = [f"masking.selector={selector}", "masked_lm_prob=0.8", "max_predictions_per_seq=60"]
    mask = masker(tokenizer, *settings, similar=Neighbours())
    text, instances = block(tokenizer, [WORDS, WORDS[:5]], [WORDS[4:]], 40)
    together = list(mask(text, instances)[0].each())
    alone = [list(mask(text, instances.where([i]))[0].each()) for i in range(40)]
    assert [[example] for example in together] == alone


def masked_words(tokenizer, rounds, a, b, *overrides, corruption="partial_mask"):
    """How often each word was masked, and the counts."""
    mask = masker(tokenizer, f"masking.corruption={corruption}", "masked_lm_prob=0.3", *overrides)
    text, instances = block(tokenizer, a, b, rounds)
    masked = Counter()
    examples, counts = mask(text, instances)
    for example in examples.each():
        for number, (start, _) in enumerate(spans(text, instances)):
            if start in example.masked_positions:
                masked[tokenizer.join(text.word(number))] += 1
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
    assert counts["ngrams/4"] > 0
    _, counts = masked_words(tokenizer, 500, *text, "masking.ngram_within=sentence")
    assert counts["ngrams_across_sentences"] == 0
    assert counts["ngrams/2"] > 0
    assert counts["ngrams/3"] == counts["ngrams/4"] == 0


def test_ngrams_never_cross_a_word_that_is_left_out(tokenizer):
    text = [["模型", "，", "概率"]], [["语言", "。", "不"]]
    _, counts = masked_words(tokenizer, 300, *text, "masking.skip=[punctuation]")
    assert counts["ngrams/1"] > 0
    assert counts["ngrams/2"] == 0


def test_unknown_characters_are_never_masked(tokenizer):
    """No label is a special token, and [UNK] is nothing to predict."""
    text = [["“", "模型", "”"]], [["概率", "“"]]
    masked, counts = masked_words(tokenizer, 200, *text)
    assert set(masked) == {"模型", "概率"}
    assert counts["never_masked/unknown"] == 600


def test_an_instance_of_unknown_characters_alone_gives_no_example(tokenizer):
    text, instances = block(tokenizer, [["“"]], [["”"]], 2)
    examples, counts = masker(tokenizer)(text, instances)
    assert list(examples.each()) == []
    assert counts["instances_of_unknown_pieces"] == 2
    assert counts["instances"] == 0


def test_random_words_are_words_of_the_block(tokenizer):
    mask = masker(tokenizer, "masking.corruption=random", "masking.random_unit=word")
    # [UNK] is a word of the block that is never taken
    text, instances = block(tokenizer, [["模型", "概率"]], [["语言", "不", "“"]], 100)
    words = [text.word(i) for i in range(4)]
    replaced = Counter()
    for example in mask(text, instances)[0].each():
        for start, stop in spans(text, instances)[:4]:
            assert example.pieces[start:stop] in words
            replaced[example.pieces[start:stop]] += 1
    assert set(replaced) == set(words)


def test_kinds_are_counted_as_drawn_and_as_realised(tokenizer):
    mask = masker(tokenizer, "masking.max_fallback=1.0", similar=Neighbours())
    text = [["模型", "的", "概率", "不"]], [["语言", "人工智能"]]
    _, counts = mask(*block(tokenizer, *text, 500))
    drawn = {name: n for name, n in counts.items() if name.startswith("drawn/")}
    assert set(drawn) == {"drawn/similar", "drawn/random", "drawn/keep"}
    assert drawn["drawn/similar"] / sum(drawn.values()) == pytest.approx(0.8, abs=0.03)
    assert counts["pieces/fallback"] > 0
    pieces = sum(n for name, n in counts.items() if name.startswith("pieces/"))
    assert pieces == counts["masked_pieces"]
    assert sum(counts[f"masked_in_decile/{i}"] for i in range(10)) == pieces
    words = sum(n for name, n in counts.items() if name.startswith("masked_of_size/"))
    assert words == sum(drawn.values())
    # 的 and 人工智能 of the six words
    assert sum(counts[f"maskable_in_decile/{i}"] for i in range(10)) == 500 * 12


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
        b = [["语言"] if len(words[0]) < 9 else words]
        mask = masker(tokenizer, "masking.corruption=partial_mask", *overrides)
        for example in mask(*block(tokenizer, [words], b, 30))[0].each():
            assert example.masked_positions


def test_the_order_and_the_number_of_instances_do_not_matter(tokenizer):
    """Not even where the cap on fallbacks refuses n-grams."""
    mask = masker(tokenizer, similar=Neighbours())
    text, instances = block(tokenizer, [WORDS], [WORDS], 9)
    every = list(mask(text, instances)[0].each())
    order = np.array([8, 2, 5])
    turned = mask(text, instances.where(order))[0].each()
    assert list(turned) == [every[i] for i in order]


def test_where_half_the_words_have_similar_ones_the_shares_are_kept(tokenizer):
    """N-grams that the cap refuses keep the kinds that were drawn for them in another place."""
    limits = ["max_seq_length=128", "max_predictions_per_seq=24"]
    mask = masker(tokenizer, *limits, similar=Neighbours())
    every = {word: tokenizer.encode([word])[0][0] for word in WORDS if word != "人工智能"}
    lacking = [word for word, pieces in every.items() if not Neighbours()(pieces)]
    words = [word for word in every if word not in lacking[3:]]
    assert len(words) == 6
    rng = random.Random(3)
    a, b = rng.choices(words, k=36), rng.choices(words, k=36)
    examples, counts = mask(*block(tokenizer, [a], [b], 4000))
    assert counts["refused_ngrams"] > 1000
    drawn = [counts[f"drawn/{kind}"] for kind in ("similar", "random", "keep")]
    assert [n / sum(drawn) for n in drawn] == pytest.approx([0.8, 0.1, 0.1], abs=0.005)
    ngrams = [counts[f"ngrams/{n}"] for n in (1, 2, 3, 4)]
    assert [n / sum(ngrams) for n in ngrams] == pytest.approx([0.4, 0.3, 0.2, 0.1], abs=0.015)
    share = len(examples.masked_positions) / len(examples.pieces)
    assert share == pytest.approx(0.15, abs=0.005)
    assert counts["pieces/fallback"] <= 0.1 * counts["masked_pieces"]


def test_where_no_word_has_a_similar_one_the_first_drawn_is_masked_past_the_cap(tokenizer):
    mask = masker(tokenizer, "masking.max_fallback=0.0", "masking.selector=word")
    _, counts = mask(*block(tokenizer, [["概率"]], [["语言"]], 3000))
    assert counts["forced"] == counts["pieces/fallback"] / 2  # a word of two pieces each
    assert counts["forced"] / 3000 == pytest.approx(0.8, abs=0.02)


class Grammar(OneByOne):
    """语法 for every word: of 语言 it leaves 语 as it is."""

    def __init__(self, tokenizer):
        self.grammar = pieces_of(tokenizer, "语法")

    def __call__(self, word):
        return [(self.grammar, 0.9)]

    def source(self, word):
        return "toolkit"


def test_pieces_that_stay_the_same_are_counted_by_kind(tokenizer):
    words = [["语言"] * 20]
    text, instances = block(tokenizer, words, words, count=200)
    mask = masker(tokenizer, "max_seq_length=96", similar=Grammar(tokenizer))
    examples, counts = mask(text, instances)
    assert counts["unchanged/keep"] == counts["pieces/keep"] > 0
    assert counts["unchanged/similar"] == counts["pieces/similar"] / 2 > 0
    at = np.repeat(examples.rows[:-1], np.diff(examples.masked_rows)) + examples.masked_positions
    same = int((examples.pieces[at] == examples.masked_labels).sum())
    assert same == sum(n for name, n in counts.items() if name.startswith("unchanged/"))
    kinds = report(counts, 96)
    assert kinds["unchanged_pieces"] == round(same / counts["masked_pieces"], 4)
    assert kinds["unchanged_by_kind"]["keep"] == kinds["kinds_by_piece"]["keep"]


class ShortOnes(Neighbours):
    """All words of up to four pieces have similar ones, longer ones have none."""

    def __call__(self, word):
        return [((4500,) * len(word), 0.5)] if len(word) < 5 else ()


@pytest.mark.parametrize("weights", ["[0.4,0.3,0.2,0.1]", "[1]"])
def test_long_words_without_a_similar_word_are_masked_as_often_as_others(tokenizer, weights):
    """Two pieces of a sequence of 128 may be fallbacks, and a word of six is one in a hundred: held
    to the cap sequence by sequence it was masked half as often.
    """
    settings = ["max_seq_length=128", f"masking.ngram_weights={weights}"]
    mask = masker(tokenizer, *settings, "max_predictions_per_seq=28", similar=ShortOnes())
    long = "electroencephalographs"
    assert len(tokenizer.encode([long])[0][0]) >= 5
    rng = random.Random(1)
    a, b = rng.choices(["模型", "语言"], k=29), rng.choices(["模型", "语言"], k=29)
    a[rng.randrange(29)] = long
    _, counts = mask(*block(tokenizer, [a], [b], 6000))
    sizes = report(counts, 128)["masked_by_word_size"]
    assert sizes["5+"] == pytest.approx(1, abs=0.12)
    assert sizes["2"] == pytest.approx(1, abs=0.02)
    kinds = report(counts, 128)["kinds_by_piece"]
    assert 0.02 < kinds["fallback"] < 0.1
    assert report(counts, 128)["masked"] == pytest.approx(0.15, abs=0.01)
