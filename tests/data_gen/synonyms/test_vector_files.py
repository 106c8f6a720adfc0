import gzip
import lzma

import numpy as np
import pytest

from data_gen.shared.errors import UserError
from data_gen.synonyms.toolkit import toolkit_vectors
from data_gen.synonyms.vector_files import INVISIBLE, NOT_UTF8, TOO_LONG, read_vectors
from tests.data_gen.helpers import write_word2vec

WORDS = ["大", "巨大", "GPU", "大 小"]
MATRIX = np.array([[1, 2.5, -3], [4, 5, 6], [7, 8, 1e-20], [0, 0, 1]], np.float32)


def as_text(words, matrix, header=True):
    """Chinese-Word-Vectors end their lines with a space."""
    lines = [f"{len(words)} {matrix.shape[1]}"] if header else []
    lines += [f"{word} {' '.join(map(repr, row))} " for word, row in zip(words, matrix.tolist())]
    return "\n".join(lines) + "\n"


def test_the_toolkits_vectors_are_read_whole():
    vectors = read_vectors(toolkit_vectors())
    assert vectors.matrix.shape == (125796, 100)
    assert len(set(vectors.words)) == 125796
    assert vectors.skipped == {}


@pytest.mark.parametrize("form", ["binary", "text", "text without header", "gz", "xz", "url"])
def test_the_same_vectors_in_every_form(tmp_path, form):
    words = WORDS[:3] if form == "binary" else WORDS
    path = tmp_path / "words.vec"
    text = as_text(words, MATRIX, header="without" not in form)
    if form == "binary":
        write_word2vec(path, words, MATRIX[:3])
    elif form in ("gz", "xz"):
        path = tmp_path / f"words.vec.{form}"
        path.write_bytes({"gz": gzip, "xz": lzma}[form].compress(text.encode()))
    else:
        path.write_text(text, encoding="utf-8")
    vectors = read_vectors(f"file://{path}" if form == "url" else str(path))
    assert vectors.words == words
    assert np.array_equal(vectors.matrix, MATRIX[: len(words)])


def test_binary_vectors_without_line_ends(tmp_path):
    path = tmp_path / "words.bin"
    rows = [w.encode() + b" " + row.tobytes() for w, row in zip(WORDS[:3], MATRIX)]
    path.write_bytes(b"3 3\n" + b"".join(rows))
    assert np.array_equal(read_vectors(str(path)).matrix, MATRIX[:3])


def test_what_is_no_vector_is_left_out_and_counted(tmp_path):
    words = ["大", "大", "零", "无", "穷", "小"]
    matrix = np.array([[1, 1], [2, 2], [0, 0], [np.nan, 1], [1, np.inf], [3, 3]], np.float32)
    for path in (
        write_word2vec(tmp_path / "words.bin", words, matrix),
        str(tmp_path / "words.txt"),
    ):
        if path.endswith("txt"):
            (tmp_path / "words.txt").write_text(as_text(words, matrix), encoding="utf-8")
        vectors = read_vectors(path)
        assert vectors.words == ["大", "小"]
        assert np.array_equal(vectors.matrix, [[1, 1], [3, 3]])
        assert vectors.skipped == {"duplicate": 1, "zero": 1, "NaN or infinite": 2}


def test_forms_that_published_files_have(tmp_path):
    """A byte order mark, tabs, two spaces, Windows line ends, a space as a word, blank lines."""
    path = tmp_path / "words.vec"
    lines = ["\ufeff5 2", "大\t1\t2", "小  3 4", " 5 6", "", "\u3000 7 8", "多 少 9 1"]
    path.write_bytes("\r\n".join(lines).encode())
    vectors = read_vectors(str(path))
    assert vectors.words == ["大", "小", "\u3000", "多 少"]
    assert vectors.matrix.tolist() == [[1, 2], [3, 4], [7, 8], [9, 1]]
    assert vectors.skipped == {"no word": 1}
    rows = [w.encode() + b" " + np.array([1, i], "<f4").tobytes() for i, w in enumerate("大小")]
    path.write_bytes(b"2 2\r\n" + b"\r\n".join(rows) + b"\r\n")
    assert read_vectors(str(path)).words == ["大", "小"]


def test_a_binary_file_whose_first_vector_begins_with_a_line_end(tmp_path):
    matrix = np.frombuffer(b"\n\x00\x80\x3f" * 4, "<f4").reshape(2, 2)
    vectors = read_vectors(write_word2vec(tmp_path / "words.bin", ["大", "小"], matrix))
    assert np.array_equal(vectors.matrix, matrix)


def test_words_that_are_not_utf8_do_not_become_others(tmp_path):
    lines = [b"40 2", b"\xe8\xaf 1 2", *(f"w{i} {i} 1".encode() for i in range(39))]
    path = tmp_path / "words.vec"
    path.write_bytes(b"\n".join(lines))
    assert read_vectors(str(path)).skipped == {NOT_UTF8: 1}
    path.write_bytes("2 2\n语言 1 2\n模型 2 1\n".encode("gbk"))
    with pytest.raises(UserError, match=r"hardly a usable vector \(the word is not UTF-8 2"):
        read_vectors(str(path))


@pytest.mark.parametrize(
    "odd", ["\x00", "\x01", "大\x02", "\x7f", "\x85", "\u200b", "小\ufeff", "\xad大"]
)
@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("form", ["binary", "text", "text without header"])
def test_a_word_with_control_characters_is_left_out_and_counted(tmp_path, odd, first, form):
    words = [odd, "大", "小"] if first else ["大", "小", odd]
    matrix = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]], np.float32)
    path = tmp_path / "words.vec"
    if form == "binary":
        write_word2vec(path, words, matrix)
    else:
        path.write_text(as_text(words, matrix, header="without" not in form), encoding="utf-8")
    vectors = read_vectors(str(path))
    assert vectors.words == ["大", "小"]
    assert np.array_equal(vectors.matrix, matrix[1:] if first else matrix[:2])
    assert vectors.skipped == {INVISIBLE: 1}


@pytest.mark.parametrize("form", ["binary", "text"])
@pytest.mark.parametrize("count", [b"2", b"4"])
def test_a_header_that_is_wrong_in_either_direction_is_an_error(tmp_path, form, count):
    words, matrix = ["\x01", "大", "小"], MATRIX[:3]
    path = tmp_path / "words.vec"
    if form == "binary":
        write_word2vec(path, words, matrix)
    else:
        path.write_text(as_text(words, matrix), encoding="utf-8")
    path.write_bytes(path.read_bytes().replace(b"3 3\n", count + b" 3\n", 1))
    sentence = r"first line (says|is wrong)|says in its first line that it holds [24] vectors"
    with pytest.raises(UserError, match=sentence):
        read_vectors(str(path))


@pytest.mark.parametrize("dimensions", [2, 4])
def test_lines_of_another_number_of_dimensions_are_an_error(tmp_path, dimensions):
    path = tmp_path / "words.vec"
    text = as_text(["\x01", "大", "小"], MATRIX[:3])
    path.write_text(text.replace("3 3\n", f"3 {dimensions}\n", 1), encoding="utf-8")
    with pytest.raises(UserError, match=f"line 2 is not a word and {dimensions} numbers"):
        read_vectors(str(path))


def test_lines_of_more_numbers_are_left_out_or_refused(tmp_path):
    path = tmp_path / "words.vec"
    lines = ["40 2", *(f"w{i} {i} 1" for i in range(39)), "小 4 5 6"]
    path.write_text("\n".join(lines), encoding="utf-8")
    vectors = read_vectors(str(path))
    assert len(vectors.words) == 39
    assert vectors.skipped == {TOO_LONG: 1}
    for text in ("3 2\n大 1 2\n小 4 5 6\n多 1 2\n", "3 2\n大 1 2 3\n小 4 5 6\n多 1 1 1\n"):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(UserError, match=r"hardly a usable vector|line 2 is not a word and 2"):
            read_vectors(str(path))


def test_vectors_without_a_direction_are_left_out(tmp_path):
    matrix = np.array([[1e30, 2e30], [1e-30, 1e-30], [1, 2]], np.float32)
    vectors = read_vectors(write_word2vec(tmp_path / "words.bin", ["大", "小", "多"], matrix))
    assert vectors.words == ["多"]
    assert vectors.skipped == {"NaN or infinite": 1, "zero": 1}


def test_a_first_line_that_promises_too_much(tmp_path):
    path = tmp_path / "words.vec"
    path.write_text("20 2\n大 1 2\n小 4 5\n", encoding="utf-8")
    with pytest.raises(UserError, match="holds 20 vectors, and it holds 2"):
        read_vectors(str(path))
    matrix = np.random.RandomState(0).randn(600, 100).astype(np.float32)
    binary = write_word2vec(tmp_path / "words.bin", [f"w{i}" for i in range(600)], matrix)
    with open(binary, "rb") as handle:
        data = handle.read()
    with open(binary, "wb") as handle:
        handle.write(data.replace(b"600 100", b"600 50"))
    with pytest.raises(UserError, match=r"words\.bin"):
        read_vectors(binary)


def test_batches_are_put_together_in_order(tmp_path, monkeypatch):
    monkeypatch.setattr("data_gen.synonyms.vector_files.READ_BYTES", 16)
    words = [f"w{i}" for i in range(50)]
    matrix = np.random.RandomState(0).randn(50, 5).astype(np.float32)
    vectors = read_vectors(write_word2vec(tmp_path / "words.bin", words, matrix))
    assert vectors.words == words
    assert np.array_equal(vectors.matrix, matrix)


TEXT = as_text(WORDS, MATRIX).encode()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no file of word vectors"),
        (b"# a text file\nof another kind\n", "is no file of word vectors"),
        (b"0 3\n", "holds 0 x 3"),
        (TEXT.replace(b"4 3", b"5 3"), "holds 5 vectors, and it holds 4: it is cut short"),
        (TEXT.replace(b"4 3", b"3 3"), "holds 3 vectors, and it holds 4"),
        (TEXT.replace(b" 5.0 6.0", b""), "line 3 is not a word and 3 numbers"),
        (TEXT.replace(b" 5.0", b" x5"), "line 3 is not a word and 3 numbers"),
        (TEXT.replace(b"4 3", b"4 4"), "line 2 is not a word and 4 numbers"),
        (TEXT.replace(b"4 3", b"4 2"), "line 2 is not a word and 2 numbers"),
        (TEXT.replace(b"4 3", b"4 99999999999"), "holds 4 x 99999999999"),
        (TEXT.replace(b" 2.5", b" x"), "line 2 is not a word and 3 numbers"),
        (b"1 2\n\xe5\xa4\xa7 0 0\n", "hardly a usable vector .zero 1"),
    ],
)
def test_a_damaged_text_file_is_one_sentence(tmp_path, content, message):
    path = tmp_path / "words.vec"
    path.write_bytes(content)
    with pytest.raises(UserError, match=message) as error:
        read_vectors(str(path))
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-7],
        lambda data: b"9999 8" + data[data.index(b"\n") :],
        lambda data: b"99999999999 100" + data[data.index(b"\n") :],
        lambda data: data.replace(b" ", b"_").replace(b"_", b" ", 1),
        lambda data: data + b"rest",
    ],
)
def test_a_damaged_binary_file_is_one_sentence(tmp_path, vectors, damage):
    with open(vectors, "rb") as handle:
        data = handle.read()
    path = tmp_path / "words.bin"
    path.write_bytes(damage(data))
    with pytest.raises(UserError, match=r"not a whole word2vec file|more vectors than"):
        read_vectors(str(path))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UserError, match=r"cannot read .*missing\.bin"):
        read_vectors(str(tmp_path / "missing.bin"))
