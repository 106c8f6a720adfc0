"""The labels of a task: found in the training data, required of the other parts."""

from typing import Iterable, List, Sequence, Tuple

from data_gen.shared.errors import UserError
from pretrain.tasks.examples import TextExample

_MANY = 20  # from so many on, a label for every other example is no classification
_SHOWN = 12  # labels in a sentence


def labels_of(examples: Iterable[TextExample], path: str) -> Tuple[str, ...]:
    """Return the labels of the training data, sorted: by value if all are numbers.

    Raises UserError if an example has no label, if all have the same one, or if there are so many
    that the column must be another one.
    """
    given = [_label(example, path) for example in examples]
    labels = _in_order(set(given))
    if len(labels) == 1:
        raise UserError(
            f"{path}: all {len(given)} examples have the label {labels[0]}: training needs at "
            "least two labels"
        )
    if len(labels) >= _MANY and 2 * len(labels) > len(given):
        raise UserError(
            f"{path} has {len(labels)} labels for {len(given)} examples, such as "
            f'"{labels[0][:_SHOWN]}": is that the column of the labels? Write a first line that '
            "names the columns, such as label and text"
        )
    return labels


def require_labels(examples: Iterable[TextExample], labels: Sequence[str], path: str) -> None:
    """Raise UserError at the first example without a label or with one that is not in `labels`."""
    for example in examples:
        label = _label(example, path)
        if label not in labels:
            raise UserError(
                f'{path}, {example.id} has the label "{label}", which is none of the '
                f"{len(labels)} labels of the task ({_listed(labels)}): mend it or leave it out"
            )


def _label(example: TextExample, path: str) -> str:
    if example.label is None:
        raise UserError(f"{path}, {example.id} has no label: write one or leave it out")
    return example.label


def _in_order(labels: Iterable[str]) -> Tuple[str, ...]:
    ordered: List[str] = sorted(labels)
    if all(label.isdigit() for label in ordered):
        ordered.sort(key=lambda label: (len(label), label))
    return tuple(ordered)


def _listed(labels: Sequence[str]) -> str:
    more = ", ..." if len(labels) > _SHOWN else ""
    return ", ".join(labels[:_SHOWN]) + more
