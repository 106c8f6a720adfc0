"""Questions about paragraphs, from JSON in the form of SQuAD: CMRC 2018, DRCD."""

from typing import Any, List, Set

from data_gen.shared.errors import UserError
from pretrain.tasks.examples import Question
from pretrain.tasks.read_rows import parse_json, read_text
from pretrain.tasks.read_texts import require_whole_characters


def read_questions(path: str) -> List[Question]:
    """Read all questions of a file, in its order.

    Raises UserError, with the question's id, if the file is not of this form, a context or an
    answer is empty or two questions have the same id.
    """
    data = parse_json(read_text(path), path)
    if not isinstance(data, dict) or not isinstance(data.get("data"), list):
        raise UserError(
            f'{path} is not in the form of SQuAD, {{"data": [{{"paragraphs": ...}}]}}: take CMRC '
            "2018's files of squad-style-data"
        )
    try:
        questions = [
            _question(entry, paragraph, path)
            for article in data["data"]
            for paragraph in article["paragraphs"]
            for entry in paragraph["qas"]
        ]
    except (KeyError, TypeError) as error:
        missing = f"something has no {error}" if isinstance(error, KeyError) else str(error)
        raise UserError(f"{path} is not in the form of SQuAD: {missing}") from error
    if not questions:
        raise UserError(f"{path} holds no question")
    _require_different_ids(questions, path)
    return questions


def _question(entry: Any, paragraph: Any, path: str) -> Question:
    name, context = str(entry["id"]), paragraph["context"]
    answers = entry.get("answers") or []
    found = Question(
        name,
        entry["question"],
        context,
        tuple(answer["text"] for answer in answers),
        find_answer(context, answers[0]["text"], answers[0].get("answer_start", -1))
        if answers
        else -1,
    )
    place = f"{path}, question {name}"
    for text in (found.question, context, *found.answers):
        if not isinstance(text, str):
            raise UserError(f"{place} has {text!r}, which must be a string")
        require_whole_characters(text, place)
    if not all(text.strip() for text in (context, *found.answers)):
        raise UserError(f"{place} has an empty context or answer: leave it out")
    return found


def find_answer(context: str, answer: str, start: int) -> int:
    """Return the first character of the answer: `start` if it stands there, else the nearest place
    where it does, or the first one if `start` is negative; -1 if there is none.

    8 of the 4,221 questions of CMRC 2018's dev and trial parts are off by some characters.
    """
    if start < 0 or context.startswith(answer, start):
        return context.find(answer) if start < 0 else start
    after = context.find(answer, start)
    before = context.rfind(answer, 0, start + len(answer))
    places = [place for place in (before, after) if place >= 0]
    return min(places, key=lambda place: abs(place - start), default=-1)


def _require_different_ids(questions: List[Question], path: str) -> None:
    seen: Set[str] = set()
    for question in questions:
        if question.id in seen:
            raise UserError(
                f"{path} has two questions with the id {question.id}: answers are counted by id, "
                "so give each its own"
            )
        seen.add(question.id)
