from zipfile import ZipFile

import numpy as np
import pytest

from data_gen.features import file_sha256
from data_gen.settings import UserError
from data_gen.synonyms import (
    SimilarWords,
    build_table,
    load_table,
    nearest,
    read_word2vec,
    require_new_table,
    toolkit_vectors,
)
from tests.data_gen.conftest import VOCAB, write_word2vec


def reference(matrix, k, row):
    """The k nearest by the definition, ranked by cosine."""
    distance = ((matrix - matrix[row]) ** 2).sum(axis=1)
    distance[row] = np.inf
    unit = matrix / np.linalg.norm(matrix, axis=1)[:, None]
    return sorted(np.argsort(distance)[:k].tolist(), key=lambda other: -unit[other] @ unit[row])


@pytest.mark.parametrize(("count", "k"), [(3, 10), (65, 10), (1000, 7)])
def test_nearest_is_exact(count, k):
    matrix = np.random.RandomState(count).randn(count, 5).astype(np.float32)
    rows, cosines = nearest(matrix, k)
    unit = matrix / np.linalg.norm(matrix, axis=1)[:, None]
    for row in range(0, count, 7):
        assert rows[row].tolist() == reference(matrix, min(k, count - 1), row)
        assert cosines[row] == pytest.approx(unit[rows[row]] @ unit[row], abs=1e-5)
    some = [count - 1, 0]
    assert np.array_equal(nearest(matrix, k, of=some)[0], rows[some])


def test_the_toolkits_vectors_are_read_whole():
    vectors = read_word2vec(toolkit_vectors())
    assert vectors.matrix.shape == (125796, 100)
    assert len(set(vectors.words)) == 125796


@pytest.fixture(scope="module")
def neighbours(tokenizer, tmp_path_factory):
    """大 and 巨大 are near each other, so are 高兴, 快乐, 愉快 and 乐; GPU and gpu are one word."""
    words = ["高兴", "快乐", "愉快", "乐", "大", "巨大", "GPU", "gpu", "cpu", "\u3400\u3401"]
    matrix = np.array(
        [[9, 1], [9, 1.1], [9, 1.3], [9, 1.2], [1, 9], [1, 9.1], [5, 5], [5, 5], [5, 5.1], [9, 1]],
        np.float32,
    )
    path = write_word2vec(tmp_path_factory.mktemp("similar") / "words.bin", words, matrix)
    return build_table(path, tokenizer, "vocabulary", top_k=4)


@pytest.fixture(scope="module")
def similar(neighbours):
    return SimilarWords(neighbours)


def candidates(tokenizer, similar, word):
    ((pieces, _),) = tokenizer.encode([word])
    return [tokenizer.text(found) for found, _ in similar(tuple(pieces))]


def test_candidates_are_other_words_of_as_many_pieces(tokenizer, similar):
    # 乐 and 巨大 have another number of pieces, 㐀㐁 is [UNK], gpu is GPU
    assert candidates(tokenizer, similar, "高兴") == ["快乐", "愉快"]
    assert "巨大" not in candidates(tokenizer, similar, "大")
    assert candidates(tokenizer, similar, "没有") == []
    assert set(candidates(tokenizer, similar, "GPU")) == {"cpu", "乐"}


def pieces_of(tokenizer, word):
    ((pieces, _),) = tokenizer.encode([word])
    return tuple(pieces)


def test_a_word_may_be_left_without_for_a_nearest_of_another_size(tokenizer, neighbours):
    """高兴 is nearest to 乐 or 快乐; strict, the nearest alone decides."""
    strict = SimilarWords(neighbours, other_lengths="strict")
    assert candidates(tokenizer, strict, "高兴") == ["快乐", "愉快"]
    # the nearest of 愉快 is 乐, of one piece
    assert candidates(tokenizer, SimilarWords(neighbours), "愉快") != []
    assert candidates(tokenizer, strict, "愉快") == []
    assert strict.missing(pieces_of(tokenizer, "愉快")) == "other number of pieces"


def test_neighbours_below_a_similarity_are_no_candidates(tokenizer, neighbours):
    """cpu is almost GPU; 乐 is near it only for want of others."""
    close = SimilarWords(neighbours, min_similarity=0.98)
    assert candidates(tokenizer, close, "GPU") == ["cpu"]
    never = SimilarWords(neighbours, min_similarity=1.0)
    assert candidates(tokenizer, never, "大") == []
    assert never.missing(pieces_of(tokenizer, "大")) == "not similar enough"
    assert never.missing(pieces_of(tokenizer, "没有")) == "not in the table"


def test_candidates_are_ranked_with_their_similarity(tokenizer, similar):
    ((pieces, _),) = tokenizer.encode(["高兴"])
    scores = [score for _, score in similar(tuple(pieces))]
    assert scores == sorted(scores, reverse=True)
    assert 0.99 < scores[-1] <= scores[0] <= 1.0001


def test_a_table_survives_its_file_and_belongs_to_one_vocabulary(tokenizer, table):
    vocab = file_sha256(VOCAB)
    loaded = load_table(table, vocab)
    assert loaded.vocab_sha256 == vocab
    assert len(loaded.starts) == len(loaded.candidate_starts) > 100
    with pytest.raises(UserError, match="another vocabulary"):
        load_table(table, "other")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive", b"text"])
def test_a_file_that_is_no_table_is_an_error(tmp_path, content):
    path = tmp_path / "table.npz"
    path.write_bytes(content)
    with pytest.raises(UserError, match="is no table"):
        load_table(str(path), "x")
    with pytest.raises(UserError, match="there is no table"):
        load_table(str(tmp_path / "missing"), "x")


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-7],
        lambda data: b"x" + data,
        lambda data: b"9999 8" + data[data.index(b"\n") :],
    ],
)
def test_damaged_vectors_are_an_error(tmp_path, vectors, damage):
    with open(vectors, "rb") as handle:
        data = handle.read()
    path = tmp_path / "words.bin"
    path.write_bytes(damage(data))
    with pytest.raises(UserError, match="not a whole word2vec file"):
        read_word2vec(str(path))


def test_vectors_that_are_no_numbers_are_an_error(tmp_path):
    path = write_word2vec(tmp_path / "words.bin", ["大", "小"], np.array([[1.0, np.nan]] * 2))
    with pytest.raises(UserError, match="not numbers"):
        read_word2vec(path)


def test_another_archive_is_not_written_over(tmp_path):
    with ZipFile(tmp_path / "report.docx", "w") as archive:
        archive.writestr("word.xml", "precious")
    with pytest.raises(UserError, match="is another file"):
        require_new_table(str(tmp_path / "report.docx"))
