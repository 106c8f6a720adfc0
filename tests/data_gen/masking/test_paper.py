"""The example of the MacBERT paper, Table II, with the vectors of its toolkit."""

import pytest

from data_gen.config import DataConfig
from data_gen.segmentation.boundaries import word_boundaries
from data_gen.segmentation.segmenters import SegmenterConfig, load_segmenter
from data_gen.synonyms.neighbours import nearby
from data_gen.synonyms.toolkit import toolkit_vectors
from data_gen.synonyms.vector_files import read_vectors
from tests.conftest import default_settings
from tests.data_gen.helpers import OneByOne, block, masker_of, sequence, show, spans

SENTENCE = "使用语言模型来预测下一个词的概率。"
WORDS = ["使用", "语言", "模型", "来", "预测", "下", "一个", "词", "的", "概率", "。"]
REPLACEMENTS = {"语言": "语法", "模型": "建模", "预测": "预见", "概率": "几率"}


class Toolkit(OneByOne):
    """The ten nearest of the four words, computed as `synonyms build` does for all words."""

    def __init__(self, tokenizer):
        vectors = read_vectors(toolkit_vectors())
        rows = [vectors.words.index(word) for word in REPLACEMENTS]
        near, cosines = nearby(vectors.matrix, 10, show, of=rows)
        self.neighbours = {
            word: [(vectors.words[i], cosine) for i, cosine in zip(*both)]
            for word, both in zip(REPLACEMENTS, zip(near.tolist(), cosines.tolist()))
        }
        self._candidates = {}
        for word, neighbours in self.neighbours.items():
            ((pieces, _), *encoded) = tokenizer.encode([word, *(other for other, _ in neighbours)])
            self._candidates[tuple(pieces)] = [
                (tuple(ids), cosine)
                for (ids, _), (_, cosine) in zip(encoded, neighbours)
                if len(ids) == len(pieces)
            ]

    def __call__(self, word):
        return self._candidates.get(word, ())

    def source(self, word):
        return "toolkit" if self(word) else ""

    def missing(self, word):
        return "not in the table"


@pytest.fixture(scope="module")
def toolkit(tokenizer):
    return Toolkit(tokenizer)


@pytest.mark.parametrize("engine", ["jieba", "rjieba"])
def test_the_words_are_those_of_the_paper(engine):
    (marks,) = word_boundaries(load_segmenter(SegmenterConfig(name=engine)), [SENTENCE])
    ends = sorted(set(marks))
    assert [SENTENCE[a:b] for a, b in zip(ends, ends[1:])] == WORDS


def test_the_papers_replacements_are_among_the_nearest(toolkit):
    for word, replacement in REPLACEMENTS.items():
        assert replacement in [other for other, _ in toolkit.neighbours[word]], word
    assert toolkit.neighbours["语言"][0][0] == "语法"
    assert toolkit.neighbours["模型"][0][0] == "建模"


def test_masking_the_sentence_gives_the_papers_replacements(tokenizer, toolkit):
    """Whole words, each replaced by a similar word of its own, as many pieces as before."""
    a, b = WORDS[:4], WORDS[4:]  # 使用语言模型来 | 预测下一个词的概率。
    config = default_settings(DataConfig, ["max_seq_length=32", "max_predictions_per_seq=12"])
    mask = masker_of(config, tokenizer, toolkit)
    text, instances = block(tokenizer, [a], [b], 2000)
    found = {word: set() for word in REPLACEMENTS}
    bigrams = set()
    for example in mask(text, instances)[0].each():
        assert len(example.pieces) == len(sequence(tokenizer, text, instances))
        new = [tokenizer.join(example.pieces[slice(*span)]) for span in spans(text, instances)]
        for old, word, span in zip(WORDS, new, spans(text, instances)):
            masked = set(range(*span)) & set(example.masked_positions)
            assert masked in (set(), set(range(*span)))
            if old in found and masked:
                found[old].add(word)
        bigrams |= {f"{left} {right}" for left, right in zip(new, new[1:])}
    for word, replacement in REPLACEMENTS.items():
        assert replacement in found[word]
    assert "语法 建模" in bigrams  # 语言 模型 masked together, each by a word of its own
