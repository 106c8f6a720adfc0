import random
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from data_gen.core.documents import Document, attach_boundaries, joined_boundaries
from data_gen.corpus.segmented.text import decode, encode
from data_gen.segmentation.boundaries import segment_sentences
from data_gen.segmentation.segmenter import Segmenter

ODD = "中国a1 \t\n\r\x0b\x00\x1c\x85\xa0\u2028\u3000␣\\\\\\\\u!-0\ufeff\ud7ff\uffff😀"
texts = st.lists(st.lists(st.text() | st.text(alphabet=ODD), max_size=4), max_size=4)


def cutting(seed):
    """A segmenter that cuts anywhere; of some runs it makes words that are not in them."""
    rng = random.Random(seed)

    def cut(run):
        if rng.random() < 0.2:
            return [f"{run}?"]
        marks = sorted({0, len(run), *(rng.randrange(len(run)) for _ in range(rng.randrange(4)))})
        return [run[start:stop] for start, stop in zip(marks, marks[1:])]

    return Segmenter(lambda runs: map(cut, runs), "cutting")


def segmented(texts, seed=1):
    """Documents with their marks, and the marks of all."""
    sentences = [sentence for text in texts for sentence in text]
    marks = segment_sentences(cutting(seed), sentences)
    plain = [Document(str(i), tuple(text)) for i, text in enumerate(texts)]
    return attach_boundaries(plain, marks), marks


def same(one, other):
    return all(
        a.dtype.kind == b.dtype.kind and a.tolist() == b.tolist() for a, b in zip(one, other)
    )


@given(texts, st.integers(0, 99))
@example([[" a ", "", "\\"], [], ["\n", "\\\\u0020"], []], 0)
def test_every_text_and_its_words_come_back(texts, seed):
    documents, marks = segmented(texts, seed)
    data = encode(documents)
    found, found_marks = decode(data)
    assert found == [tuple(text) for text in texts]
    if any(texts):
        assert same(found_marks, marks)
    assert encode(attach_boundaries([Document("", text) for text in found], found_marks)) == data


@given(texts, st.integers(0, 99))
def test_a_sentence_a_line_its_words_between_spaces_a_blank_line_after_a_document(texts, seed):
    documents, marks = segmented(texts, seed)
    lines = encode(documents).decode().split("\n")
    sizes = [len(text) + 1 for text in texts]
    assert len(lines) == sum(sizes) + 1
    ends = {sum(sizes[: i + 1]) - 1 for i in range(len(sizes))} | {len(lines) - 1}
    assert {i for i, line in enumerate(lines) if not line} == ends
    written = [line for line in lines if line]
    assert [i for i, line in enumerate(written) if line[:2] == "\\!"] == marks.misaligned.tolist()
    position = 0
    for line, sentence in zip(written, [sentence for text in texts for sentence in text]):
        assert all(character == " " or not character.isspace() for character in line)
        assert not any(unicodedata.category(character) == "Cc" for character in line)
        inner = marks.boundaries[position + 1 : position + len(sentence)]
        assert len(line.split(" ")) == inner.sum() + 1
        position += len(sentence) + 1


@given(texts, st.integers(0, 99))
def test_marks_of_documents_are_those_of_all_their_sentences(texts, seed):
    documents, marks = segmented(texts, seed)
    if any(texts):
        assert same(joined_boundaries(documents), marks)


def test_it_reads_well():
    sentences = ["用|Linux 系统|。", "C:\\|a\u3000␣|b", "好|。"]
    plain = [sentence.replace("|", "") for sentence in sentences]
    cuts = iter([words for sentence in sentences for words in sentence.split()])
    engine = Segmenter(lambda runs: [next(cuts).split("|") for _ in runs], "")
    documents = [Document("a", tuple(plain[:2])), Document("b", tuple(plain[2:]))]
    text = encode(attach_boundaries(documents, segment_sentences(engine, plain))).decode()
    assert text == "用 Linux ␣ 系统 。\nC:\\\\ a \\u3000 \\u2423 b\n\n好 。\n\n"


@pytest.mark.parametrize(
    "data",
    [
        *("好", "好\n", "好 。\n坏\n", "\\x\n\n", "\\\n\n", "\\u30\n\n", "\\u30g0\n\n", "\\u\n\n"),
        *("\\uABCD\n\n", "\\ud800\n\n", "好\n\n坏"),
        b"\xff\n\n",
    ],
)
def test_what_is_something_else_is_an_error(data):
    with pytest.raises(ValueError, match=r"it does not end|escape|decode"):
        decode(data if isinstance(data, bytes) else data.encode())
