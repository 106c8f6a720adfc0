"""The speed of a build on one core, beside a yardstick that can be compared between machines:
`jieba.lcut` on the same text, in the same run. All times are CPU time, user and system.
"""

import tempfile
import time
from itertools import chain, islice
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from data_gen.core.progress import Progress
from data_gen.corpus.blocks import group_into_blocks
from data_gen.corpus.input_kinds import Corpus
from data_gen.engine.processes import LocalEngine
from data_gen.jobs.build_dataset import plan_build, run_build
from data_gen.jobs.inputs import Inputs
from data_gen.pipeline.load import prepare_map
from data_gen.segmentation.segmenter import Segmenter
from data_gen.segmentation.segmenters import SegmenterConfig, load_segmenter
from data_gen.shared.memory import peak_memory

_YARDSTICK_CHARACTERS = 1_000_000  # of the text, taken evenly from all of it
_MEASURABLE = 0.005  # CPU seconds; a rate of less is noise


class Stage(NamedTuple):
    """The cost of a part of the work."""

    name: str
    cpu_seconds: float
    megabytes_per_second: float  # of text


class Yardstick(NamedTuple):
    """A segmenter alone, on the same text."""

    name: str
    characters_per_second: float
    ratio: float  # characters per CPU second of the build / its


class Bench(NamedTuple):
    """A measurement. Loading vocabulary, models and tables is shown as a stage, but the build's
    time does not include it.
    """

    megabytes: float
    characters: int
    instances: int
    characters_per_second: float
    peak_memory_megabytes: Optional[float]  # None where the system does not tell
    stages: List[Stage]
    yardsticks: List[Yardstick]


def run_benchmark(inputs: Inputs, show: Progress) -> Bench:
    """Build the inputs with one worker into a temporary folder, and measure.

    Raises UserError as `build` does.
    """
    stored_words = inputs.kind.stored_words
    _, loading = _timed(lambda: prepare_map(inputs.config, stored_words))
    engine = LocalEngine(1)
    with tempfile.TemporaryDirectory() as folder:
        plan, planning = _timed(lambda: plan_build(inputs, folder, engine, show))
        info, building = _timed(lambda: run_build(plan, engine, show))
    seconds = planning + building
    memory = peak_memory()
    statistics = info.statistics
    megabytes = sum(file["bytes"] for file in info.manifest["input"]) / 1e6
    cpu: Dict[str, float] = {"load": loading, **statistics["cpu_seconds"]}
    cpu["read, merge and the rest"] = seconds - sum(statistics["cpu_seconds"].values())
    cpu["build"] = seconds
    rate = statistics["characters"] / seconds
    segmenters = [load_segmenter(SegmenterConfig(name="jieba"))]
    if stored_words is None:
        segmenters.append(plan.tokenize_documents.segmenter)
    sentences = _sample(plan.corpus, statistics["characters"])
    return Bench(
        megabytes,
        statistics["characters"],
        info.examples,
        rate,
        None if memory is None else memory / 1e6,
        [Stage(name, used, megabytes / max(used, 1e-9)) for name, used in cpu.items()],
        [_measured(one, sentences, rate) for one in segmenters],
    )


def _timed(work: Callable[[], Any]) -> Tuple[Any, float]:
    start = time.process_time()
    return work(), time.process_time() - start


def _sample(corpus: Corpus, characters: int) -> List[str]:
    """Return the sentences of evenly spaced documents."""
    blocks = list(group_into_blocks(corpus.files))
    documents = chain.from_iterable(corpus.kind.read(blocks))
    step = max(1, characters // _YARDSTICK_CHARACTERS)
    some = islice(documents, 0, None, step)
    return [sentence for document in some for sentence in document.sentences]


def _measured(segmenter: Segmenter, sentences: Sequence[str], rate: float) -> Yardstick:
    runs = [run for sentence in sentences for run in sentence.split()]
    _, seconds = _timed(lambda: _exhaust(segmenter.words(runs)))
    theirs = sum(map(len, sentences)) / max(seconds, 1e-9)
    return Yardstick(segmenter.identity, theirs, rate / theirs)


def _exhaust(words: Iterable[Any]) -> None:
    for _ in words:
        pass


def lines(bench: Bench) -> List[str]:
    """Return the measurement as lines for a terminal."""
    used = bench.peak_memory_megabytes
    memory = "" if used is None else f"; at most {used:,.0f} MB of memory"
    return [
        f"{bench.megabytes:.1f} MB of text, {bench.characters:,} characters, "
        f"{bench.instances:,} instances{memory}",
        f"{'stage':26}{'CPU s':>8}{'MB/s':>9}",
        *(
            f"{name:26}{cpu:8.2f}" + (f"{speed:9.2f}" if cpu >= _MEASURABLE else f"{'-':>9}")
            for name, cpu, speed in bench.stages
        ),
        f"the build: {bench.characters_per_second:,.0f} characters a CPU second",
        *(
            f"{name} alone: {speed:,.0f} characters a CPU second; the build is {ratio:.2f} times "
            "as fast"
            for name, speed, ratio in bench.yardsticks
        ),
    ]
