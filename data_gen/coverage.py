"""Counts which words of a text have similar ones: in every build with similar words, and for
`synonyms coverage`.
"""

import re
from collections import Counter
from functools import lru_cache
from typing import Iterable, NamedTuple, Sequence, Tuple

from data_gen import corpus
from data_gen.config import DataConfig
from data_gen.corpus import Block, InputFile
from data_gen.corruption import Pieces, Similar
from data_gen.engine import LocalEngine
from data_gen.kept import keep_last
from data_gen.pieces import Tokenizer
from data_gen.progress import Show
from data_gen.sentences import load_sentence_maker
from data_gen.stats import Counts, count_missing
from data_gen.tables import load_similar
from data_gen.types import Sentence

_CHINESE = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
UNKNOWN = "holds [UNK], never masked"

_REMEMBERED = 1 << 18  # words


class _Word(NamedTuple):
    """What is counted of a word."""

    groups: Tuple[str, ...]  # counters that it adds one to
    characters: int


class CoverageCounter:
    """Counts words by the source of their similar words, or by the reason why they have none."""

    def __init__(self, similar: Similar, tokenizer: Tokenizer) -> None:
        self._similar = similar
        self._tokenizer = tokenizer
        self._word = lru_cache(_REMEMBERED)(self._describe)

    def __call__(self, documents: Iterable[Sequence[Sentence]], counts: Counts) -> None:
        """Add the words of some documents to `counts`."""
        words = Counter(
            sentence.pieces[word.start : word.stop]
            for sentences in documents
            for sentence in sentences
            for word in sentence.words
        )
        missing: Counter[Pieces] = Counter()
        for word, times in words.items():
            described = self._word(word)
            for group in described.groups:
                counts[group] += times
            covered = bool(self._similar(word))
            counts["characters_of_words"] += described.characters * times
            counts["characters_with_similar"] += described.characters * times * covered
            if not covered and self._tokenizer.unk not in word:
                missing[word] = times
        count_missing(counts, missing, self._tokenizer.text)

    def _describe(self, word: Pieces) -> _Word:
        if self._tokenizer.unk in word:
            return _Word(("without_similar/holds [UNK], never masked",), 0)
        text = self._tokenizer.text(word)
        source = self._similar.source(word)
        reason = "" if source else self._similar.missing(word)
        groups = [f"similar_from/{source}" if source else f"without_similar/{reason}"]
        if _CHINESE.search(text):
            groups += ["chinese_words", *(["chinese_words_with_similar"] if source else [])]
        return _Word(tuple(groups), len(text))


class CoverageTask(NamedTuple):
    """Blocks of text whose words are counted."""

    config: DataConfig
    blocks: Tuple[Block, ...]


def coverage(
    config: DataConfig, files: Sequence[InputFile], engine: LocalEngine, show: Show
) -> Counts:
    """Count the words of a text. Raises UserError where the settings name no usable table."""
    _load(config)  # finds mistakes before any work is handed out
    tasks = [CoverageTask(config, blocks) for blocks in corpus.task_blocks(files)]
    counts = Counts()
    for part in show("coverage", len(tasks), engine.run(count_task, tasks)):
        counts.update(part)
    return counts


def count_task(task: CoverageTask) -> Counts:
    """Do a task."""
    counts = Counts()
    count = _load(task.config)
    make_sentences = load_sentence_maker(task.config)
    for documents in corpus.read_blocks(task.blocks, task.config.corpus):
        count(make_sentences(documents, counts), counts)
    return counts


@keep_last
def _load(config: DataConfig) -> CoverageCounter:
    tokenizer = load_sentence_maker(config).tokenizer
    return CoverageCounter(load_similar(config, tokenizer), tokenizer)
