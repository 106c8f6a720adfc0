"""What the files of a task hold: texts with a label, or questions about a paragraph."""

from typing import NamedTuple, Optional, Tuple, Union


class TextExample(NamedTuple):
    """A text, or a pair of texts, and its label."""

    id: str  # its place in the file: "line 7", or in a JSON array "entry 7", from 1
    text: str
    second: Optional[str]  # None: the task is of one text
    label: Optional[str]  # None: the file has no labels, as published test parts


class Question(NamedTuple):
    """A question whose answer is a span of a paragraph."""

    id: str  # the file's own
    question: str  # two of CMRC 2018's trial part are empty
    context: str
    answers: Tuple[str, ...]  # all that count as right; empty where the file has none
    start: int  # the first character of answers[0] in `context`; -1: none, or it is not there


Example = Union[TextExample, Question]
