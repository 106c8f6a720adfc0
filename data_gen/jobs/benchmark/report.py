"""A measurement as lines for a terminal."""

from typing import Iterator, List

from data_gen.core.compiled import LOOPS
from data_gen.jobs.benchmark.measure import Bench, BuildCost

_MEASURABLE = 0.005  # CPU seconds; a rate of less is noise
_WIDTH = 26


def lines(bench: Bench) -> List[str]:
    """Return the measurement as lines: the start, the stages of each build, the yardsticks."""
    return [*_head(bench), *_stages(bench), *_yardsticks(bench), *_google(bench)]


def _head(bench: Bench) -> Iterator[str]:
    used = bench.builds[-1].peak_memory
    memory = "" if used is None else f"; at most {used / 1e6:,.0f} MB of memory"
    yield (
        f"{bench.megabytes:.1f} MB of text, {bench.characters:,} characters, "
        f"{bench.instances:,} instances{memory}"
    )
    start = bench.start_up
    slowest = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in start.slowest)
    yield (
        f"start: Python {start.python:.2f} CPU s, --help {start.help:.2f}; "
        f"a build imports {start.modules:,} modules, the slowest: {slowest}"
    )
    if not LOOPS:
        yield (
            "without the compiled loops: a build takes a tenth less if the package is installed "
            "where there is a C compiler"
        )


def _stages(bench: Bench) -> Iterator[str]:
    yield (
        f"{'CPU s':{_WIDTH}}"
        + "".join(f"{build.name:>9}" for build in bench.builds)
        + (f"{'MB/s':>9}")
    )
    names = dict.fromkeys(name for build in bench.builds for name in build.stages)
    for name in names:
        costs = [build.stages.get(name, 0.0) for build in bench.builds]
        yield _row(name, costs, bench.megabytes)
    yield _row("all", [build.seconds for build in bench.builds], bench.megabytes)


def _row(name: str, costs: List[float], megabytes: float) -> str:
    """Return the costs of a stage, and the speed of the last."""
    last = costs[-1]
    speed = f"{megabytes / last:9.2f}" if last >= _MEASURABLE else f"{'-':>9}"
    return f"{name:{_WIDTH}}" + "".join(f"{cost:9.2f}" for cost in costs) + speed


def _yardsticks(bench: Bench) -> Iterator[str]:
    rate = bench.characters / _building(bench.builds[-1])
    yield f"the build: {rate:,.0f} characters a CPU second, without the start and what is loaded"
    for name, speed in bench.yardsticks:
        yield (
            f"{name} alone: {speed:,.0f} characters a CPU second; the build is "
            f"{rate / speed:.2f} times as fast"
        )


def _building(build: BuildCost) -> float:
    """Return the seconds without what every run pays alike, however little text there is."""
    return max(build.seconds - build.stages["start"] - build.stages["load"], 1e-9)


def _google(bench: Bench) -> Iterator[str]:
    if bench.google is None:
        return
    yield f"google-research/bert's generator: {bench.google:.2f} CPU s; with all of the start"
    for build in bench.builds:
        share = build.seconds / max(bench.google, 1e-9)
        yield f"  {build.name}: {share:.2f} of that, {1 / max(share, 1e-9):.1f} times as fast"
