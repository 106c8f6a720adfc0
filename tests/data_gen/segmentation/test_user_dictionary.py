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
        UserWord("大模型", 3, "n", 1),
        UserWord("预训练", None, "nz", 3),
        UserWord("C++", 5, None, 4),
        UserWord("掩码", None, None, 5),
    ]


@pytest.mark.parametrize(
    "content",
    [
        "好\n大 模型\n",
        "好\n大模型 3 n x\n",
        "好\n大模型 0\n",
        f"好\n大模型 {'9' * 20}\n",
        f"好\n大模型 {'9' * 5000} n\n",  # more digits than Python reads
        "好\n大模型 ３\n",
        "好\n大模型 3.5\n",
        "好\n大模型 -3\n",
        "好\n大模型 3 名词\n",
    ],
)
def test_a_line_that_is_no_word_is_an_error(tmp_path, content):
    with pytest.raises(UserError, match=r"^line 2 of segmenter.user_dict .*words.txt is no `word"):
        read_user_words(write(tmp_path, content))


@pytest.mark.parametrize(
    ("content", "sentence"), [(b"\n \n", "holds no word"), ("模型".encode("gbk"), "is not UTF-8")]
)
def test_a_file_that_is_no_dictionary_is_an_error(tmp_path, content, sentence):
    with pytest.raises(UserError, match=sentence):
        read_user_words(write(tmp_path, content))


def test_a_line_that_is_not_utf8_is_named(tmp_path):
    surrogate = "好\n\ud800模型\n".encode("utf-8", "surrogatepass")
    with pytest.raises(UserError, match=r"^line 2 of segmenter.user_dict .*words.txt is not UTF-8"):
        read_user_words(write(tmp_path, surrogate))


# Every kind of what looks like nothing: spaces, line ends, controls, invisible marks.
NOTHING = (
    "\u3000\xa0\u1680\u2003\u2009\u202f\u205f\u2028\u2029\x0b\x0c\x1c\x1f\x85\x00\x01\x1b\x7f\x9f"
    "\xad\u061c\u180e\u200b\u200c\u200d\u200e\u202e\u2060\u2066\ufeff\ufff9\U000e0041"
)


@pytest.mark.parametrize(
    "line", ["打底{}裤", "打底裤{}3", "打底裤 3{}n", "{}打底裤 3", "打底裤{} 3"]
)
@pytest.mark.parametrize("char", NOTHING)
def test_what_no_word_holds_is_named_with_its_line(tmp_path, line, char):
    line = line.format(char)
    if line.strip() == "打底裤 3":
        assert read_user_words(write(tmp_path, line)) == [UserWord("打底裤", 3, None, 1)]
        return
    sentence = rf"^line 2 of segmenter.user_dict .* holds U\+{ord(char):04X} \(.*\), which no word"
    with pytest.raises(UserError, match=sentence) as refused:
        read_user_words(write(tmp_path, f"好\n{line}\n"))
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("start", ["\ufeff", "\ufeff\ufeff", ""])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_marks_at_the_start_and_any_line_ends_are_none_of_the_words(tmp_path, start, end):
    path = write(tmp_path, start + end.join(["大模型 3", "", "𠮷言语 0007 n", ""]))
    assert read_user_words(path) == [UserWord("大模型", 3, None, 1), UserWord("𠮷言语", 7, "n", 3)]


def test_a_missing_dictionary_is_an_error(tmp_path):
    with pytest.raises(UserError, match=r"cannot read segmenter.user_dict .*: No such file"):
        read_user_words(str(tmp_path / "none.txt"))
