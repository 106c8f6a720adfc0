"""What a lexicon counts of the words of a text."""

import random

from data_gen.core.counting import Counts
from data_gen.synonyms.lexicon import CandidateCache
from tests.data_gen.helpers import OneByOne, block


class Similar(OneByOne):
    """Words of one piece have similar ones, from two sources."""

    def __call__(self, word):
        return [(word, 1.0)] if len(word) == 1 else []

    def source(self, word):
        return ("odd" if word[0] % 2 else "even") if len(word) == 1 else ""

    def missing(self, word):
        return "too long"


def count(lexicon, tokenizer, words):
    text, _ = block(tokenizer, [words], [])
    return lexicon.count(lexicon.numbers(text))


def lexicon_of(tokenizer):
    return CandidateCache(Similar(), tokenizer, lambda similarities: similarities)


def test_words_are_counted_by_source_and_reason(tokenizer):
    words = ["大", "模型", "模型", "，", "bert", "\U00020000甲"]
    counts = count(lexicon_of(tokenizer), tokenizer, words)
    odd = tokenizer.ids["大"] % 2 + tokenizer.ids["，"] % 2
    assert (counts["similar_from/odd"], counts["similar_from/even"]) == (odd, 2 - odd)
    assert counts["without_similar/too long"] == 3
    assert counts["without_similar/holds [UNK], never masked"] == 1
    assert (counts["chinese_words"], counts["chinese_words_with_similar"]) == (3, 1)
    assert counts["missing/模型"] == 2
    assert not any("UNK" in name for name in counts if name.startswith("missing/"))
    assert counts["characters_of_words"] == sum(map(len, words[:5]))
    assert counts["characters_with_similar"] == 2


def test_counts_add_up_over_any_cut_of_the_text(tokenizer):
    rng = random.Random(1)
    words = [rng.choice(["大", "小", "模型", "，"]) for _ in range(60)]
    whole = count(lexicon_of(tokenizer), tokenizer, words)
    lexicon = lexicon_of(tokenizer)
    parts = Counts()
    for start in range(0, 60, 7):
        parts.update(count(lexicon, tokenizer, words[start : start + 7]))
    assert whole == parts
