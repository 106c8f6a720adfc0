"""Lines joined and told apart: texts of the project, wrapped in the ways that programs wrap."""

import re
import unicodedata

import pytest

from data_gen.corpus.line_sizes import WrapDetector
from data_gen.corpus.lines import LINES, find_wrapping
from data_gen.corpus.sentences import split_sentences

PARAGRAPHS = [
    "第一章 总则",
    "开源社区的成员来自世界各地，他们用 Linux 内核和 LibreOffice 办公套件。"
    "你见过“真正的”自由软件吗？没有！"
    "那么请看下面的介绍，它会告诉你 GNU General Public License version 2 是什么。",
    "Linus Torvalds released the first version of the kernel in 1991, and Chinese developers have "
    "followed it since then. 后来，中国的开发者也加入了进来；他们翻译文档、提交补丁。",
    "口岸服务部门按照规定权限，负责口岸管理和通关协调服务工作，推进口岸环境的优化完善，并组织实施本条例。"
    "市发展改革、建设、商务、经济信息化、规划资源、交通等部门应当根据各自职责，规范和优化行政程序。",
    "安装步骤",
    "首先下载 3.10 Beta2 的镜像，然后用 dd 命令写入 U 盘（大约需要 15 分钟）。"
    "接下来重新启动电脑，选择从 U 盘启动，就能看到安装界面了。"
    "如果没有看到，请检查 BIOS 的设置，或者换一个 USB 端口再试一次！",
]


def width(text):
    return sum(1 + (unicodedata.east_asian_width(c) in "WFA") for c in text)


def by_characters(text, size):
    """As a slice of the text does: spaces stay, words are cut."""
    return [text[i : i + size] for i in range(0, len(text), size)]


def by_columns(text, size):
    """As a terminal does."""
    lines = [""]
    for character in text:
        if width(lines[-1] + character) > size:
            lines.append("")
        lines[-1] += character
    return lines


def by_words(text, size):
    """As editors do: Latin words stay whole, and no line starts with a mark that closes."""
    lines = [""]
    for unit in re.findall(r"[!-~]+|\s|.[，。！？；：、”）》]*", text):
        if width(lines[-1] + unit) > size:
            lines[-1] = lines[-1].rstrip()
            lines.append("")
        if lines[-1] or not unit.isspace():
            lines[-1] += unit
    return lines


def wrapped(paragraphs, wrap, size, first="", blank=True):
    lines = []
    for paragraph in paragraphs:
        lines += [*wrap(first + paragraph, size), *([""] if blank else [])]
    return lines


@pytest.mark.parametrize("wrap", [by_characters, by_columns, by_words])
@pytest.mark.parametrize("size", [40, 72])
@pytest.mark.parametrize("layout", ["blank", "indent", "all indented"])
def test_wrapped_text_is_what_it_was(wrap, size, layout):
    """Except that a space beside Chinese at which an editor ended a line is lost."""
    first = "\u3000\u3000" if layout == "indent" else ""
    lines = wrapped(PARAGRAPHS * 3, wrap, size, first, blank=layout != "indent")
    if layout == "all indented":
        lines = ["    " + line if line else line for line in lines]
    joined = LINES["wrapped"].join(lines, find_wrapping(lines))
    sentences = [s for text in joined for s in split_sentences(text)]
    expected = [s for text in PARAGRAPHS * 3 for s in split_sentences(text)]
    latin = r"(?<=[!-~])\s+(?=[!-~])"  # spaces that count
    assert [re.sub(r"\s", "", re.sub(latin, "_", s)) for s in sentences] == [
        re.sub(r"\s", "", re.sub(latin, "_", s)) for s in expected
    ]


@pytest.mark.parametrize(
    ("lines", "joined"),
    [
        # a blank line, an indent
        (["今天天气", "很好", "", "我们出去"], ["今天天气很好", "我们出去"]),
        (
            ["　　今天天气真好", "我们出去玩了", "　　第二天也很好"],
            ["今天天气真好我们出去玩了", "第二天也很好"],
        ),
        (["\t今天天气真好", "我们出去玩了", "\t第二天"], ["今天天气真好我们出去玩了", "第二天"]),
        (["  今天天气真好", "  我们出去玩了"], ["今天天气真好我们出去玩了"]),  # all of it
        # spaces between Latin words and numbers alone
        (["we read the", "documents now"], ["we read the documents now"]),
        (["we read, the (", "documents)"], ["we read, the (documents)"]),
        (["使用开源 Linux", "内核的人们"], ["使用开源 Linux内核的人们"]),
        (["使用开源的内核", "Linux 的人们"], ["使用开源的内核Linux 的人们"]),
        (["从一九九一年至", "2010", "年"], ["从一九九一年至2010", "年"]),  # it had room
        (["this is well-", "known here"], ["this is well-known here"]),
        (["使用开源 Linux ", "内核的人们"], ["使用开源 Linux 内核的人们"]),  # it was left there
        (["我们使用开源的", " Linux 内核"], ["我们使用开源的 Linux 内核"]),
        # marks at the start of a line belong to what is before them
        (["“我们走吧！", "”他说。然后走了"], ["“我们走吧！”他说。然后走了"]),
        # lists and headings
        (["- 第一项的文字", "- 第二项的文字"], ["- 第一项的文字", "- 第二项的文字"]),
        (
            ["1. 第一项有文字", "   还有一行文字", "2. 第二"],
            ["1. 第一项有文字还有一行文字", "2. 第二"],
        ),
        (["（一）第一项；", "（二）第二项；"], ["（一）第一项；", "（二）第二项；"]),
        (["总则", "第一条的文字很长很长"], ["总则", "第一条的文字很长很长"]),
        ([], []),
        (["", " \u3000", "\n"], []),
    ],
)
def test_where_a_paragraph_ends(lines, joined):
    assert LINES["wrapped"].join(lines) == joined


def test_a_block_says_how_its_short_documents_were_wrapped():
    text = "办公套件 LibreOffice 很好用"
    block = wrapped(PARAGRAPHS * 3, by_characters, 10)
    lines = by_characters(text, 10)
    assert lines == ["办公套件 Libre", "Office 很好用"]
    assert LINES["wrapped"].join(lines, find_wrapping(block)) == [text]
    assert LINES["wrapped"].join(lines) == ["办公套件 Libre Office 很好用"]


def test_lines_are_kept_by_default():
    for name in ("sentence", "paragraph"):
        assert LINES[name].join([" 一行。", "", "\t二行\n"]) == ["一行。", "二行"]
        assert not LINES[name].joins
    assert LINES["wrapped"].joins


def detected(lines):
    detector = WrapDetector()
    detector.add(lines)
    return detector.width()


@pytest.mark.parametrize("wrap", [by_columns, by_words])
@pytest.mark.parametrize("size", [40, 72])
def test_wrapped_text_is_detected(wrap, size):
    assert detected(wrapped(PARAGRAPHS * 6, wrap, size)) in (size - 1, size)


def test_english_that_was_wrapped_is_detected():
    text = (
        "The kernel has been read by many people, and some of them wrote the parts that it lacked. "
        "Today it runs on most machines of the world. "
    ) * 2
    assert 60 <= detected(wrapped([text, text[4:], text[11:], text[15:]] * 6, by_words, 72)) <= 72


def test_blocks_of_one_text_are_looked_at_together():
    lines = wrapped(PARAGRAPHS, by_columns, 40)
    one, other = WrapDetector(), WrapDetector()
    assert one.width() == 0
    for _ in range(3):
        one.add(lines)
        other.add(lines)
    one.merge(other)
    assert one.width() == 40


@pytest.mark.parametrize(
    "lines",
    [
        PARAGRAPHS * 20,
        [sentence for text in PARAGRAPHS * 20 for sentence in split_sentences(text)],
        ["朝辞白帝彩云间，千里江陵一日还", "两岸猿声啼不住，轻舟已过万重山"] * 50,  # verse
        ["朝辞白帝彩云间，千里江陵一日还。", "两岸猿声啼不住，轻舟已过万重山。"] * 50,
        ["床前明月光", "疑是地上霜", "举头望明月", "低头思故乡", ""] * 50,
        [f"| {i:6} | {i * i:12} | {i**3:15} |" for i in range(100)],  # a table
        [f"{i:032x}" for i in range(100)],
        [f"    if value[{i}] == {i * 7}:\n        return names[{i}]" for i in range(100)],
        [],
        [""],
    ],
)
def test_other_text_is_not_taken_for_wrapped(lines):
    assert detected(lines) == 0


SENTENCE = "各级人民政府应当加强对食品安全工作的领导，建立健全监督管理的责任制度。"


def test_a_number_that_a_full_line_cuts_is_whole_where_no_word_shows_how_lines_end():
    text = SENTENCE * 3 + SENTENCE[:11] + "12345" + SENTENCE * 2
    lines = by_characters(text, 40)
    assert any(line.endswith("1234") for line in lines)
    assert LINES["wrapped"].join(lines, None) == [text]


def test_a_long_document_without_words_is_wrapped_as_its_block_shows():
    latin = [(SENTENCE[:n] + "microservices" + SENTENCE) * 2 for n in range(20, 36)]
    number = SENTENCE * 241 + SENTENCE[:3] + "2GB" + SENTENCE
    documents = [*latin, number]
    cut = [by_characters(text, 40) for text in documents]
    assert len(cut[-1]) > 200
    assert any(line.endswith("2G") for line in cut[-1])
    block = find_wrapping([line for lines in cut for line in [*lines, " "]])
    assert [LINES["wrapped"].join(lines, block) for lines in cut] == [[text] for text in documents]
