"""dataset.json, field by field."""

import json
import os

import pytest

from data_gen.shared.dataset.dataset_info import parse_info, read_info
from data_gen.shared.errors import UserError

GOLDEN = "tests/golden/dataset"


@pytest.fixture
def manifest(root):
    with open(os.path.join(root, GOLDEN, "dataset.json"), encoding="utf-8") as handle:
        return json.load(handle)


@pytest.fixture
def parse(root):
    def run(manifest):
        sizes = dict.fromkeys(os.listdir(os.path.join(root, GOLDEN)))
        return parse_info("DIR", json.dumps(manifest), sizes)

    return run


NEEDED = (
    *("format", "fingerprint", "vocab_sha256", "shards", "config.max_seq_length"),
    *("config.max_predictions_per_seq", "config.pair_task", "config.dupe_factor"),
    *("config.do_lower_case", "config.tokenizer", "config.tokenizer.name", "shards.0.name"),
    *("shards.0.examples", "shards.0.bytes", "shards.1.sha256", "statistics.instances"),
    *("statistics.sentences", "statistics.kinds_by_piece", "input.0.bytes"),
)


@pytest.mark.parametrize("field", NEEDED)
@pytest.mark.parametrize("value", ["missing", None, -1, 1e30, [], float("nan")])
def test_a_field_that_is_impossible_is_named(manifest, parse, field, value):
    *path, last = (int(part) if part.isdigit() else part for part in field.split("."))
    group = manifest
    for part in path:
        group = group[part]
    if value == "missing":
        del group[last]
    else:
        group[last] = value
    with pytest.raises(UserError, match=r"^DIR(/dataset\.json)?( is|:) ") as error:
        parse(manifest)
    if value == value:
        assert str(last) in str(error.value)


@pytest.mark.parametrize("name", ["../part", "/etc/passwd", "a/b", "..", ".", "", "a\\b", "a\0b"])
def test_a_name_that_leads_out_of_the_folder_is_not_followed(manifest, parse, name):
    manifest["shards"][1]["name"] = name
    with pytest.raises(UserError, match=r"DIR/dataset\.json: shards\[1\]\.name must be"):
        parse(manifest)


def test_a_shard_is_not_taken_twice(manifest, parse):
    manifest["shards"].append(manifest["shards"][0])
    with pytest.raises(UserError, match=r"part-00000-of-00002\.tfrecord are the same shard"):
        parse(manifest)
    manifest["shards"][2] = {**manifest["shards"][0], "name": "part-00009"}
    with pytest.raises(UserError, match="part-00009 are the same shard"):
        parse(manifest)


def test_counts_that_do_not_fit_are_refused(manifest, parse):
    manifest["shards"][0]["bytes"] = 0
    with pytest.raises(UserError, match=r"shards\[0\]\.bytes cannot be for the 34 examples"):
        parse(manifest)
    manifest["shards"][0].update(bytes=10**6, examples=35)
    with pytest.raises(UserError, match=r"statistics\.instances must be the 79 examples .* not 78"):
        parse(manifest)


@pytest.mark.parametrize(("name", "bins"), [("sequence_lengths", 16), ("masked_by_decile", 10)])
def test_a_list_that_lost_a_number_is_refused(manifest, parse, name, bins):
    """The others would stand in its place."""
    del manifest["statistics"][name][4]
    with pytest.raises(UserError, match=rf"statistics\.{name} must be {bins} numbers"):
        parse(manifest)


@pytest.mark.parametrize("name", ["ngrams", "kinds_drawn", "kinds_by_piece"])
def test_shares_that_lost_one_are_refused(manifest, parse, name):
    del manifest["statistics"][name][max(manifest["statistics"][name])]
    with pytest.raises(UserError, match=rf"statistics\.{name} must add up to 1"):
        parse(manifest)


def test_records_that_no_build_made_have_no_statistics(manifest, parse):
    del manifest["statistics"]
    info = parse(manifest)
    assert info.examples == 78
    with pytest.raises(UserError, match=r"dataset\.json: statistics is missing"):
        print(info.statistics)


def test_a_data_set_is_read(root):
    info = read_info(os.path.join(root, GOLDEN))
    assert (info.examples, info.max_seq_length, info.statistics["instances"]) == (78, 48, 78)
