"""Verify a build: every shard against dataset.json, every record against the sizes of the build."""

import os
from typing import Iterator, NamedTuple, Optional

from data_gen.core.progress import Amount, Progress
from data_gen.engine.processes import Engine
from data_gen.engine.tasks import TaskResult
from data_gen.records.read import read_examples
from data_gen.records.whole import Sizes, count_whole
from data_gen.shared.dataset.dataset_info import DatasetInfo, Shard
from data_gen.shared.dataset.shard_check import difference, walk
from data_gen.shared.errors import UserError
from data_gen.storage.errors import reading
from data_gen.storage.reading import open_as_is

_INT32 = 1 << 31  # the trainer's ids


class ShardTask(NamedTuple):
    """A shard to verify."""

    info: DatasetInfo  # of this shard alone
    vocab_size: int


def verify(
    info: DatasetInfo, vocab_size: Optional[int], engine: Engine, show: Progress
) -> Iterator[str]:
    """Find the problems of a build, a sentence each; none where it is whole.

    vocab_size: pieces of the vocabulary; None if it is not at hand, so that ids are held to the
                trainer's 32 bits alone
    """
    tasks = [
        ShardTask(info._replace(shards=(shard,), manifest={}), vocab_size or _INT32)
        for shard in info.shards
    ]
    results = show("verify", len(tasks), engine.run(verify_shard, tasks), lambda done: done.amount)
    found = {result.name: result.manifest["problems"] for result in results}
    for shard in info.shards:
        yield from found[shard.name]


def verify_shard(task: ShardTask) -> TaskResult:
    """Verify one shard: its bytes, then its records, to the first that cannot be read."""
    (shard,) = task.info.shards
    problems = list(_problems(task, shard))
    amount = Amount(bytes=shard.bytes, instances=shard.examples)
    return TaskResult(shard.name, {"problems": problems}, amount)


def _problems(task: ShardTask, shard: Shard) -> Iterator[str]:
    path = os.path.join(task.info.folder, shard.name)
    try:
        with open_as_is(path) as handle, reading(path):
            found = walk(handle, shard.name.endswith(".gz"))
        problem = difference(found, shard)
        if problem:
            yield f"{path} {problem}"
        # Records of a fine-tuning have features of their own.
        if found.problem or not task.info.max_predictions_per_seq:
            return
        sizes = Sizes(task.info.max_seq_length, task.info.max_predictions_per_seq, task.vocab_size)
        # Only what is not surely whole is read record by record, a hundred times as slowly.
        for _ in read_examples(task.info, task.vocab_size, skip=count_whole(path, sizes)):
            pass
    except UserError as error:
        yield str(error)
