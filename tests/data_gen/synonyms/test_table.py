import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.shared.errors import UserError
from data_gen.synonyms.likeness import SCRIPTS, script
from data_gen.synonyms.table import Table, load_table, make_source_table, require_new_table

WORDS = st.lists(st.tuples(*[st.integers(0, 50)] * 2) | st.tuples(st.integers(0, 50)), unique=True)


def near(layer, word):
    """The neighbours of a word with their cosines."""
    number = layer.number(word)
    start, stop = layer.neighbour_starts[number : number + 2].tolist()
    words = map(layer.word, layer.neighbours[start:stop].tolist())
    return list(zip(words, layer.similarities[start:stop].tolist()))


@given(WORDS.filter(bool), st.integers(0, 2**32 - 1))
def test_what_is_put_in_is_found(words, seed):
    random = np.random.RandomState(seed)
    rows = random.randint(-1, len(words), (len(words), 3))
    cosines = np.round(random.rand(len(words), 3), 4).astype(np.float32)
    layer = make_source_table(words, rows, cosines, str)
    for word, own_rows, own_cosines in zip(words, rows.tolist(), cosines.tolist()):
        expected = [(words[i], cosine) for i, cosine in zip(own_rows, own_cosines) if i >= 0]
        assert near(layer, word) == expected
    assert layer.number((51,)) == layer.number(()) == -1


def test_the_script_of_a_word_is_that_of_its_text(tokenizer):
    marks, numbers = ["，", "……", "-", "（）"], ["3.14", "3,", "一百二", "百", "$5", "１"]
    latin = ["C++", "c", "3d", "BERT-base", "B超", "é", "αβ", "иван"]
    texts = [*marks, *numbers, *latin, "第3", "模型", "的", "ア"]
    words = [tuple(pieces) for pieces, _ in tokenizer.encode(texts)]
    layer = make_source_table(
        words, np.full((len(words), 1), -1), np.zeros((len(words), 1)), tokenizer.join
    )
    numbers = [layer.number(word) for word in words]
    found = [SCRIPTS[i] for i in layer.scripts[numbers].tolist()]
    assert found == [script(tokenizer.join(word)) for word in words]
    assert found[texts.index("3.14")] == found[texts.index("百")] == "number"
    assert set(found) == set(SCRIPTS)


@pytest.fixture
def saved(tmp_path):
    layer = make_source_table([(1,), (2, 3)], np.array([[1], [-1]]), np.array([[0.5], [0]]), str)
    path = str(tmp_path / "folder" / "table.safetensors")
    Table({"toolkit": layer, "corpus": layer}, {"top_k": 1}).save(path)
    return path


def test_a_table_survives_its_file(saved):
    table = load_table(saved)
    assert list(table.layers) == ["toolkit", "corpus"]
    assert table.provenance == {"top_k": 1}
    assert near(table.layers["corpus"], (1,)) == [((2, 3), 0.5)]
    assert not table.layers["corpus"].keys.flags.writeable  # mapped: shared by all workers
    require_new_table(saved)  # may be made anew


def test_equal_tables_have_equal_bytes(saved, tmp_path):
    table = load_table(saved)
    table.save(str(tmp_path / "again"))
    with open(saved, "rb") as first, open(tmp_path / "again", "rb") as second:
        assert first.read() == second.read()


def test_a_table_is_a_file_of_safetensors(saved):
    from safetensors.numpy import load_file

    table = load_table(saved)
    assert np.array_equal(load_file(saved)["1.keys"], table.layers["corpus"].keys)


@pytest.mark.parametrize("size", [0, 4, 8, 60, -1])
def test_a_table_that_is_cut_short_is_an_error(saved, size):
    with open(saved, "rb") as handle:
        data = handle.read()
    with open(saved, "wb") as handle:
        handle.write(data[:size])
    with pytest.raises(UserError, match="no whole table"):
        load_table(saved)


def test_another_file_is_no_table_and_not_written_over(tmp_path):
    path = tmp_path / "report.docx"
    path.write_bytes(b"PK\x03\x04 precious" * 100)
    with pytest.raises(UserError, match="no whole table"):
        load_table(str(path))
    with pytest.raises(UserError, match="is another file"):
        require_new_table(str(path))
    with pytest.raises(UserError, match="there is no table"):
        load_table(str(tmp_path / "missing"))
    require_new_table(str(tmp_path / "missing"))


def test_a_table_of_another_format_is_an_error(saved):
    with open(saved, "rb") as handle:
        data = handle.read()
    with open(saved, "wb") as handle:
        handle.write(data.replace(b'{\\"format\\": 5', b'{\\"format\\": 2'))
    with pytest.raises(UserError, match="format 2, not 5"):
        load_table(saved)


def test_a_flipped_bit_anywhere_is_an_error(saved):
    """In an array, a name, a number of the header: never another table."""
    with open(saved, "rb") as handle:
        data = handle.read()
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1 << (place % 8)
        with open(saved, "wb") as handle:
            handle.write(changed)
        with pytest.raises(UserError, match=r"no whole table|of table format"):
            load_table(saved)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("neighbours", [2]),
        ("neighbours", [-1]),
        ("starts", [0, 2, 1]),
        ("starts", [1, 2, 3]),
        ("starts", [0, 1, 4]),
        ("starts", []),
        ("neighbour_starts", [0, 1, 2]),
        ("similarities", [np.nan]),
        ("similarities", [1.5]),
        ("similarities", []),
        ("scripts", [0]),
        ("keys", [5, 4]),
        ("pieces", [1, -2, 3]),
    ],
)
def test_arrays_out_of_range_are_an_error_whatever_the_checksum(saved, name, values):
    layer = load_table(saved).layers["toolkit"]
    wrong = layer._replace(**{name: np.array(values, getattr(layer, name).dtype)})
    Table({"toolkit": layer, "corpus": wrong}, {}).save(saved)
    with pytest.raises(UserError, match=r"is no whole table .*: make it again"):
        load_table(saved)
