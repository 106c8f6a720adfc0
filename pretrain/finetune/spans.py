"""Scores of positions -> answers, as in google-research/bert's run_squad.py, and their measures.

An answer is cut out of the paragraph by character offsets, so it is the paragraph's own text
whatever the tokenizer did to it.
"""

from typing import Any, Dict, Iterator, List, NamedTuple, Sequence, Tuple

import numpy as np

from pretrain.finetune.config import FinetuneSettings
from pretrain.finetune.labels import probabilities
from pretrain.tasks.cmrc.metric import score
from pretrain.tasks.examples import Question


class Candidate(NamedTuple):
    """An answer and its score, the sum of the logits of its first and its last piece."""

    score: float
    start: int  # characters of the paragraph, half-open
    stop: int


def span_predictions(
    scores: List[np.ndarray],
    rows: Sequence[Dict[str, Any]],
    examples: Sequence[Question],
    labels: Sequence[str],
    settings: FinetuneSettings,
) -> List[Dict[str, Any]]:
    """Return the best answer of each question with EM and F1, and the `n_best` best as `nbest`, in
    the order of the questions.

    scores: float32 [2, S] of each row
    """
    candidates: List[List[Candidate]] = [[] for _ in examples]
    for row_scores, row in zip(scores, rows):
        candidates[row["example"]] += window_candidates(row_scores, row, settings)
    return [
        _prediction(example, found, settings.n_best) for example, found in zip(examples, candidates)
    ]


def window_candidates(
    scores: np.ndarray, row: Dict[str, Any], settings: FinetuneSettings
) -> Iterator[Candidate]:
    """Yield the answers that a window's best first and last pieces make.

    scores: float32 [2, S]. A first piece counts in the window where it has the most text around it.
    """
    first, offsets, best = row["first"], row["offsets"], row["best"]
    starts, stops = (_highest(part, settings.n_best) for part in scores[:, : row["pieces"]])
    for start in starts:
        if not 0 <= start - first < len(offsets) or not best[start - first]:
            continue
        for stop in stops:
            if not start <= stop < start + settings.max_answer_length:
                continue
            if stop - first < len(offsets):
                total = float(scores[0, start]) + float(scores[1, stop])
                yield Candidate(total, offsets[start - first][0], offsets[stop - first][1])


def _highest(scores: np.ndarray, count: int) -> List[int]:
    """Return the positions of the highest scores, the highest first; of equal ones the first."""
    order: List[int] = np.argsort(-scores, kind="stable")[:count].tolist()
    return order


def _prediction(example: Question, found: List[Candidate], count: int) -> Dict[str, Any]:
    best = _distinct(example.context, sorted(found, key=lambda c: (-c.score, c.start, c.stop)))
    best = best[:count]
    text = best[0][0] if best else ""
    result: Dict[str, Any] = {"id": example.id, "text": text}
    if example.answers:
        exact, f1 = score(text, example.answers)
        result.update(exact_match=exact, f1=f1)
    shares = probabilities(np.array([c.score for _, c in best])) if best else ()
    result["nbest"] = [
        {"text": text, "start": c.start, "probability": round(float(share), 6)}
        for (text, c), share in zip(best, shares)
    ]
    return result


def _distinct(context: str, found: Sequence[Candidate]) -> List[Tuple[str, Candidate]]:
    """Return the texts of candidates, each text once."""
    seen = set()
    kept = []
    for candidate in found:
        text = context[candidate.start : candidate.stop].strip()
        if text and text not in seen:
            seen.add(text)
            kept.append((text, candidate))
    return kept


def span_figures(predictions: Sequence[Dict[str, Any]], labels: Sequence[str]) -> Dict[str, Any]:
    """Return the mean EM, the mean F1 and the average of the two; nothing where the data have no
    answers.
    """
    with_answer = [found for found in predictions if "f1" in found]
    if not with_answer:
        return {}
    exact, f1 = (
        sum(found[name] for found in with_answer) / len(with_answer)
        for name in ("exact_match", "f1")
    )
    return {"average": (exact + f1) / 2, "exact_match": exact, "f1": f1}
