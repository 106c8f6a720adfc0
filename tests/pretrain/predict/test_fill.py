import numpy as np
import pytest

from pretrain.checkpoint.load import load_model
from pretrain.predict.fill import fill
from pretrain.predict.proposer import Proposer, Request
from pretrain.text.batches import encode_with_masks
from tests.pretrain.small_model import PIECES, FakeTokenizer, write_model

TOKENIZER = FakeTokenizer()


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return load_model(write_model(tmp_path_factory.mktemp("model")))


def filled(model, texts, count=3, beam=None):
    proposer = Proposer(model, TOKENIZER, beam or count)
    return fill(proposer, TOKENIZER, encode_with_masks(TOKENIZER, texts), count)


def test_each_mask_has_its_own_best_pieces(model):
    text = "天[MASK]地人[MASK]。"
    (found,) = filled(model, [text])
    assert [(mask.start, mask.stop) for mask in found.masks] == [(1, 7), (9, 15)]
    assert not found.words
    (expected,) = Proposer(model, TOKENIZER, 3)([Request([10, 4, 11, 12, 4, 6], [1, 4])])
    for mask, ids in zip(found.masks, expected.ids):
        assert [proposal.text for proposal in mask.proposals] == [TOKENIZER.join([i]) for i in ids]


def test_words_are_the_most_probable_of_all(model):
    """A beam as wide as the vocabulary is an exhaustive search, done here by hand."""
    (found,) = filled(model, ["天[MASK][MASK]火"], count=4, beam=len(PIECES))
    (word,) = found.words
    assert (word.start, word.stop) == (1, 13)
    proposer = Proposer(model, TOKENIZER, len(PIECES))
    best = {}
    (first,) = proposer([Request([10, 4, 4, 17], [1])])
    for one, p in zip(first.ids[0], first.probabilities[0]):
        (second,) = proposer([Request([10, one, 4, 17], [2])])
        for two, q in zip(second.ids[0], second.probabilities[0]):
            if p * q:
                best[TOKENIZER.join([one, two])] = p * q
    assert sum(best.values()) <= 1 + 1e-5
    expected = sorted(best, key=best.get, reverse=True)[:4]
    assert [proposal.text for proposal in word.proposals] == expected
    np.testing.assert_allclose(
        [proposal.probability for proposal in word.proposals],
        [best[text] for text in expected],
        rtol=1e-4,
    )


def test_a_word_is_what_has_nothing_in_between(model):
    text = "[MASK][MASK]天[MASK]" + "[MASK]" * 8 + "地[MASK]天[MASK][MASK][MASK]"
    (found,) = filled(model, [text])
    assert [(word.start, word.stop) for word in found.words] == [(0, 12), (75, 93)]  # 9 are none
    assert len(found.masks) == 15


def test_sentences_do_not_touch_each_other(model):
    texts = ["天[MASK][MASK]火", "山", "[MASK]", "[MASK][MASK][MASK]。", ""]
    together = filled(model, texts)
    for text, found in zip(texts, together):
        (alone,) = filled(model, [text])
        assert [[p.text for p in place.proposals] for place in found.masks + found.words] == [
            [p.text for p in place.proposals] for place in alone.masks + alone.words
        ]


def test_probabilities_descend(model):
    for found in filled(model, ["[MASK][MASK][MASK]", "天[MASK]"], count=5):
        for place in found.masks + found.words:
            values = [proposal.probability for proposal in place.proposals]
            assert values == sorted(values, reverse=True)
            assert len({proposal.text for proposal in place.proposals}) == 5
