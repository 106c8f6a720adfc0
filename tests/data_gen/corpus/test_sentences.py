import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.corpus.quotes import opening_quotes
from data_gen.corpus.sentences import last_sentence_end, split_sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("“好。”他说。走！！", ["“好。”", "他说。", "走！！"]),
        ("（完。）下一句", ["（完。）", "下一句"]),
        ("没有句号", ["没有句号"]),
        ("真的吗？！是……的。", ["真的吗？！", "是……", "的。"]),
        ("版本 2.0 发布。See a.b?", ["版本 2.0 发布。", "See a.b?"]),
        ("", []),
        # as they stand in laws and articles
        ("（见《办法》第三条。”）第二款", ["（见《办法》第三条。”）", "第二款"]),
        ("‘“走！”’她说。", ["‘“走！”’", "她说。"]),
        ("工资报酬……”。第二项", ["工资报酬……”。", "第二项"]),
        ("（除非你觉得有必要！）。好", ["（除非你觉得有必要！）。", "好"]),
        ("〔1998〕号。〕二。］三！｝", ["〔1998〕号。〕", "二。］", "三！｝"]),
        ("Really?! Yes. 为什么 (why?)？好", ["Really?! Yes. 为什么 (why?)？", "好"]),
        ("……", ["……"]),
        ("什么——！！！？？", ["什么——！！！？？"]),
    ],
)
def test_sentences_end_after_their_marks_and_closing_quotes(text, sentences):
    assert split_sentences(text) == sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ('老师走进教室。"同学们好！"他说。', ["老师走进教室。", '"同学们好！"', "他说。"]),
        ('"好。""不好。"他们说。', ['"好。"', '"不好。"', "他们说。"]),
        ("走！＂好＂吧。", ["走！", "＂好＂吧。"]),
        ("他站起来。'走吧！'大家都走了。", ["他站起来。", "'走吧！'", "大家都走了。"]),
        ("'不。'她说。＇好。＇", ["'不。'", "她说。", "＇好。＇"]),
        # one within another
        ('"他喊：\'走！\'"她说。"好！"', ["\"他喊：'走！'\"", "她说。", '"好！"']),
        ("她笑了。\"'走！'是他说的。\"对。", ["她笑了。", "\"'走！'", '是他说的。"', "对。"]),
        # that close before or after the mark
        ('他问："谁？"。"我！"', ['他问："谁？"。', '"我！"']),
        ('这叫"走"。"不"是别的。', ['这叫"走"。', '"不"是别的。']),
        # over the end of a line
        ('他说："好。\n走吧。"她笑了。"行！"', ['他说："好。', '走吧。"', "她笑了。", '"行！"']),
        (
            '我说："好。\n走了。"他又说："再见。\n等。"好',
            ['我说："好。', '走了。"', '他又说："再见。', '等。"', "好"],
        ),
        ('"一。\n"二。"\n三。"四。"', ['"一。', '"二。"', "三。", '"四。"']),
        ('他说："好。"然后走了。\n"走！"', ['他说："好。"', "然后走了。", '"走！"']),
        # inches, feet, apostrophes and quotes without a partner
        ('24" 的和27"的。"好！"他说。', ['24" 的和27"的。', '"好！"', "他说。"]),
        ("It's 5'10\". 真高。'好！'他说。", ["It's 5'10\". 真高。", "'好！'", "他说。"]),
        ("rock 'n' roll。don't。'走'", ["rock 'n' roll。", "don't。", "'走'"]),
        ("the dogs' 好。'走！'他说", ["the dogs' 好。", "'走！'", "他说"]),
        ('好！走吧。"', ["好！", '走吧。"']),
        ('他走了。"好！她说。', ["他走了。", '"好！', "她说。"]),
        ('一对之外的"引号。"好"', ['一对之外的"引号。"', '好"']),
    ],
)
def test_a_straight_quote_closes_if_one_is_open_and_else_begins_a_sentence(text, sentences):
    assert split_sentences(text) == sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        # a sentence does not begin with a comma
        ("这是“真的？”，他说。好", ["这是“真的？”，他说。", "好"]),
        ("1，2，……，n。好", ["1，2，……，n。", "好"]),
        ("有意思吧！），好。", ["有意思吧！），好。"]),
        # nor is it of marks alone
        ("……好的。", ["……好的。"]),
        ("“……好的。”他说。", ["“……好的。”", "他说。"]),
        ("走\n。走", ["走", "。走"]),
        ("。\n好", ["。", "好"]),
        # titles are names
        ("《奔跑吧！兄弟》好看。", ["《奔跑吧！兄弟》好看。"]),
        ("看《你好！》去。《走。", ["看《你好！》去。", "《走。"]),
        # what ends no sentence: decimals, addresses, half-width marks
        ("涨了3.14%。http://a.b/?q=1!去", ["涨了3.14%。", "http://a.b/?q=1!去"]),
        ("真的吗?我不信!", ["真的吗?我不信!"]),
        ("他说（好。）走。「好！」『走？』", ["他说（好。）", "走。", "「好！」", "『走？』"]),
        ("好｡走", ["好｡", "走"]),
    ],
)
def test_a_sentence_holds_more_than_a_rest(text, sentences):
    assert split_sentences(text) == sentences


LINES = st.text(alphabet="中文a1.?!，,：。！？…”’」》）］《“（［\" \t'\u3000", max_size=30)


@given(st.lists(LINES))
def test_splitting_loses_nothing_but_spaces_at_the_cuts(lines):
    text = "\n".join(lines)
    assert "".join("".join(split_sentences(text)).split()) == "".join(text.split())


@given(st.lists(LINES))
def test_lines_are_split_alone(lines):
    """Also where one of them needs more care than others. Quotations go over lines."""
    lines = [line.replace('"', "").replace("'", "") for line in lines]
    alone = [sentence for line in lines for sentence in split_sentences(line)]
    assert split_sentences("\n".join(lines)) == alone


@given(st.text(alphabet="中a.?!，；：“（《。！？…”’」）］)'"))
def test_marks_and_what_closes_on_them_stay_on_their_sentence(text):
    text = text.replace("'", "")
    found = split_sentences(text)
    assert "".join(found) == text
    for sentence in found[:-1]:  # the last may end without a mark
        assert sentence.rstrip("”’」）］)")[-1] in "。！？…"
    for sentence in found[1:]:
        assert sentence[0] not in "。！？…”’」）］)，；"
    for sentence in found:
        assert split_sentences(sentence) == [sentence]


def test_much_of_one_mark_takes_no_longer_than_text():
    for marks in ("。", '。"', "。，", "《", "“…", "'", "《。", " ", "。'\n"):
        text = marks * (200_000 // len(marks))
        assert "".join("".join(split_sentences(text)).split()) == "".join(text.split())


def test_the_places_of_opening_quotes():
    assert opening_quotes('他说："好。""走。"') == {3, 7}
    assert opening_quotes("'a' isn't \"b\"") == {0, 10}


def test_a_long_text_is_cut_after_its_last_sentence():
    assert last_sentence_end("他走了。" * 100 + "她没" * 70) == 400
    long = "他走了。" * 10 + "没有标点" * 40_000  # farther back than is looked at first
    assert last_sentence_end(long) == 40
    quoted = '"走。"他说。' * 100
    end = last_sentence_end(quoted)
    assert (
        split_sentences(quoted[:end]) + split_sentences(quoted[end:]) == ['"走。"', "他说。"] * 100
    )


def test_a_text_without_a_sentence_is_cut_after_a_comma_or_a_space_or_between_characters():
    assert last_sentence_end("有，" * 3 + "没有" * 100) == 6
    assert last_sentence_end("two words" + "没有" * 100) == 4
    assert last_sentence_end("没有" * 100) == 199
    assert last_sentence_end("没有" * 100 + "word") == 200
    assert last_sentence_end("é" * 2 + "e\u0301") == 2
    assert last_sentence_end("e\u0301") == 2
    assert last_sentence_end("a" * 300) == 300


@given(st.text(alphabet="中文a。！…”》），《“ ", min_size=300, max_size=400))
def test_a_cut_changes_no_sentence(text):
    end = last_sentence_end(text)
    assert 0 < end <= len(text)
    if "。" in text[:100]:
        assert split_sentences(text[:end]) + split_sentences(text[end:]) == split_sentences(text)
