"""Check on a sample of text that a checkpoint's heads work.

Released checkpoints often lack the masked LM head, or have a random one: programs that load them
make a new head silently, and then fill [MASK] with noise.

The model names 15 % of the pieces, [UNK] excepted, in three ways: with [MASK] in their place, as
BERT trains; unchanged, as MLM as correction does in part; and unchanged with all other pieces
shuffled. The head works if the first or the second accuracy is at least twice that of always naming
the most frequent piece: a MacBERT model has never seen [MASK], so it may not fill it and still be
good. If not, the loss tells foreign weights (90 % of ln(vocab_size) or more, both ways) from hardly
trained ones. An unchanged piece can be named without its context; if shuffling costs nothing, the
verdict says so.

B batch, P masked pieces a sequence, N masked pieces in all.
"""

import math
from collections import Counter
from itertools import islice
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from data_gen.shared.errors import UserError
from pretrain.checkpoint.load import Model
from pretrain.evaluate.head_scores import HeadProbe, Question
from pretrain.model.heads import MASKED_LM_HEAD, PAIR_HEAD, forward
from pretrain.runtime.tensorflow import Tensor, compiled, tf
from pretrain.text.batches import as_batch

LENGTH = 128  # pieces of a window, with [CLS] and [SEP]
MASKED = 0.15  # share of them, BERT's
FEWEST = 200  # masked pieces; an accuracy of fewer says little

_BATCH = 16
# Heads that work and heads that do not are far apart. On 3,500 pieces of text a model of 4 layers
# names 62-64 % of the pieces that it sees; with new, permuted or foreign weights 0-2.6 %, while the
# most frequent piece makes up 3.9 %.
_CLEARLY = 2.0  # times the accuracy of the most frequent piece
# With such weights the loss is 9.3 to 12.2, ln(vocab_size) being 9.96; of a model that has learned
# only how frequent pieces are it is 6 to 7.
_NO_BETTER = 0.9  # times ln(vocab_size)

_USES_CONTEXT = 0.98  # times the loss with all other pieces shuffled

Window = List[List[int]]  # the ids of its sentences


def check_head(
    model: Model, tokenizer: Any, documents: Iterable[Sequence[str]], windows: int, seed: int = 0
) -> Dict[str, Any]:
    """Measure both heads on the first windows of a text, and decide if the masked LM head works.

    tokenizer: the model's, a `data_gen.tokenization.tokenizer.Tokenizer`
    documents: the sentences of each, in order
    windows:   how many to take, of at most 128 pieces

    Raises UserError if the text is too short to decide.
    """
    length = min(LENGTH, model.config.max_position_embeddings)
    sample = list(islice(cut_windows(documents, tokenizer, length - 2), windows))
    masked, labels = _mask(sample, tokenizer, seed)
    if len(labels) < FEWEST:
        raise UserError(
            f"the text gives {len(labels)} pieces to mask, too few to tell: give some "
            f"{FEWEST * 8:,} characters or more"
        )
    ask = HeadProbe(model)

    def probe(windows: Sequence[_Masked], instead: Optional[int]) -> Dict[str, Any]:
        return ask(_questions(model, windows, tokenizer, instead))._asdict()

    common, count = Counter(labels).most_common(1)[0]
    result = {
        "checkpoint": model.source,
        "windows": len(sample),
        "masked_pieces": len(labels),
        "without_a_model": {
            "most_frequent_piece": tokenizer.pieces[common],
            "accuracy": count / len(labels),
            "loss": math.log(model.config.vocab_size),
        },
        "with_mask": probe(masked, tokenizer.mask),
        "as_it_stands": probe(masked, None),
        "out_of_context": probe(_shuffled(masked, seed), None),
        "missing_weights": list(model.absent),
        "pair_head": _pair_head(model, sample, tokenizer, length),
    }
    return {**result, **_verdict(result)}


def cut_windows(documents: Iterable[Sequence[str]], tokenizer: Any, size: int) -> Iterator[Window]:
    """Yield windows of consecutive sentences of a document, of at most `size` pieces; a longer
    sentence is cut.
    """
    for document in documents:
        window: Window = []
        for ids, _ in tokenizer.encode(list(document)):
            for start in range(0, len(ids), size):
                part = list(ids[start : start + size])
                if sum(map(len, window)) + len(part) > size:
                    yield window
                    window = []
                window.append(part)
        if window:
            yield window


class _Masked(NamedTuple):
    """A window with the places of its masked pieces, counted with [CLS]."""

    pieces: List[int]
    places: List[int]


def _mask(windows: Sequence[Window], tokenizer: Any, seed: int) -> Tuple[List[_Masked], List[int]]:
    """Choose the masked pieces of each window. Returns the labels of all windows, too."""
    masked: List[_Masked] = []
    labels: List[int] = []
    for number, window in enumerate(windows):
        pieces = [piece for sentence in window for piece in sentence]
        known = [i for i, piece in enumerate(pieces) if piece != tokenizer.unk]
        order = np.random.RandomState([seed, number]).permutation(known)
        places = sorted(int(i) for i in order[: round(MASKED * len(pieces))])
        labels += [pieces[i] for i in places]
        masked.append(_Masked(pieces, [i + 1 for i in places]))
    return masked, labels


def _shuffled(windows: Sequence[_Masked], seed: int) -> List[_Masked]:
    """Return the same windows with the pieces that are not masked in another order."""
    shuffled = []
    for number, (pieces, places) in enumerate(windows):
        taken = {place - 1 for place in places}
        others = [i for i in range(len(pieces)) if i not in taken]
        order = np.random.RandomState([seed, number, 1]).permutation(others)
        moved = dict(zip(others, order.tolist()))
        shuffled.append(_Masked([pieces[moved.get(i, i)] for i in range(len(pieces))], places))
    return shuffled


def _questions(
    model: Model, windows: Sequence[_Masked], tokenizer: Any, instead: Optional[int]
) -> Iterator[Question]:
    """Ask for the labels of windows, with the piece `instead` in their places; None leaves them."""
    slots = max(len(window.places) for window in windows)
    for some in _batches(windows):
        pieces = [window.pieces for window in some]
        positions = model.config.max_position_embeddings
        batch = as_batch(pieces, tokenizer.cls, tokenizer.sep, positions)
        places, weights = np.zeros([2, len(some), slots], np.int32)
        for row, window in enumerate(some):
            places[row, : len(window.places)] = window.places
            weights[row, : len(window.places)] = 1
        labels = np.take_along_axis(batch["input_ids"], places, axis=1)
        if instead is not None:
            for row, window in enumerate(some):
                batch["input_ids"][row, window.places] = instead
        yield Question({**batch, "masked_lm_positions": places}, labels, weights)


def _batches(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (items[start : start + _BATCH] for start in range(0, len(items), _BATCH))


def _pair_head(
    model: Model, windows: Sequence[Window], tokenizer: Any, length: int
) -> Dict[str, Any]:
    """Measure the pair head, if it is present: how often it tells consecutive segments in order
    (label 0) from swapped ones (label 1). Each pair is shown both ways, so that 0.5 is chance. NSP
    does not train a head for this.
    """
    missing = [name for name in model.absent if name.startswith(PAIR_HEAD)]
    pairs = [_halves(window) for window in windows if len(window) > 1]
    if missing or not pairs:
        return {"present": not missing, "pairs": len(pairs), "order_accuracy": None}
    logits_of = compiled(lambda batch: forward(model.variables, batch, model.config).pair)
    right = 0
    for some in _batches(pairs):
        for label, ordered in enumerate([some, [(b, a) for a, b in some]]):
            logits = logits_of(_pair_batch(ordered, tokenizer, length)).numpy()
            right += int((logits.argmax(axis=1) == label).sum())
    return {
        "present": True,
        "pairs": len(pairs),
        "order_accuracy": right / (2 * len(pairs)),
    }


def _halves(window: Window) -> Tuple[List[int], List[int]]:
    """Cut between two sentences, nearest to the middle."""
    ends = np.cumsum([len(sentence) for sentence in window])
    middle = int(np.abs(ends[:-1] - ends[-1] / 2).argmin()) + 1
    first, second = window[:middle], window[middle:]
    return [i for sentence in first for i in sentence], [i for sentence in second for i in sentence]


def _pair_batch(
    pairs: Sequence[Tuple[List[int], List[int]]], tokenizer: Any, length: int
) -> Dict[str, Tensor]:
    """Make `[CLS] a [SEP] b [SEP]` of each pair; b loses a piece if there is no room for the second
    [SEP].
    """
    joined = [[*a, tokenizer.sep, *b][: length - 2] for a, b in pairs]
    batch = as_batch(joined, tokenizer.cls, tokenizer.sep, length)
    for row, (a, _) in enumerate(pairs):
        batch["segment_ids"][row, len(a) + 2 : len(joined[row]) + 2] = 1
    batch["masked_lm_positions"] = np.zeros([len(pairs), 1], np.int32)
    return {name: tf.constant(array) for name, array in batch.items()}


def _verdict(result: Dict[str, Any]) -> Dict[str, Any]:
    """Return `works`, and one sentence that says why."""
    missing = [name for name in result["missing_weights"] if name.startswith(MASKED_LM_HEAD)]
    if missing:
        return {
            "works": False,
            "verdict": f"no masked LM head: {result['checkpoint']} lacks {', '.join(missing)}; "
            "take a release that has it, or train one: `train --init` starts it anew",
        }
    filled, seen, guess = (
        result[name]["accuracy"] for name in ("with_mask", "as_it_stands", "without_a_model")
    )
    figures = (
        f"it fills {filled:.1%} of [MASK] and names {seen:.1%} of the pieces that it sees; always "
        f"naming the most frequent piece is right for {guess:.1%}"
    )
    if max(filled, seen) >= _CLEARLY * guess:
        in_order, shuffled = (result[name]["loss"] for name in ("as_it_stands", "out_of_context"))
        hint = _CORRECTS if in_order <= _USES_CONTEXT * shuffled else _NO_CONTEXT
        hint = "" if filled >= _CLEARLY * guess else hint
        return {"works": True, "verdict": f"the masked LM head works: {figures}{hint}"}
    loss = min(result["with_mask"]["loss"], result["as_it_stands"]["loss"])
    known = result["without_a_model"]["loss"]
    kind = _FOREIGN if loss >= _NO_BETTER * known else _UNTRAINED
    return {
        "works": False,
        "verdict": f"{kind}: {figures}; loss {loss:.2f}, ln(vocab_size) {known:.2f}",
    }


_CORRECTS = (
    "; it uses the context, so it was trained without [MASK], as MacBERT is: it corrects text and "
    "fills no gaps"
)
_NO_CONTEXT = (
    "; but shuffling all other pieces costs it nothing: the encoder is random, foreign or hardly "
    "trained"
)
_FOREIGN = "the masked LM head is random or belongs to other weights, or to another vocabulary"
_UNTRAINED = "the masked LM head is hardly trained"
