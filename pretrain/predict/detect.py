"""Find the pieces that an ELECTRA takes for replaced: what its discriminator was trained for.

Lines are cut into sentences as by `predictor`. The result for a sentence is a dict, the JSON of
`python -m pretrain predict --json`:

    line, start       its place in the input: the line, from 1, and the characters before it there
    text              the sentence
    task              "detect"
    replaced          each piece with a probability of at least `above` of being a replaced one:
                      its place (start, stop: characters of the sentence, half-open), text and
                      probability
"""

from typing import Any, Dict, Iterable, Iterator, Sequence

from pretrain.model.electra import discriminator_scores
from pretrain.model.proposals import Proposals
from pretrain.predict.predictor import SENTENCES, rounded, share
from pretrain.predict.proposer import Proposer, Request
from pretrain.runtime.tensorflow import Tensor, tf
from pretrain.text.batches import encode_with_masks
from pretrain.text.sentences import Sentence, sentence_groups

ABOVE = 0.5  # where the discriminator itself decides


class _Discriminator(Proposer):
    """Answers requests with the probability that the piece at each place is a replaced one, as
    `actual`; proposes nothing.
    """

    def _propose(self, ids: Tensor, mask: Tensor, places: Tensor) -> Proposals:
        batch = {"input_ids": ids, "input_mask": mask, "segment_ids": tf.zeros_like(ids)}
        scores = discriminator_scores(self._model.variables, batch, self._model.config)
        found = tf.gather(tf.sigmoid(tf.reshape(scores, [-1])), places)
        return Proposals(tf.zeros_like(places)[:, None], found[:, None], found)


class Detector:
    """A discriminator and its tokenizer."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._ask = _Discriminator(model, tokenizer, 1)

    def __call__(
        self, lines: Iterable[str], above: float = ABOVE, together: int = SENTENCES
    ) -> Iterator[Dict[str, Any]]:
        """Yield the result for each sentence of the lines, in order.

        together: number of sentences read before the first result
        """
        for some in sentence_groups(lines, together):
            yield from self._detect(some, above)

    def _detect(self, sentences: Sequence[Sentence], above: float) -> Iterator[Dict[str, Any]]:
        encoded = encode_with_masks(self._tokenizer, [sentence.text for sentence in sentences])
        found = self._ask([Request(one.ids, range(len(one.ids))) for one in encoded])
        for sentence, one, scores in zip(sentences, encoded, found):
            replaced = [
                {
                    "start": start,
                    "stop": stop,
                    "text": sentence.text[start:stop],
                    "probability": rounded(probability),
                }
                for (start, stop), probability in zip(one.offsets, scores.actual.tolist())
                if probability >= above
            ]
            yield {**sentence._asdict(), "task": "detect", "replaced": replaced}


def as_lines(found: Dict[str, Any]) -> Iterator[str]:
    """Yield a sentence's result for people: the sentence, then its replaced pieces."""
    yield found["text"]
    for piece in found["replaced"]:
        place = f"{piece['start']}-{piece['stop']}"
        yield f"  {place} {piece['text']} {share(piece['probability'])}"
