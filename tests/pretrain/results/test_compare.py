import pytest

from data_gen.shared.errors import UserError
from pretrain.results.board import make_board
from pretrain.results.compare import as_values, compare, sentences
from pretrain.results.files import find_results
from tests.pretrain.results.helpers import drawn, write_classification, write_spans


def board_of(tmp_path, part=None):
    return make_board(find_results([str(tmp_path)]), part)


def test_a_clear_difference_is_claimed_with_its_interval(tmp_path):
    write_classification(tmp_path / "a", drawn(1, 5, 1000, 0.8), model="none")
    write_classification(tmp_path / "b", drawn(2, 5, 1000, 0.86), model="macbert")
    (found,) = compare(board_of(tmp_path))
    assert found.claimed
    assert found.p == max(found.over_seeds.p, found.over_examples.p, found.both.p)
    first = sentences([found])[0]
    points = -100 * found.over_seeds.difference
    low, high = -100 * found.both.high, -100 * found.both.low
    assert 4 < points < 8
    assert first.startswith(
        f"chnsenticorp (test): macbert is better than none by {points:.2f} points "
        f"(95 % interval {low:.2f} to {high:.2f}; p "
    )
    assert "over 5 seeds" in first
    assert "over 1,000 examples" in first
    assert "Holm" not in " ".join(sentences([found]))


def test_a_difference_within_the_noise_is_not(tmp_path):
    rows = [[1] * 80 + [0] * 20, [1] * 83 + [0] * 17, [1] * 81 + [0] * 19]
    write_classification(tmp_path / "a", rows, model="none")
    write_classification(tmp_path / "b", [rows[1], rows[0], rows[0]], model="macbert")
    (found,) = compare(board_of(tmp_path))
    assert not found.claimed
    assert found.spread == pytest.approx(0.03)
    first = sentences([found])[0]
    assert "no difference can be claimed between none and macbert: none is 0.33 points" in first
    assert "runs differ by 3.00 points among themselves" in first


def test_seeds_that_agree_do_not_outvote_the_test_set(tmp_path):
    """Twelve examples of 40 to eight: every seed says so, but other examples might not."""
    better, worse = [1] * 12 + [0] * 28, [0] * 32 + [1] * 8
    write_classification(tmp_path / "a", [better, better, [1, *better[:-1]]], model="a")
    write_classification(tmp_path / "b", [worse] * 3, model="b")
    (found,) = compare(board_of(tmp_path))
    assert found.over_seeds.p < 0.01 < 0.05 < found.over_examples.p
    assert not found.claimed


def test_examples_that_agree_do_not_outvote_the_seeds(tmp_path):
    good, poor = [1] * 900 + [0] * 100, [1] * 850 + [0] * 150
    write_classification(tmp_path / "a", [good, good, poor], model="a")
    write_classification(tmp_path / "b", [poor, poor, [*poor[1:], 1]], model="b")
    (found,) = compare(board_of(tmp_path))
    assert found.over_examples.p < 0.01 < 0.05 < found.over_seeds.p
    assert not found.claimed


def test_one_seed_claims_nothing_and_says_why(tmp_path):
    write_classification(tmp_path / "a", drawn(1, 1, 500, 0.5), model="a")
    write_classification(tmp_path / "b", drawn(2, 1, 500, 0.9), model="b")
    (found,) = compare(board_of(tmp_path))
    assert "between b and a: both have one seed in common" in sentences([found])[0]
    assert as_values(found)["claimed"] is False


def test_equal_and_without_a_common_seed(tmp_path):
    rows = drawn(1, 2, 50, 0.5)
    for name, first in (("a", 1), ("b", 1), ("c", 8)):
        write_classification(tmp_path / name, {first: rows[0], first + 1: rows[1]}, model=name)
    found = compare(board_of(tmp_path))
    assert (
        "between a and b: they are equal (95 % interval 0.00 to 0.00; p 1.000"
        in sentences(found)[0]
    )
    assert "both have no seed in common" in sentences(found)[1]
    assert as_values(found[1])["over_seeds"]["difference"] is None


def test_all_pairs_of_a_task_are_corrected(tmp_path):
    for i, accuracy in enumerate((0.7, 0.74, 0.9)):
        write_classification(tmp_path / f"{i}", drawn(i, 4, 800, accuracy), model=f"m{i}")
    write_classification(tmp_path / "4", drawn(4, 4, 800, 0.7), model="m1", task="xnli")
    found = compare(board_of(tmp_path))
    assert [(c.first, c.second, c.pairs) for c in found] == [
        ("m0", "m1", 3),
        ("m0", "m2", 3),
        ("m1", "m2", 3),
    ]
    raw = [max(c.over_seeds.p, c.over_examples.p, c.both.p) for c in found]
    assert min(c.p for c in found) == pytest.approx(3 * min(raw))
    assert all(c.p >= p for c, p in zip(found, raw))
    text = sentences(found)
    assert "after Holm's correction for 3 pairs" in text[0]
    assert "corrected for all pairs of the task by Holm's method" in text[-2]
    assert "another pre-training of the same recipe would differ" in text[-1]


def test_spans_are_tested_by_the_mean_of_em_and_f1(tmp_path):
    write_spans(tmp_path / "a", [[(1, 1.0), (0, 0.5), (0, 0.0)]] * 2, model="a")
    write_spans(tmp_path / "b", [[(0, 0.5), (0, 0.5), (0, 0.0)]] * 2, model="b")
    (found,) = compare(board_of(tmp_path))
    assert found.over_seeds.difference == pytest.approx(0.25)
    assert found.over_examples.difference == pytest.approx(0.25)


@pytest.mark.parametrize("about", [{"sha256": "other"}, {"part": "dev"}])
def test_different_examples_are_not_compared(tmp_path, about):
    write_classification(tmp_path / "a", [[1, 0]], model="a")
    write_classification(tmp_path / "b", [[1, 0]], model="b", **about)
    with pytest.raises(UserError, match=r"fine-tune (both|all of them) with the same --data"):
        board_of(tmp_path)


def test_predictions_of_other_examples(tmp_path):
    write_classification(tmp_path / "a", [[1, 0], [1, 1]], model="a")
    write_classification(tmp_path / "b", [[1, 0], [1, 1, 1, 1]], model="b")
    with pytest.raises(UserError, match="run-2: the predictions are not of the examples"):
        compare(board_of(tmp_path))


def test_two_settings_of_one_model_have_the_names_of_their_folders(tmp_path):
    for rate in ("1e-4", "3e-4"):
        write_classification(tmp_path / rate / "chnsenticorp", [[1, 0], [1, 1]])
    write_classification(tmp_path / "plain", [[1, 0], [1, 1]], model="other")
    board = board_of(tmp_path)
    assert board.models == (f"{tmp_path}/1e-4", f"{tmp_path}/3e-4", "other")
