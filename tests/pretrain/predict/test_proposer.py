import numpy as np
import pytest

from data_gen.shared.errors import UserError
from pretrain.checkpoint.load import load_model
from pretrain.model.proposals import _top, propose
from pretrain.predict.proposer import Proposer, Request, windows
from pretrain.runtime.tensorflow import tf
from pretrain.text.batches import as_batch
from tests.pretrain.small_model import PIECES, FakeTokenizer, write_model


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return load_model(write_model(tmp_path_factory.mktemp("model")))


TEXTS = [[10, 11, 12], [13], [14, 15, 4, 4, 16, 7, 8], [10] * 38, [], [11, 1, 12] * 10]


def all_places(pieces):
    return Request(pieces, range(len(pieces)))


def test_requests_of_all_lengths_are_answered_in_their_order(model):
    proposer = Proposer(model, FakeTokenizer(), 4)
    found = proposer([all_places(pieces) for pieces in TEXTS])
    for pieces, proposals in zip(TEXTS, found):
        assert proposals.ids.shape == proposals.probabilities.shape == (len(pieces), 4)
        if not pieces:
            continue
        batch = {n: tf.constant(v) for n, v in as_batch([pieces], 2, 3, 40).items()}
        alone = propose(model.variables, batch, model.config, len(PIECES))
        inner = slice(1, len(pieces) + 1)  # without [CLS] and [SEP]
        np.testing.assert_allclose(proposals.actual, alone.actual[0, inner], rtol=1e-4)
        for i, ids in enumerate(alone.ids[0, inner].numpy()):
            known = proposals.probabilities[i] > 0
            suit = [j for j in ids if j in suiting(pieces[i])][:4]
            assert proposals.ids[i][known].tolist() == suit


def suiting(piece):
    begins = {6, 7, *range(10, len(PIECES))}  # no special, no [unused1], no ##天
    return begins | {8} if piece == 4 else {8} if PIECES[piece].startswith("##") else begins


def test_nothing_is_proposed_that_does_not_suit(model):
    """Pieces that begin a word or continue it, and [MASK], which may be both."""
    (found,) = Proposer(model, FakeTokenizer(), len(PIECES))([all_places([10, 8, 4, 1])])
    for piece, ids, values in zip([10, 8, 4, 1], found.ids, found.probabilities):
        assert set(ids[values > 0].tolist()) == suiting(piece)


def test_places_may_be_few(model):
    proposer = Proposer(model, FakeTokenizer(), 3)
    whole, some = proposer([all_places(TEXTS[2]), Request(TEXTS[2], [1, 3])])
    np.testing.assert_array_equal(whole.ids[[1, 3]], some.ids)


def test_one_graph_for_each_padded_length(model):
    proposer = Proposer(model, FakeTokenizer(), 2)
    for count in (1, 2, 5):
        proposer([all_places([10] * length) for length in range(1, 39)] * count)
    assert sorted(proposer._compiled) == [32, 40]  # 40: what the model has


@pytest.mark.parametrize("length", [38, 39, 57, 58, 200])
def test_a_long_text_is_seen_in_windows(model, length):
    rng = np.random.RandomState(length)
    pieces = rng.randint(10, len(PIECES), length).tolist()
    places = sorted(rng.choice(length, 30, replace=False).tolist())
    parts = windows(Request(pieces, places), 38)
    seen = []
    for part in parts:
        assert len(part.pieces) == 38
        start = next(i for i in range(length) if pieces[i : i + 38] == part.pieces)
        for place in part.places:
            before, after = place, 38 - 1 - place
            assert before >= 9 or start == 0
            assert after >= 9 or start + 38 == length
            seen.append(start + place)
    assert seen == places
    proposer = Proposer(model, FakeTokenizer(), 2)
    whole, *alone = proposer([Request(pieces, places), *parts])
    np.testing.assert_allclose(
        whole.probabilities, np.concatenate([part.probabilities for part in alone]), rtol=1e-4
    )


def test_places_may_be_in_one_window_of_many(model):
    proposer = Proposer(model, FakeTokenizer(), 2)
    (found,) = proposer([Request([10] * 100, [50])])
    assert found.ids.dtype == np.int32
    assert (found.ids.shape, found.probabilities.shape, found.actual.shape) == (
        (1, 2),
        (1, 2),
        (1,),
    )


@pytest.mark.parametrize("size", [100, 640, 641, 2000])
def test_the_best_are_found_in_a_large_vocabulary(size):
    values = np.random.RandomState(size).rand(7, size).astype(np.float32)
    best, columns = _top(tf.constant(values), 5)
    np.testing.assert_array_equal(columns, np.argsort(-values, axis=1)[:, :5])
    np.testing.assert_array_equal(best, -np.sort(-values, axis=1)[:, :5])


def test_a_vocabulary_beyond_the_model_is_refused(model):
    tokenizer = FakeTokenizer()
    tokenizer.pieces = [*PIECES, "more"]
    with pytest.raises(UserError, match=r"has 21 pieces, the model 20: give the vocab\.txt"):
        Proposer(model, tokenizer, 2)
