import numpy as np
import pytest

from pretrain.tasks.classification_measures import confusion_matrix, measures


# Accuracy, macro F1 and Matthews as scikit-learn 1.x computes them.
@pytest.mark.parametrize(
    ("labels", "predicted", "count", "right"),
    [
        ([0, 0, 1, 1, 1, 0, 1, 0], [0, 1, 1, 1, 0, 0, 1, 0], 2, (0.75, 0.75, 0.5)),
        (
            [0, 0, 0, 1, 1, 2, 2, 2, 2, 3],
            [0, 1, 0, 1, 1, 2, 0, 2, 2, 1],
            4,
            (0.7, 0.5476190476190476, 0.6032021334949121),
        ),
        ([0, 0, 1], [0, 0, 0], 2, (0.6666666666666666, 0.4, 0.0)),
        ([1, 1, 1, 1], [1, 1, 1, 1], 3, (1.0, 1.0, 0.0)),  # labels that nobody has do not count
        ([0, 1, 2, 0, 1, 2], [2, 1, 0, 0, 2, 1], 3, (1 / 3, 1 / 3, 0.0)),
        ([], [], 2, (0.0, 0.0, 0.0)),
    ],
)
def test_as_scikit_learn(labels, predicted, count, right):
    found = measures(confusion_matrix(labels, predicted, count))
    assert list(found) == ["accuracy", "macro_f1", "matthews"]
    assert list(found.values()) == pytest.approx(right, abs=1e-15)


def test_three_labels_of_thousands_of_examples():
    found = measures(np.array([[3950, 310, 120], [420, 3800, 77], [9, 1, 2]]))
    right = [0.8921625043158016, 0.6082626121980951, 0.7902248168423524]  # scikit-learn
    assert list(found.values()) == pytest.approx(right, abs=1e-14)


def test_rows_are_labels_and_columns_predictions():
    assert confusion_matrix([0, 0, 2], [1, 1, 2], 3).tolist() == [[0, 2, 0], [0, 0, 0], [0, 0, 1]]


@pytest.mark.parametrize(("labels", "predicted"), [([0, 2], [0, 0]), ([0, 1], [0, -1])])
def test_a_number_that_is_no_label(labels, predicted):
    with pytest.raises(ValueError, match="from 0 to 1"):
        confusion_matrix(labels, predicted, 2)
