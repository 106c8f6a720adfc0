"""Count the words of a text that have similar ones, without a build: `synonyms coverage`."""

from typing import NamedTuple, Tuple

from data_gen.config import DataConfig
from data_gen.core.counting import Counts
from data_gen.core.load_once import keep_last
from data_gen.core.progress import Progress
from data_gen.corpus.blocks import Block, task_blocks
from data_gen.corpus.input_kinds import Corpus, InputKind
from data_gen.engine.processes import Engine
from data_gen.pipeline.load import load_document_tokenizer, load_similar, load_tokenizer
from data_gen.synonyms.lexicon import CANDIDATE_CHOICES, CandidateCache


class CoverageTask(NamedTuple):
    """Blocks of text whose words are counted."""

    config: DataConfig
    kind: InputKind
    blocks: Tuple[Block, ...]


def coverage(config: DataConfig, corpus: Corpus, engine: Engine, show: Progress) -> Counts:
    """Count the words of a text. Raises UserError if the settings name no usable table."""
    _load(config)  # finds mistakes before any work is handed out
    tasks = [CoverageTask(config, corpus.kind, blocks) for blocks in task_blocks(corpus.files)]
    counts = Counts()
    for part in show("coverage", len(tasks), engine.run(count_task, tasks)):
        counts.update(part)
    return counts


def count_task(task: CoverageTask) -> Counts:
    """Do a task."""
    counts = Counts()
    lexicon = _load(task.config)
    tokenize_documents = load_document_tokenizer(task.config, task.kind.stored_words)
    for documents in task.kind.read(task.blocks):
        text, of_text = tokenize_documents(documents)
        lexicon.trim()
        counts.update(of_text)
        counts.update(lexicon.count(lexicon.numbers(text)))
    return counts


@keep_last
def _load(config: DataConfig) -> CandidateCache:
    tokenizer = load_tokenizer(config)
    weigh = CANDIDATE_CHOICES[config.synonyms.choice]
    return CandidateCache(load_similar(config, tokenizer), tokenizer, weigh)
