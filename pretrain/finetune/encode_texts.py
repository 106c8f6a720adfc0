"""Texts and pairs with labels -> rows, as in google-research/bert's run_classifier.py."""

from typing import Any, Iterator, List, Sequence

from pretrain.finetune.config import FinetuneSettings
from pretrain.finetune.rows import Row, join, shorten
from pretrain.learning.classification import LABELS
from pretrain.tasks.examples import TextExample

_TOGETHER = 1000  # texts that are tokenized at once


def encode_texts(
    tokenizer: Any,
    examples: Sequence[TextExample],
    labels: Sequence[str],
    settings: FinetuneSettings,
) -> Iterator[Row]:
    """Yield the row of every example. An example without a label gets 0, which nothing reads."""
    numbers = {label: number for number, label in enumerate(labels)}
    for start in range(0, len(examples), _TOGETHER):
        some = examples[start : start + _TOGETHER]
        firsts = _pieces(tokenizer, [example.text for example in some])
        seconds = _pieces(tokenizer, [example.second or "" for example in some])
        for number, (example, first, second) in enumerate(zip(some, firsts, seconds), start):
            pair = example.second is not None
            shorten(first, second, settings.max_seq_length - 2 - pair)
            ids, count = join(tokenizer, first, second, pair)
            label = 0 if example.label is None else numbers[example.label]
            yield Row(number, ids, count, {LABELS: label, "is_real_example": 1}, {})


def _pieces(tokenizer: Any, texts: Sequence[str]) -> List[List[int]]:
    return [list(ids) for ids, _ in tokenizer.encode(texts)]
