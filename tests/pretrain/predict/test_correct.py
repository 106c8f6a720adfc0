import numpy as np
import pytest

from pretrain.model.proposals import Proposals
from pretrain.predict.correct import DEFAULT, Threshold, correct
from pretrain.text.batches import Encoded, encode_with_masks
from tests.pretrain.small_model import PIECES, FakeTokenizer

TOKENIZER = FakeTokenizer()


def listed(text, opinions, rule=DEFAULT, count=3, encoded=None):
    """List the suspicious words for a model's opinion, {place: (probability of the piece there,
    {piece: probability})}; it agrees with the text at other places.
    """
    encoded = encoded or encode_with_masks(TOKENIZER, [text])[0]

    def proposer(requests):
        (request,) = requests
        rows = []
        for place in request.places:
            own, others = opinions.get(place, (0.9, {PIECES[request.pieces[place]]: 0.9}))
            ids = [PIECES.index(piece) for piece in others] + [0] * (3 - len(others))
            rows.append((ids, [*others.values(), 0.0, 0.0][:3], own))
        ids, probabilities, own = zip(*rows) if rows else ([], [], [])
        return [
            Proposals(
                np.array(ids).reshape(-1, 3),
                np.array(probabilities).reshape(-1, 3),
                np.array(own),
            )
        ]

    (found,) = correct(proposer, TOKENIZER, [text], [encoded], rule, count)
    return found


def test_what_the_model_expects_is_not_listed():
    assert listed("天地人", {}) == []


def test_a_word_is_listed_with_its_place_and_the_alternatives():
    (one,) = listed("天地人", {1: (0.001, {"水": 0.8, "火": 0.1})})
    assert (one.place.start, one.place.stop, one.text, one.probability) == (1, 2, "地", 0.001)
    assert [tuple(proposal) for proposal in one.place.proposals] == [("水", 0.8), ("火", 0.1)]


@pytest.mark.parametrize(
    ("own", "best", "is_listed"),
    [(0.001, 0.31, True), (0.0005, 0.29, False), (0.0031, 0.9, False), (0.0029, 0.9, True)],
)
def test_the_rule(own, best, is_listed):
    """At least 300 times as probable, and 0.3."""
    assert bool(listed("天地人", {1: (own, {"水": best})})) == is_listed
    assert listed("天地人", {1: (own, {"水": best})}, Threshold(ratio=1, above=0))


def test_neighbours_are_one_word():
    opinions = {1: (0.04, {"水": 0.8, "火": 0.1}), 2: (0.04, {"山": 0.7})}
    (one,) = listed("天地人日", opinions)
    assert (one.place.start, one.place.stop, one.text) == (1, 3, "地人")
    assert one.probability == pytest.approx(0.0016)
    found = {proposal.text: proposal.probability for proposal in one.place.proposals}
    assert found == pytest.approx({"水山": 0.56, "火山": 0.07})
    # Alone none of the two would be.
    assert not listed("天地人日", {1: opinions[1]})


def test_a_neighbour_that_is_hardly_doubtful_is_no_part_of_the_word():
    (one,) = listed("天地人日", {1: (0.001, {"水": 0.8}), 2: (0.3, {"山": 0.6})})
    assert one.text == "地"


def test_words_with_a_space_between_are_two():
    encoded = Encoded([7, 7], [(0, 5), (6, 11)])
    opinions = {0: (0.001, {"天": 0.8}), 1: (0.001, {"地": 0.8})}
    first, second = listed("linux linux", opinions, encoded=encoded)
    assert (first.place.start, second.place.start) == (0, 6)


def test_what_cannot_be_replaced_is_not_asked_about():
    """An unknown piece, one without text, and two of the same character."""
    encoded = Encoded([1, 10, 11, 12, 13], [(0, 1), (1, 1), (1, 2), (1, 2), (2, 3)])
    opinions = {place: (0.0001, {"天": 0.9}) for place in range(5)}
    (one,) = listed("？…日", opinions, encoded=encoded)
    assert one.text == "日"
