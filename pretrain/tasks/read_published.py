"""Data sets whose published files need more than the columns' names."""

from typing import Any, List

from data_gen.shared.errors import UserError
from pretrain.runtime.log import log
from pretrain.tasks.examples import TextExample
from pretrain.tasks.read_rows import Row
from pretrain.tasks.read_texts import PAIR, TEXT, examples_of, rows_of

_CHINESE = "zh"
_NO_LABEL = "-"  # OCNLI's annotators disagree


def read_xnli(path: str) -> List[TextExample]:
    """Read XNLI: pairs of any form, or Google's files, of whose 15 languages Chinese is taken and
    whose training part calls a contradiction `contradictory`.

    Raises UserError, with the line, where the file is not of this form.
    """
    every = rows_of(path, PAIR)
    rows = [row for row in every if row.values.get("language", _CHINESE) == _CHINESE]
    if every and not rows:
        raise UserError(f"{path} holds no pair of the language {_CHINESE}: take the file with all")
    return [
        example._replace(label="contradiction") if example.label == "contradictory" else example
        for example in examples_of(rows, PAIR, path)
    ]


def read_ocnli(path: str) -> List[TextExample]:
    """Read OCNLI: pairs, without those whose label is `-`; their number is printed.

    Raises UserError, with the line, where the file is not of this form.
    """
    examples = examples_of(rows_of(path, PAIR), PAIR, path)
    kept = [example for example in examples if example.label != _NO_LABEL]
    if not kept:
        raise UserError(f"{path} holds no example with a label other than {_NO_LABEL}")
    if len(kept) < len(examples):
        log(
            f"{path}: left out {len(examples) - len(kept)} of {len(examples)} pairs, on whose "
            f"label the annotators disagree ({_NO_LABEL})"
        )
    return kept


def read_cluewsc(path: str) -> List[TextExample]:
    """Read CLUEWSC: a text in which `_` stands around the noun and `[` `]` around the pronoun.

    The marks are those of CLUE's baselines (WscProcessor). Raises UserError, with the line, where
    the file is not of this form.
    """
    rows = [
        Row(row.place, {**row.values, "text": _marked(row, path)}) for row in rows_of(path, TEXT)
    ]
    return examples_of(rows, TEXT, path)


def _marked(row: Row, path: str) -> str:
    """Return the text of a row with marks around both spans."""
    try:
        text, target = row.values["text"], row.values["target"]
        noun = _span(text, target["span1_text"], target["span1_index"])
        pronoun = _span(text, target["span2_text"], target["span2_index"])
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{path}, {row.place} is not of CLUEWSC: it needs a text and a target with span1_text, "
            "span1_index, span2_text and span2_index, which stand there in the text"
        ) from error
    # Where one span follows the other at once, the first one's end (0) stands before the start (1).
    marks = [(noun[0], 1, "_"), (noun[1], 0, "_"), (pronoun[0], 1, "["), (pronoun[1], 0, "]")]
    for place, _, mark in sorted(marks, reverse=True):
        text = text[:place] + mark + text[place:]
    return str(text)


def _span(text: Any, part: str, start: int) -> Any:
    """Return the first character of a part of a text and the one after it."""
    if not part or text[start : start + len(part)] != part:
        raise ValueError
    return start, start + len(part)
