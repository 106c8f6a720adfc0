"""Published vocabularies with repeated pieces and blank lines: refused with a way out, repaired."""

import pytest

from data_gen.__main__ import main
from data_gen.shared.errors import UserError
from data_gen.shared.vocabulary import SPECIALS, mistakes, read_pieces, read_vocabulary, repeated
from data_gen.tokenization.wordpiece import load_wordpiece

ERNIE = [*SPECIALS, "中", "$", "国", "", "$", "[unused1]", "$"]


@pytest.fixture
def write(tmp_path):
    def make(text):
        path = tmp_path / "vocab.txt"
        path.write_bytes(text.encode())
        return str(path)

    return make


def test_a_repeated_piece_is_refused_with_both_lines_and_the_way_out(write):
    sentence = (
        r"vocab.txt has '\$' on the lines 7 and 10, and 1 further repetitions, so that .*"
        r"line 7 a name that no text has, as `python -m data_gen vocab repair FILE --output NEW`"
    )
    with pytest.raises(UserError, match=sentence):
        read_vocabulary(write("\n".join(ERNIE)))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_repaired_every_piece_keeps_its_id(write, tmp_path, capsys, start, end):
    path, new = write(start + end.join([*ERNIE, "", "", ""])), str(tmp_path / "new.txt")
    assert main(["vocab", "repair", path, "--output", new]) == 0
    renamed = {6: "[unused2]", 8: "[unused3]", 9: "[unused4]"}
    expected = [renamed.get(i, piece) for i, piece in enumerate(ERNIE)]
    assert read_vocabulary(new) == expected
    assert (tmp_path / "new.txt").read_bytes() == ("\n".join(expected) + "\n").encode()
    output = capsys.readouterr().out
    assert "line 7: [unused2], '$' stands on line 10" in output
    assert "line 9: [unused3], it was blank" in output
    assert load_wordpiece(new, None, True).encode(["中$国"])[0][0] == [5, 11, 7]


def test_what_is_missing_cannot_be_repaired_and_no_file_is_overwritten(write, tmp_path, capsys):
    new = tmp_path / "new.txt"
    assert main(["vocab", "repair", write("中\n中\n"), "--output", str(new)]) == 1
    assert "lacks [PAD] [UNK] [CLS] [SEP] [MASK]: add a line for each" in capsys.readouterr().err
    assert not new.exists()
    new.write_text("mine")
    assert main(["vocab", "repair", write("\n".join(SPECIALS)), "--output", str(new)]) == 1
    assert "new.txt is another file: choose another --output" in capsys.readouterr().err
    assert new.read_text() == "mine"


@pytest.mark.parametrize("text", ["{}\n\n\n", "{}\r\n\r\n", "{}"])
def test_blank_lines_at_the_end_are_no_pieces(write, text):
    assert read_vocabulary(write(text.format("\n".join([*SPECIALS, "中"])))) == [*SPECIALS, "中"]


def test_blank_lines_within_keep_their_ids_without_being_repeated_pieces(write):
    path = write("\n".join([*SPECIALS, "", "中", "", "国"]))
    assert load_wordpiece(path, None, True).encode(["中国"])[0][0] == [6, 8]


def test_a_line_that_is_not_utf8_is_named(tmp_path):
    (tmp_path / "vocab.txt").write_bytes("[PAD]\n中\n".encode() + "国".encode("gbk"))
    with pytest.raises(UserError, match="is not UTF-8 text in line 3"):
        read_pieces(str(tmp_path / "vocab.txt"))


def test_the_look_for_repeated_pieces_takes_one_step_a_piece():
    """Comparisons, not seconds: 54 s for 81,128 lines were 3.3 billion of them."""
    compared = 0

    class Piece(str):
        def __eq__(self, other):
            nonlocal compared
            compared += 1
            return str(self) == str(other)

        __hash__ = str.__hash__

    pieces = [*SPECIALS, *map(Piece, map(str, range(20_000))), Piece("19999")]
    assert repeated(pieces) == [(20_004, 20_005)]
    assert len(list(mistakes(pieces))) == 1
    assert compared < 10 * len(pieces)
