"""The ways to use a model by what it was trained for, of those without a masked LM head to fill and
correct with; `WAYS` names them by objective.
"""

from functools import partial
from typing import Any, Callable, Dict, Iterator, NamedTuple, Tuple

from pretrain.model.electra import GENERATOR, GENERATOR_HEAD
from pretrain.predict import detect
from pretrain.predict.task_lines import TASK_LINES, TaskLines
from pretrain.predict.task_predictor import TaskPredictor


class Way(NamedTuple):
    """A way to use a model."""

    make: Callable[..., Any]  # (model, tokenizer) -> what takes lines and yields results
    as_lines: Callable[[Dict[str, Any]], Iterator[str]]  # of a result, for people
    model_is: str  # what to say of the model where an option is not for it
    options: Tuple[str, ...] = ()  # those of proposals that `make`'s result takes, too
    may_lack: Tuple[str, ...] = ()  # beginnings of names of weights that it does without
    tabs_divide: bool = False  # a line is cut at its tabs
    # What is said where no result has more than its sentence, from the options given.
    nothing: Callable[..., str] = lambda **given: ""


def _of_task(lines: TaskLines) -> Way:
    make = partial(TaskPredictor, lines=lines)
    return Way(make, lines.as_lines, "is fine-tuned on a task", tabs_divide=True)


WAYS: Dict[str, Way] = {
    **{objective: _of_task(lines) for objective, lines in TASK_LINES.items()},
    "replaced_tokens": Way(
        detect.Detector,
        detect.as_lines,
        "is an ELECTRA, whose discriminator proposes nothing",
        options=("above",),
        may_lack=(GENERATOR, GENERATOR_HEAD),
        nothing=lambda above=detect.ABOVE: f"no piece seems replaced by --above {above:g}",
    ),
}
