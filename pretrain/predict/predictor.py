"""Predict text: fill [MASK]s, and correct the sentences without one.

A line is cut into sentences, and a sentence that is too long for the model into windows, so that
the model sees all of a text of any length. The result for a sentence is a dict, the JSON of
`python -m pretrain predict --json`:

    line, start       its place in the input: the line, from 1, and the characters before it there
    text              the sentence, as it was
    task              "fill" if there is a [MASK] in it, else "correct"
    result            the sentence with the best of all proposals
    masks, words      of "fill": each [MASK], and each group of 2 to 8 neighbours, with their
                      places (start, stop: characters of the sentence, half-open) and proposals
                      (text, probability; best first)
    suspicious        of "correct": each suspicious word with its place, text, probability and
                      proposals
"""

from typing import Any, Dict, Iterable, Iterator, List, Sequence, Tuple

from pretrain.checkpoint.load import Model
from pretrain.predict.correct import DEFAULT, Suspicion, Threshold, correct
from pretrain.predict.fill import Filled, Place, fill
from pretrain.predict.proposer import Proposer
from pretrain.text.batches import MASK, Encoded, encode_with_masks
from pretrain.text.sentences import Sentence, sentence_groups

# Sentences predicted at a time; with more, the lengths in each batch are more alike.
SENTENCES = 512


class Predictor:
    """A model and its tokenizer.

    count: number of proposals for each place
    """

    def __init__(self, model: Model, tokenizer: Any, count: int = 5) -> None:
        self._tokenizer, self._count = tokenizer, count
        self._proposer = Proposer(model, tokenizer, count)

    def __call__(
        self, lines: Iterable[str], threshold: Threshold = DEFAULT, together: int = SENTENCES
    ) -> Iterator[Dict[str, Any]]:
        """Yield the result for each sentence of the lines, in order.

        together: number of sentences read before the first result
        """
        for some in sentence_groups(lines, together):
            yield from self._predict(some, threshold)

    def _predict(self, sentences: Sequence[Sentence], threshold: Threshold) -> List[Dict[str, Any]]:
        encoded = encode_with_masks(self._tokenizer, [sentence.text for sentence in sentences])
        with_mask = [MASK in sentence.text for sentence in sentences]
        pairs = list(zip(sentences, encoded))
        filled = self._fill([pair for pair, masked in zip(pairs, with_mask) if masked])
        corrected = self._correct(
            [p for p, masked in zip(pairs, with_mask) if not masked], threshold
        )
        return [next(filled if masked else corrected) for masked in with_mask]

    def _fill(self, pairs: Sequence[Tuple[Sentence, Encoded]]) -> Iterator[Dict[str, Any]]:
        found = fill(
            self._proposer, self._tokenizer, [encoded for _, encoded in pairs], self._count
        )
        for (sentence, _), filled in zip(pairs, found):
            yield {
                **_about(sentence, "fill", _chosen(filled)),
                "masks": [_place(place) for place in filled.masks],
                "words": [_place(place) for place in filled.words],
            }

    def _correct(
        self, pairs: Sequence[Tuple[Sentence, Encoded]], threshold: Threshold
    ) -> Iterator[Dict[str, Any]]:
        found = correct(
            self._proposer,
            self._tokenizer,
            [sentence.text for sentence, _ in pairs],
            [encoded for _, encoded in pairs],
            threshold,
            self._count,
        )
        for (sentence, _), suspicious in zip(pairs, found):
            yield {
                **_about(sentence, "correct", [word.place for word in suspicious]),
                "suspicious": [_suspicion(word) for word in suspicious],
            }


def _about(sentence: Sentence, task: str, chosen: Sequence[Place]) -> Dict[str, Any]:
    result = replaced(sentence.text, chosen)
    return {**sentence._asdict(), "task": task, "result": result}


def _chosen(filled: Filled) -> List[Place]:
    """Return the words, and the [MASK]s that are in no word."""
    return [
        *filled.words,
        *(
            mask
            for mask in filled.masks
            if not any(word.start <= mask.start < word.stop for word in filled.words)
        ),
    ]


def replaced(text: str, places: Iterable[Place]) -> str:
    """Put the best proposal at each place of a text; the places do not overlap."""
    for place in sorted(places, reverse=True):
        if place.proposals:
            text = text[: place.start] + place.proposals[0].text + text[place.stop :]
    return text


def _place(place: Place) -> Dict[str, Any]:
    proposals = [
        {"text": proposal.text, "probability": rounded(proposal.probability)}
        for proposal in place.proposals
    ]
    return {"start": place.start, "stop": place.stop, "proposals": proposals}


def _suspicion(suspicion: Suspicion) -> Dict[str, Any]:
    place = _place(suspicion.place)
    proposals = place.pop("proposals")
    probability = rounded(suspicion.probability)
    return {**place, "text": suspicion.text, "probability": probability, "proposals": proposals}


def rounded(probability: float) -> float:
    """Round to four digits: more depend on the machine."""
    return float(f"{probability:.4g}")


def as_lines(found: Dict[str, Any]) -> Iterator[str]:
    """Yield a sentence's result for people: the corrected sentence, then its changes."""
    yield found["result"]
    for name in ("words", "masks", "suspicious"):
        for place in found.get(name, ()):
            proposals = ", ".join(
                f"{proposal['text']} {share(proposal['probability'])}"
                for proposal in place["proposals"]
            )
            old = found["text"][place["start"] : place["stop"]]
            own = f" {share(place['probability'])}" if "probability" in place else ""
            yield f"  {place['start']}-{place['stop']} {old}{own} -> {proposals}"


def share(probability: float) -> str:
    """Return a probability in percent, with one digit if it is very small."""
    return f"{probability:.1%}" if probability >= 0.001 else f"{100 * probability:.1g}%"
