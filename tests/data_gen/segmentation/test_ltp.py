import io
import json
import random
import re
import shutil
import struct
import sys

import pytest

from data_gen.segmentation.avro_file import is_sound
from data_gen.segmentation.boundaries import word_boundaries
from data_gen.segmentation.ltp import fetch_ltp, note_sums
from data_gen.segmentation.segmenters import SegmenterConfig, load_segmenter
from data_gen.shared.errors import UserError
from data_gen.shared.files import file_sha256


def load(model, **settings):
    return load_segmenter(SegmenterConfig(model=str(model), **settings))


def test_ltp_finds_the_words_it_was_trained_on(ltp_model):
    (marks,) = word_boundaries(load(ltp_model), ["管理员提醒游客，不要攀折花枝"])
    assert marks[1:5] == [3, 5, 7, 8]


def test_the_perceptron_drops_nothing_of_a_run(ltp_model):
    """It drops whitespace alone, and no run has any."""
    characters = [chr(code) for code in range(0x3100) if not chr(code).isspace()]
    runs = [run for c in characters for run in (c, f"游{c}客", f"{c}人")]
    assert ["".join(words) for words in load(ltp_model).words(runs)] == runs


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        (None, "no folder of an LTP model"),
        ({"nerual": False}, "no folder of an LTP model"),
        ([], "no folder of an LTP model"),
        ({"nerual": False, "tasks": {"cws": "config.json"}}, "not an LTP word segmentation model"),
        ({"nerual": False, "tasks": {"cws": "missing"}}, "not an LTP word segmentation model"),
    ],
)
def test_a_folder_that_is_no_model_is_an_error(tmp_path, config, sentence):
    if config is not None:
        (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(UserError, match=sentence):
        load(tmp_path)


def model_with(tmp_path, ltp_model, change):
    """A copy of a model with other bytes in its file."""
    folder = tmp_path / "model"
    shutil.copytree(ltp_model, folder)
    path = folder / "cws_model.bin"
    path.write_bytes(change(path.read_bytes()))
    return folder


# Within the mark, the header, the schema, the records and the mark after them; LTP itself would
# end the process, and these tests with it.
@pytest.mark.parametrize("left", [0, 3, 4, 40, 600, 2000, -17, -16, -1])
def test_a_model_cut_short_is_an_error(tmp_path, ltp_model, left):
    folder = model_with(tmp_path, ltp_model, lambda content: content[:left])
    with pytest.raises(
        UserError, match=r"cws_model.bin is not an LTP word segmentation model, not all"
    ):
        load(folder)


def test_a_header_without_records_is_an_error(tmp_path, ltp_model):
    def change(content):
        mark = content[-16:]
        return content[: content.index(mark) + 16]

    with pytest.raises(UserError, match="not all of it, or damaged"):
        load(model_with(tmp_path, ltp_model, change))


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content + b"\0",
        lambda content: content[:-1] + b"!",
        lambda content: content.replace(b'"name":"cws"', b'"name":"pos"'),
    ],
)
def test_another_file_in_place_of_the_model_is_an_error(tmp_path, ltp_model, change):
    with pytest.raises(UserError, match="is not an LTP word segmentation model"):
        load(model_with(tmp_path, ltp_model, change))


def flipped(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


@pytest.mark.parametrize("name", ["cws_model.bin", "config.json"])
def test_a_model_that_is_not_as_it_was_noted_is_an_error(tmp_path, ltp_model, name):
    folder = model_with(tmp_path, ltp_model, bytes)
    note_sums(str(folder))
    load(folder)
    flipped(folder / name)
    sentence = rf"{name} has another sha256 than was noted .*`segmenter fetch` or `segmenter train`"
    with pytest.raises(UserError, match=sentence):
        load(folder)
    fetched = (folder / "SHA256SUMS").read_text().split()
    assert fetched[1::2] == ["config.json", "cws_model.bin"]


def test_a_flipped_bit_of_a_model_without_a_note_is_an_error_or_harmless(tmp_path, ltp_model):
    """LTP itself would end the process, and these tests with it, for half of them."""
    folder = model_with(tmp_path, ltp_model, bytes)
    path = folder / "cws_model.bin"
    content = path.read_bytes()
    rng = random.Random(1)
    said = []
    for _ in range(100):
        place = rng.randrange(len(content))
        changed = bytes([content[place] ^ 1 << rng.randrange(8)])
        path.write_bytes(content[:place] + changed + content[place + 1 :])
        try:
            assert load(folder).words(["管理员提醒游客"])
        except UserError as error:
            said.append(str(error))
    assert all("not all of it, or damaged: fetch it again" in line for line in said)
    assert 50 < len(said) < 100  # a weight that is another number is not seen


def test_a_model_is_looked_through_once(tmp_path, ltp_model, monkeypatch):
    """Also where nothing can be kept, and then again."""
    looked = []
    monkeypatch.setattr("data_gen.segmentation.ltp.is_sound", lambda handle: not looked.append(1))
    folder = model_with(tmp_path, ltp_model, bytes)
    for home, times in (("home", 1), ("file", 2)):
        (tmp_path / "file").write_bytes(b"")
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / home))
        looked.clear()
        for _ in range(2):
            assert load(folder).words(["游客"]) == [["游客"]]
        assert len(looked) == times


def test_a_model_whose_sums_are_noted_is_not_looked_through(tmp_path, ltp_model, monkeypatch):
    folder = model_with(tmp_path, ltp_model, bytes)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("data_gen.segmentation.ltp.is_sound", lambda handle: False)
    with pytest.raises(UserError, match="damaged"):
        load(folder).words(["游客"])
    note_sums(str(folder))
    assert load(folder).words(["游客"]) == [["游客"]]


def varint(number):
    """A number as Avro writes it."""
    number = number << 1 ^ number >> 63
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def named(text):
    return varint(len(text)) + text


def record(features, weights):
    """A perceptron: its features and their numbers, and the weights."""
    names = b"".join(named(name.encode()) + varint(number) for name, number in features)
    values = struct.pack(f"<{len(weights)}d", *weights)
    return varint(len(features)) + names + b"\0" + varint(len(weights)) + values + b"\0"


@pytest.mark.parametrize(
    ("features", "weights", "sound"),
    [
        ([("2人", 0), ("3人", 1)], [1.0] * 8, True),
        ([("2人", 0), ("3人", 1)], [1.0] * 7, False),
        ([("2人", 0), ("2人", 1)], [1.0] * 8, False),
        ([("2人", 0), ("3人", 0)], [1.0] * 8, False),
        ([("2人", 0), ("3人", 2)], [1.0] * 8, False),
        ([("2人", -1), ("3人", 1)], [1.0] * 8, False),
        ([("2人", 0), ("3人", 1)], [1.0] * 7 + [float("nan")], False),
        ([], [], False),
    ],
)
def test_each_feature_has_weights_of_its_own(ltp_model, features, weights, sound):
    """Of a container whose blocks are not packed."""
    with open(f"{ltp_model}/cws_model.bin", "rb") as handle:
        schema = re.search(rb'{"type":"record".*"default":\[\]}\]}', handle.read()).group()
    header = varint(1) + named(b"avro.schema") + named(schema) + varint(0)
    mark = b"0123456789abcdef"
    block = varint(1) + named(record(features, weights))
    assert is_sound(io.BytesIO(b"Obj\1" + header + mark + block + mark)) == sound


def test_a_file_of_the_hubs_cache_is_checked_by_its_name(tmp_path, ltp_model):
    folder, blobs = model_with(tmp_path, ltp_model, bytes), tmp_path / "blobs"
    blobs.mkdir()
    blob = blobs / file_sha256(str(folder / "cws_model.bin"))
    (folder / "cws_model.bin").rename(blob)
    (folder / "cws_model.bin").symlink_to(blob)
    load(folder)
    flipped(blob)
    with pytest.raises(UserError, match=r"cws_model\.bin has another sha256 than was noted"):
        load(folder)


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A hub that notes what it is asked for, and what it answers."""
    import huggingface_hub

    calls = []

    def snapshot_download(model, **options):
        calls.append((model, options))
        if model == "LTP/none":
            raise ConnectionError
        return str(tmp_path)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    return calls


def test_fetching_takes_what_segmentation_needs_of_either_kind_of_model(hub, tmp_path):
    folder = str(tmp_path / "new")
    assert fetch_ltp("LTP/tiny", folder) == str(tmp_path)
    ((model, options),) = hub
    assert (model, options["local_dir"]) == ("LTP/tiny", folder)
    assert options["allow_patterns"] == [
        "added_tokens.json",
        "config.json",
        "cws_model.bin",
        "pytorch_model.bin",
        "special_tokens_map.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "vocab.txt",
    ]


def test_a_fetched_neural_model_can_be_fetched_again_but_is_not_trained_over(hub, tmp_path):
    from data_gen.jobs.train_segmenter import train_segmenter

    (tmp_path / "config.json").write_text('{"nerual": true}')
    for name in ("pytorch_model.bin", "vocab.txt", "source.txt"):
        (tmp_path / name).write_bytes(b"")
    fetch_ltp("LTP/tiny", str(tmp_path))
    with pytest.raises(UserError, match="holds other files"):
        train_segmenter(str(tmp_path), epochs=1, seed=1)


def test_a_hub_that_cannot_be_reached_says_what_to_do(hub):
    with pytest.raises(UserError, match="segmenter train"):
        load("LTP/none")


def test_a_neural_model_without_its_packages_is_an_error(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "torch", None)
    (tmp_path / "config.json").write_text('{"nerual": true}')
    with pytest.raises(UserError, match=r"needs the package torch.*pip install .*\[ltp-neural\]"):
        load(tmp_path)


def test_users_words_win_where_they_make_fewer_words(ltp_model, tmp_path):
    run = "管理员提醒游客"
    assert load(ltp_model).words([run]) == [["管理员", "提醒", "游客"]]
    for own, expected in (
        ("提醒游客", ["管理员", "提醒游客"]),
        ("员提醒游客", ["管", "理", "员提醒游客"]),
        ("理员提", ["管理员", "提醒", "游客"]),
    ):
        (tmp_path / "words.txt").write_text(own, encoding="utf-8")
        engine = load(ltp_model, user_dict=str(tmp_path / "words.txt"))
        assert engine.words([run]) == [expected]
