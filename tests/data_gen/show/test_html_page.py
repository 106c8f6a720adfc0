from html.parser import HTMLParser

import pytest

from data_gen.shared.dataset.dataset_info import read_info
from data_gen.shared.errors import UserError
from data_gen.show.html_page import require_new_page, write_page
from data_gen.show.readable import MarkedText, ReadableExample, build_vocabulary, shown_examples
from tests.data_gen.helpers import GOLDEN

VOID = {"meta"}


class Reader(HTMLParser):
    """Collects the text within each kind of tag; fails where tags do not nest."""

    def __init__(self):
        super().__init__()
        self.open, self.text, self.attributes = [], {}, []

    def handle_starttag(self, tag, attrs):
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        for tag in set(self.open):
            self.text.setdefault(tag, []).append(data)


def read(path):
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    reader.close()
    assert reader.open == []
    return reader


def test_a_page_of_the_golden_set(tmp_path):
    path = tmp_path / "pages" / "page.html"
    info = read_info(GOLDEN)
    assert write_page(str(path), info, shown_examples(info, build_vocabulary(info), 2, 2)) == 2
    page = read(path)
    assert page.text["h2"] == ["example 2 of 78", "example 3 of 78"]
    assert page.text["rt"] == [
        *("masked", "old", "会", "到work", "的大小", "。", "卖", "这就够了。"),
    ]
    assert "小个" in page.text["ruby"]
    assert "buffet重要" in page.text["ruby"]
    numbers = dict(zip(page.text["dt"], page.text["dd"]))
    assert numbers["instances"] == "78"
    assert numbers["masked"] == f"{info.manifest['statistics']['masked']:.1%}"
    # it needs nothing from elsewhere
    assert not [name for _, name, _ in page.attributes if name in ("src", "href")]
    style = "".join(page.text["style"])
    assert "url(" not in style
    assert "@import" not in style
    assert "prefers-color-scheme: dark" in style


def test_text_is_never_markup(tmp_path):
    evil = '<script>alert("&")</script>'
    runs = tuple(MarkedText(kind, evil, evil) for kind in ("text", "mask", "replaced", "kept"))
    shown = ReadableExample(evil, (evil,), ((evil, runs),))
    info = read_info(GOLDEN)
    statistics = {"ngrams": {evil: 1.0}, "instances": 1}
    manifest = {**info.manifest, "segmenter": evil, "statistics": statistics}
    path = tmp_path / "page.html"
    write_page(str(path), info._replace(folder=evil, manifest=manifest), [shown])
    page = read(path)
    assert "script" not in page.text
    for tag in ("title", "h1", "h2", "th", "b", "u", "rt", "ruby"):
        assert evil in page.text[tag], tag


def test_only_a_page_of_ours_is_written_over(tmp_path):
    path = tmp_path / "page.html"
    require_new_page(str(path))
    info = read_info(GOLDEN)
    write_page(str(path), info, [])
    require_new_page(str(path))
    for text in ("", "<!DOCTYPE html>\n<p>mine"):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(UserError, match="is another file: choose another --html"):
            require_new_page(str(path))


def test_a_page_appears_whole_or_not_at_all(tmp_path):
    def examples():
        yield ReadableExample("one", (), ())
        raise UserError("damaged")

    with pytest.raises(UserError):
        write_page(str(tmp_path / "page.html"), read_info(GOLDEN), examples())
    assert list(tmp_path.iterdir()) == []
