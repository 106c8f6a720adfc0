"""What `vocab check` says of Google's vocabulary and of damaged ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.__main__ import main
from data_gen.core.documents import Document
from data_gen.shared.errors import UserError
from data_gen.shared.vocabulary import SPECIALS, read_vocabulary
from data_gen.tokenization.check_vocabulary import Coverage, check_vocabulary
from data_gen.tokenization.wordpiece import WordPiece
from tests.data_gen.helpers import TEXT, VOCAB


@pytest.fixture
def write(tmp_path):
    def make(pieces, end="\n", start=b""):
        path = tmp_path / "vocab.txt"
        path.write_bytes(start + "".join(piece + end for piece in pieces).encode())
        return str(path)

    return make


def test_googles_vocabulary_is_sound_and_a_third_of_it_is_never_used(tokenizer):
    found = check_vocabulary(VOCAB)
    assert found.errors == []
    assert len(found.pieces) == 21128
    notes = "\n".join(found.notes)
    assert (
        "never occur, ## before what is always cut off, Chinese or a mark: 7,442 (35.2%)" in notes
    )
    assert "Chinese marks that it lacks, [UNK] in a text: “ ” ‘ ’ — …" in notes
    assert "pieces that are room for your own: 99 (0.5%), [unused1] " in notes
    assert "multiple of 8" not in notes
    assert "letters and digits" not in notes
    assert len(found.notes) == 7
    never = 21128 - len(tokenizer.reachable_ids) - 99 - 5
    assert never == 7442 + 2 + 2


def test_for_cased_text_other_letters_count():
    notes = "\n".join(check_vocabulary(VOCAB, do_lower_case=False).notes)
    assert "letters and digits that it lacks, [UNK] in a text: A B C" in notes
    assert "upper case" not in notes


@pytest.mark.parametrize(
    ("pieces", "note"),
    [
        (["中", *SPECIALS], "[PAD] has the id 1, not 0"),
        ([*SPECIALS, "中", "", "国", "", "人"], "ids are never used: 2, 7 9\n"),
        (
            [*SPECIALS, "中 ", "国"],
            "pieces with a space at an end, which Google's code strips: 1 (14.3%)",
        ),
        (
            [*SPECIALS, "Ab", "é", "a"],
            "with upper case, accents or characters that are dropped: 2 (25.0%), Ab é",
        ),
        ([*SPECIALS, "e\u0301"], "never occur, not in Unicode's form NFC: 1 (16.7%), e\u0301"),
        ([*SPECIALS, "##中", "##,"], "cut off, Chinese or a mark: 2 (28.6%), ##中 ##,"),
        ([*SPECIALS, "中国", "a b", "a,"], "characters or marks: 3 (37.5%), 中国 a b a,"),
        (
            [*SPECIALS, *"中国"],
            "7 pieces are no multiple of 8, which GPUs and TPUs work best on: 1",
        ),
        ([*SPECIALS, *"bcdz"], "letters and digits that it lacks, [UNK] in a text: a e f"),
        (
            [*SPECIALS, "a", "##b"],
            "letters and digits after ## that it lacks, [UNK] in a text: ##a",
        ),
        ([*SPECIALS, "!"], 'marks of ASCII that it lacks, [UNK] in a text: " # $'),
    ],
)
def test_what_is_unusual_is_noted(write, pieces, note):
    found = check_vocabulary(write(pieces))
    assert found.errors == []
    assert note in "\n".join(found.notes)


def test_line_ends_of_windows_are_noted_and_read(write):
    path = write([*SPECIALS, *"中国人"], end="\r\n")
    assert check_vocabulary(path).notes[0].startswith("8 lines end in CR LF")
    assert read_vocabulary(path)[-1] == "人"


@pytest.mark.parametrize(
    ("pieces", "start", "errors"),
    [
        (["[PAD]", "中"], b"", ["lacks [UNK] [CLS] [SEP] [MASK]: add a line"]),
        ([*SPECIALS, "中", "国", "中"], b"", ["has '中' on the lines 6 and 8, so that its"]),
        (SPECIALS, b"\xef\xbb\xbf", ["starts with a byte-order mark", "lacks [PAD]"]),
        (["中", "中"], b"", ["lacks [PAD] [UNK]", "has '中' on the lines 1 and 2, so"]),
    ],
)
def test_what_a_build_refuses_is_an_error(write, capsys, pieces, start, errors):
    path = write(pieces, start=start)
    found = check_vocabulary(path).errors
    assert len(found) == len(errors)
    assert all(error in text for error, text in zip(errors, found))
    assert main(["vocab", "check", path]) == 1
    output = capsys.readouterr()
    assert output.err.startswith(f"error: the vocabulary {path} {errors[0]}")
    assert errors[-1] in output.err
    assert "letters and digits that it lacks" in output.out
    with pytest.raises(UserError) as refused:
        read_vocabulary(path)
    assert errors[0] in str(refused.value)


def test_a_file_that_is_no_vocabulary(write, sentencepiece_folders, capsys):
    model = f"{sentencepiece_folders['unigram']}/vocab.txt"
    for path, sentence in (
        ("nowhere.txt", "cannot read the vocabulary nowhere.txt"),
        (write([], start=b"\xff\xfe"), "is not UTF-8 text in line 1"),
        (model, "is of a SentencePiece model"),
    ):
        assert main(["vocab", "check", path]) == 1
        assert sentence in capsys.readouterr().err


def cover(pieces, *texts):
    found = Coverage(WordPiece([*SPECIALS, *pieces], do_lower_case=True))
    for text in texts:
        found.add([Document("text:0", tuple(text.split("\n")))])
    return found


def test_coverage_counts_a_text():
    found = cover(["中", "ab", "##c", "1"], "中 abc国国\nab", "“中”", "\u200b", "中é")
    assert found.characters == 7 + 2 + 3 + 2
    assert (found.pieces, found.unknown) == (11, 5)
    assert found.unknown_characters == {"国": 2, "“": 1, "”": 1, "é": 1}
    assert (found.words, found.word_pieces) == (2, 3)


def test_of_an_unknown_word_the_characters_that_have_no_piece_count():
    assert cover(["a", "##a"], "aaя aab").unknown_characters == {"я": 1, "b": 1}


@given(text=st.text("中国ab“é \n", max_size=30), cut=st.integers(0, 30))
def test_coverage_is_the_same_in_parts(text, cut):
    pieces = ["中", "a", "##a", "ab"]
    parts, whole = (
        cover(pieces, text[:cut] + "\n", "\n" + text[cut:]),
        cover(pieces, f"{text[:cut]}\n\n\n{text[cut:]}"),
    )
    for name in ("pieces", "unknown", "words", "word_pieces", "unknown_characters"):
        assert getattr(parts, name) == getattr(whole, name)


def test_the_command_reads_text(capsys):
    assert main(["vocab", "check", VOCAB, "--input", TEXT]) == 0
    output = capsys.readouterr().out
    assert output.startswith(f"{VOCAB}: 21,128 pieces\nnote: ")
    assert "characters a piece" in output
    assert "[UNK]: " in output
    assert main(["vocab", "check", VOCAB, "--input", "nowhere"]) == 1
    assert "no input matches nowhere" in capsys.readouterr().err
