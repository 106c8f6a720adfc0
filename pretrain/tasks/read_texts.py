"""Texts and pairs of texts with their labels, from the rows of any file."""

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from data_gen.shared.errors import UserError
from pretrain.tasks.examples import TextExample
from pretrain.tasks.read_rows import Names, Row, read_rows

_LABELS = ("label", "gold_label", "labels", "标签", "类别")


class Columns(NamedTuple):
    """The columns of a kind of task: the names that they have in published files."""

    texts: Tuple[Names, ...]  # of the text, or of the first and the second one
    without_header: Mapping[int, Names]  # the number of columns -> their names, in order
    labels: Names = _LABELS

    def headings(self) -> Names:
        """Return every name that makes a first line a header."""
        return tuple(name for names in (*self.texts, self.labels) for name in names)


TEXT = Columns(
    texts=(("text", "text_a", "sentence", "review", "content", "文本", "内容", "评论"),),
    without_header={1: ("text",), 2: ("text", "label")},
)
PAIR = Columns(
    texts=(
        ("text_a", "sentence1", "premise", "text1", "question1", "query1", "text", "句子1"),
        ("text_b", "sentence2", "hypo", "hypothesis", "text2", "question2", "query2", "句子2"),
    ),
    without_header={2: ("text_a", "text_b"), 3: ("text_a", "text_b", "label")},
)


def read_classification(path: str) -> List[TextExample]:
    """Read texts with labels: columns by their names, or `text, label` without a header.

    Raises UserError, with the line, where the file is not of this form.
    """
    return examples_of(rows_of(path, TEXT), TEXT, path)


def read_pairs(path: str) -> List[TextExample]:
    """Read pairs with labels: columns by their names, or `text_a, text_b, label` without a header
    (LCQMC).

    Raises UserError, with the line, where the file is not of this form.
    """
    return examples_of(rows_of(path, PAIR), PAIR, path)


def rows_of(path: str, columns: Columns) -> List[Row]:
    """Read the rows of a file whose columns may have the names of `columns`."""
    return read_rows(path, columns.headings(), columns.without_header)


def examples_of(rows: Sequence[Row], columns: Columns, path: str) -> List[TextExample]:
    """Return the examples in the rows of a file.

    Raises UserError, with the line, if there is none, a text is empty, or some rows have a label
    and others have none.
    """
    if not rows:
        raise UserError(f"{path} holds no example: every line after the header is one")
    texts, label = _find_columns(rows[0].values, columns, path)
    examples = [
        TextExample(
            row.place,
            _text(row, texts[0], path),
            _text(row, texts[1], path) if len(texts) > 1 else None,
            _label(row, label, path),
        )
        for row in rows
    ]
    without = [example for example in examples if example.label is None]
    if without and len(without) < len(examples):
        raise UserError(
            f"{path}, {without[0].id} has no label, but other lines have one: write it or leave "
            "the line out"
        )
    return examples


def _find_columns(
    names: Mapping[str, Any], columns: Columns, path: str
) -> Tuple[List[str], Optional[str]]:
    """Return the names of the texts' columns and of the label's, if there is one.

    Where a name of a text is unknown, all columns but the label's are texts, in their order.
    """
    label = next((name for name in columns.labels if name in names), None)
    texts = [next((name for name in known if name in names), None) for known in columns.texts]
    others = [name for name in names if name != label]
    if None in texts and len(others) == len(texts):
        return others, label
    found = [name for name in texts if name is not None]
    if len(found) < len(texts):
        wanted = " and ".join(known[0] for known in columns.texts)
        raise UserError(
            f"{path} has the columns {', '.join(names)}: name those of the texts {wanted}, and "
            f"that of the labels {columns.labels[0]}"
        )
    return found, label


def _value(row: Row, name: str, path: str) -> Any:
    if name not in row.values:
        raise UserError(f"{path}, {row.place} has no {name}: write it or leave the line out")
    return row.values[name]


def _text(row: Row, name: str, path: str) -> str:
    text = _value(row, name, path)
    if not isinstance(text, str):
        raise UserError(f"{path}, {row.place} has {name} {text!r}, which must be a string")
    if not text.strip():
        raise UserError(f"{path}, {row.place} has an empty {name}: leave the line out")
    require_whole_characters(text, f"{path}, {row.place}")
    return text


def require_whole_characters(text: str, place: str) -> None:
    """Raise UserError if JSON gave half a character, which UTF-8 has not."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise UserError(
            f"{place} has half a character (an unpaired \\ud800-\\udfff): write it anew with "
            "whole ones"
        ) from error


# JSON's booleans as JSON writes them.
_BOOLEANS: Dict[Any, str] = {True: "true", False: "false"}


def _label(row: Row, name: Optional[str], path: str) -> Optional[str]:
    label = row.values.get(name) if name is not None else None
    if isinstance(label, bool):
        return _BOOLEANS[label]
    if isinstance(label, (list, dict)):
        raise UserError(f"{path}, {row.place} has a {name} that is a list: an example has one")
    return str(label).strip() or None if label is not None else None
