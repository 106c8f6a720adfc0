import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.segmentation.segmenter import align
from data_gen.segmentation.user_dictionary import UserWord, read_user_words
from data_gen.shared.errors import UserError

words = st.lists(st.text(alphabet="中国人aA1，\u200b", min_size=1, max_size=3), max_size=6)


@given(words, st.data())
def test_words_that_lost_some_of_the_text_re_join(spoken, data):
    """Whatever an engine drops, in words of its own the text is whole and its words are kept."""
    kept = data.draw(st.lists(st.booleans(), min_size=len(spoken), max_size=len(spoken)))
    found = [word for word, keep in zip(spoken, kept) if keep]
    aligned = align("".join(spoken), found)
    assert "".join(aligned) == "".join(spoken)
    assert all(aligned)
    remaining = iter(aligned)
    assert all(word in remaining for word in found)


def test_what_was_dropped_is_a_word():
    assert align("\x00我\u200b好\ufeff", ["我", "好"]) == ["\x00", "我", "\u200b", "好", "\ufeff"]
    assert align("我好", ["我", "", "好"]) == ["我", "好"]
    assert align("\x00", []) == ["\x00"]


@pytest.mark.parametrize("found", [["好", "我"], ["我", "们"], ["我好", "好"], ["I"]])
def test_words_that_are_not_in_the_text_are_not_trusted(found):
    assert align("我好", found) is None


def write(tmp_path, content):
    path = tmp_path / "words.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def test_a_dictionary_is_read_as_jieba_does(tmp_path):
    path = write(tmp_path, "\ufeff大模型 3 n\r\n\n预训练 nz\nC++ 5\n掩码\u3000\n")
    assert read_user_words(path) == [
        UserWord("大模型", 3, "n"),
        UserWord("预训练", None, "nz"),
        UserWord("C++", 5, None),
        UserWord("掩码", None, None),
    ]


@pytest.mark.parametrize("content", ["好\n大 模型\n", "好\n大模型 3 n x\n", "好\n大模型 0\n"])
def test_a_line_that_is_no_word_is_an_error(tmp_path, content):
    with pytest.raises(UserError, match=r"^line 2 of segmenter.user_dict .*words.txt is no `word"):
        read_user_words(write(tmp_path, content))


@pytest.mark.parametrize(
    ("content", "sentence"), [(b"\n \n", "holds no word"), ("模型".encode("gbk"), "is not UTF-8")]
)
def test_a_file_that_is_no_dictionary_is_an_error(tmp_path, content, sentence):
    with pytest.raises(UserError, match=sentence):
        read_user_words(write(tmp_path, content))


def test_a_missing_dictionary_is_an_error(tmp_path):
    with pytest.raises(UserError, match=r"cannot read segmenter.user_dict .*: No such file"):
        read_user_words(str(tmp_path / "none.txt"))
