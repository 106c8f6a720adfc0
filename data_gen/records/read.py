"""TFRecord bytes -> Example: the inverse of pack_examples.py, without TensorFlow.

An Example is read by the wire format of protobuf, so records of another writer can be read too:
their features may stand in any order, and their numbers need not be packed.
"""

import os
from bisect import bisect_right
from typing import Container, Iterator, NamedTuple, Optional, Sequence

from data_gen.core.columns import Example
from data_gen.records.parse_examples import parse_example
from data_gen.records.tfrecord import read_records
from data_gen.shared.dataset.dataset_info import MANIFEST, DatasetInfo
from data_gen.shared.errors import UserError


class StoredExample(NamedTuple):
    """An example and its place."""

    shard: str  # name of the file
    number: int  # within the shard, from 1
    of_all: int  # within the build, from 1
    example: Example


def read_examples(
    info: DatasetInfo, vocab_size: int, skip: int = 0, only: Optional[Sequence[int]] = None
) -> Iterator[StoredExample]:
    """Read the examples of a build in the order of its shards, without the first `skip`.

    only: ascending numbers of examples, from 1; the others are passed over
    Raises UserError, naming the shard and the byte, where a record is damaged or is no example of
    the sizes that dataset.json gives. Shards without an example wanted are not opened.
    """
    before = 0
    for shard in info.shards:
        before += shard.examples
        wanted = _wanted(before - shard.examples, before, skip, only)
        if wanted is None:
            continue
        path = os.path.join(info.folder, shard.name)
        number = 0
        for number, (offset, record) in enumerate(read_records(path), 1):
            if number > shard.examples:
                break
            if number not in wanted:
                continue
            try:
                example = parse_example(
                    record, info.max_seq_length, info.max_predictions_per_seq, vocab_size
                )
            except ValueError as error:
                raise UserError(
                    f"{path}: record {number:,}, at byte {offset}, is no example of this build "
                    f"({error}): build the data set again elsewhere"
                ) from error
            yield StoredExample(shard.name, number, before - shard.examples + number, example)
        if number != shard.examples:
            raise UserError(
                f"{path} holds {'more' if number > shard.examples else number} records where "
                f"{MANIFEST} says {shard.examples:,}: build the data set again elsewhere"
            )


def _wanted(
    first: int, stop: int, skip: int, only: Optional[Sequence[int]]
) -> Optional[Container[int]]:
    """Return the wanted examples of a shard, numbered within it; None where there is none.

    first, stop: examples up to the beginning and the end of the shard
    """
    if only is not None:
        some = only[bisect_right(only, max(first, skip)) : bisect_right(only, stop)]
        return {number - first for number in some} or None
    return range(max(skip - first, 0) + 1, stop - first + 1) if max(skip, first) < stop else None
