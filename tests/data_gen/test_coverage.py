import random

from data_gen.coverage import CoverageCounter
from data_gen.stats import Counts
from data_gen.types import Sentence, Span


class Similar:
    """Words of one piece have similar ones, from two sources."""

    def __call__(self, word):
        return [(word, 1.0)] if len(word) == 1 else []

    def source(self, word):
        return ("odd" if word[0] % 2 else "even") if len(word) == 1 else ""

    def missing(self, word):
        return "too long"


def sentence(tokenizer, *words):
    """A sentence of these words."""
    pieces, spans = [], []
    for ids, _ in tokenizer.encode(words):
        spans.append(Span(len(pieces), len(pieces) + len(ids)))
        pieces += ids
    return Sentence(tuple(pieces), tuple(spans))


def test_words_are_counted_by_source_and_reason(tokenizer):
    count, counts = CoverageCounter(Similar(), tokenizer), Counts()
    words = ["大", "模型", "模型", "，", "bert", "\U00020000甲"]
    odd = tokenizer.ids["大"] % 2 + tokenizer.ids["，"] % 2
    text = [[sentence(tokenizer, *words[:3])], [sentence(tokenizer, *words[3:])]]
    count(text, counts)
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
    whole, parts = Counts(), Counts()
    CoverageCounter(Similar(), tokenizer)([[sentence(tokenizer, *words)]], whole)
    count = CoverageCounter(Similar(), tokenizer)
    for start in range(0, 60, 7):
        count([[sentence(tokenizer, *words[start : start + 7])]], parts)
    assert whole == parts
