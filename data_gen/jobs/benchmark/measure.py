"""The cost of a build on one core: cold, with the cache of similar words, and with their table at
hand. Beside it `jieba.lcut` and Google's generator on the same text, in the same run, because their
ratios can be compared between machines. All times are CPU time, user and system.

Each build runs in a process of its own, with one worker, so that none finds what another loaded.
"""

import dataclasses
import multiprocessing
import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import chain, islice
from typing import Any, Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional

from data_gen.core.progress import Amount, Progress, Result, no_amount, say
from data_gen.corpus.blocks import group_into_blocks
from data_gen.corpus.input_kinds import Corpus
from data_gen.engine.processes import LocalEngine
from data_gen.jobs.benchmark.google import GoogleGenerator, google_seconds, write_documents
from data_gen.jobs.benchmark.start_up import StartUp, start_up
from data_gen.jobs.build_dataset import TABLE, needs_own_table, plan_build, run_build
from data_gen.jobs.inputs import Inputs, scan_inputs
from data_gen.jobs.map_and_merge import STAGES
from data_gen.pipeline.load import (
    load_document_tokenizer,
    load_text_segmenter,
    prepare_map,
    prepare_words,
)
from data_gen.segmentation.segmenter import Segmenter
from data_gen.segmentation.segmenters import SegmenterConfig, load_segmenter
from data_gen.shared.memory import peak_memory

_YARDSTICK_CHARACTERS = 1_000_000  # of the text, taken evenly from all of it

# The builds of a text whose settings name no table of similar words, and that of one that has it.
COLD, CACHED, WARM = "cold", "cached", "warm"


class BuildCost(NamedTuple):
    """CPU seconds of one build, from the start of its process."""

    name: str  # COLD: nothing is there; CACHED: the cache of similar words; WARM: the table
    stages: Dict[str, float]
    peak_memory: Optional[int]  # bytes; None where the system does not tell
    statistics: Dict[str, Any]  # of dataset.json
    instances: int

    @property
    def seconds(self) -> float:
        """Return the sum of all stages."""
        return sum(self.stages.values())


class Yardstick(NamedTuple):
    """The speed of a segmenter alone, on the same text."""

    name: str
    characters_per_second: float


class Bench(NamedTuple):
    """A measurement."""

    megabytes: float
    characters: int
    instances: int
    start_up: StartUp
    builds: List[BuildCost]  # the last is WARM
    yardsticks: List[Yardstick]
    google: Optional[float]  # CPU seconds of Google's generator, start-up included


class _Run(NamedTuple):
    """A build to measure, in a new process."""

    name: str
    inputs: Inputs
    output: str
    cache: str
    show: Progress


def run_benchmark(
    inputs: Inputs, show: Progress, google: Optional[GoogleGenerator] = None
) -> Bench:
    """Build the inputs into a temporary folder, as often as there are ways, and measure.

    Raises UserError as `build` does, and if Google's generator fails.
    """
    load_document_tokenizer(inputs.config, inputs.kind.stored_words)  # finds mistakes early
    with tempfile.TemporaryDirectory() as folder:
        corpus = scan_inputs(inputs, None, LocalEngine(1), show)
        others = None
        if google:  # first: it may fail
            say("Google's generator")
            text = os.path.join(folder, "sentences.txt")
            write_documents(_documents(corpus), text)
            others = google_seconds(google, inputs.config, text, folder)
        builds = [_in_new_process(run) for run in _runs(inputs, folder, show)]
    statistics = builds[-1].statistics
    return Bench(
        sum(file.size for file in corpus.files) / 1e6,
        statistics["characters"],
        builds[-1].instances,
        start_up(),
        builds,
        _yardsticks(inputs, corpus, statistics["characters"]),
        others,
    )


def _runs(inputs: Inputs, folder: str, show: Progress) -> Iterator[_Run]:
    cache = os.path.join(folder, "cache")
    if needs_own_table(inputs.config):
        yield _Run(COLD, inputs, os.path.join(folder, COLD), cache, show)
        yield _Run(CACHED, inputs, os.path.join(folder, CACHED), cache, show)
        inputs = _with_table(inputs, os.path.join(folder, CACHED, TABLE))
    yield _Run(WARM, inputs, os.path.join(folder, WARM), cache, show)


def _with_table(inputs: Inputs, table: str) -> Inputs:
    synonyms = dataclasses.replace(inputs.config.synonyms, table=table)
    return inputs._replace(config=dataclasses.replace(inputs.config, synonyms=synonyms))


def _in_new_process(run: _Run) -> BuildCost:
    say(f"build, {run.name}")
    # Spawned, as the workers of a build are.
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return process.submit(_build, run).result()


class _Clock:
    """The CPU time of this process, by stage."""

    def __init__(self) -> None:
        self.stages: Dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Time a stage; stages within it are not counted twice."""
        start, inner = time.process_time(), sum(self.stages.values())
        yield
        own = time.process_time() - start - (sum(self.stages.values()) - inner)
        self.stages[name] = self.stages.get(name, 0.0) + own

    def watch_table(self, show: Progress, table: ExitStack) -> Progress:
        """Return the same progress, which times the stages of the table, too, and ends `table` with
        the first stage behind it.
        """

        def watched(
            title: str,
            total: int,
            results: Iterable[Result],
            amount: Callable[[Result], Amount] = no_amount,
        ) -> Iterator[Result]:
            if title in STAGES:
                table.close()
                yield from show(title, total, results, amount)
            else:
                with self(f"table, {title}"):
                    yield from show(title, total, results, amount)

        return watched


def _build(run: _Run) -> BuildCost:
    """Build, and measure."""
    clock = _Clock()
    clock.stages["start"] = time.process_time()
    config, words = run.inputs.config, run.inputs.kind.stored_words
    with clock("load"):
        (prepare_words if needs_own_table(config) else prepare_map)(config, words)
    engine = LocalEngine(1)
    with clock("rest"):
        plan = plan_build(run.inputs, run.output, engine, run.show)
        with ExitStack() as table:
            if plan.table:
                table.enter_context(clock("table, the rest"))
            info = run_build(plan, engine, clock.watch_table(run.show, table), cache=run.cache)
    parts = info.statistics["cpu_seconds"]
    rest = clock.stages.pop("rest") - sum(parts.values())
    stages = {**clock.stages, **parts, "read, merge and the rest": rest}
    return BuildCost(run.name, stages, peak_memory(), info.statistics, info.examples)


def _yardsticks(inputs: Inputs, corpus: Corpus, characters: int) -> List[Yardstick]:
    """Measure jieba's `lcut`, and the segmenter of the settings where the text has no words yet."""
    sentences = _sample(corpus, characters)
    segmenters = [load_segmenter(SegmenterConfig(name="jieba"))]
    if inputs.kind.stored_words is None:
        segmenters.append(load_text_segmenter(inputs.config))
    return [_measured(segmenter, sentences) for segmenter in segmenters]


def _sample(corpus: Corpus, characters: int) -> List[str]:
    """Return the sentences of evenly spaced documents."""
    step = max(1, characters // _YARDSTICK_CHARACTERS)
    return [*chain.from_iterable(islice(_documents(corpus), 0, None, step))]


def _documents(corpus: Corpus) -> Iterator[List[str]]:
    """Return the sentences of each document."""
    blocks = list(group_into_blocks(corpus.files))
    for document in chain.from_iterable(corpus.kind.read(blocks)):
        yield [*document.sentences]


def _measured(segmenter: Segmenter, sentences: List[str]) -> Yardstick:
    segmenter.warm_up()
    runs = [run for sentence in sentences for run in sentence.split()]
    start = time.process_time()
    for _ in segmenter.words(runs):
        pass
    seconds = max(time.process_time() - start, 1e-9)
    return Yardstick(segmenter.identity, sum(map(len, sentences)) / seconds)
