import re
from html.parser import HTMLParser

import pytest

from data_gen.shared.dataset.dataset_info import read_info
from data_gen.shared.errors import UserError
from data_gen.show.html_page import require_new_page, write_page
from data_gen.show.marks import LEGEND, MarkedText
from data_gen.show.promises import promises
from data_gen.show.readable import ReadableExample, build_vocabulary, legend_of, readable_examples
from data_gen.show.selection import Wanted, selected
from tests.data_gen.helpers import GOLDEN

VOID = {"meta", "link", "input"}


class Reader(HTMLParser):
    """Collects the English text within each kind of tag and class; fails where tags do not nest."""

    def __init__(self):
        super().__init__()
        self.open, self.text, self.attributes = [], {}, []

    def handle_starttag(self, tag, attrs):
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append((tag, (dict(attrs).get("class") or "").split()))

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        if any("zh" in classes for _, classes in self.open):
            return
        for name in {name for tag, classes in self.open for name in (tag, *classes)}:
            self.text.setdefault(name, []).append(data)


def read(path):
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    reader.close()
    assert reader.open == []
    return reader


def golden_page(path, start=1, count=100):
    info = read_info(GOLDEN)
    examples = readable_examples(info, build_vocabulary(info))
    shown = selected(examples, Wanted(), start, count)
    return write_page(str(path), info, legend_of(info), shown)


def test_a_page_of_the_golden_set(tmp_path):
    path = tmp_path / "pages" / "page.html"
    assert golden_page(path, 2, 2) == 2
    page = read(path)
    assert page.text["h1"] == ["Training examples, as the model reads them"]
    assert page.text["title"][0].startswith("dataset · ")
    assert "/" not in page.text["title"][0]
    assert page.text["h3"][-2:] == ["example 2 of 78", "example 3 of 78"]
    # each piece has its original above it; legend first
    assert page.text["rt"] == ["old", "会", "到", "work", *"的大小。卖这就够了。"]
    assert page.text["ruby"][-10:] == [*"向这楼就这够", "nas", *"了停。"]
    info = read_info(GOLDEN)
    shares = [(f"{one.promised:.1%}", f"{one.realised:.2%}") for one in promises(info)]
    numbers = re.findall(r"[\d.]+%", "".join(page.text["both"]))
    assert list(zip(numbers[::2], numbers[1::2])) == shares
    assert page.text["verdict"][0] == "13 of 13 within"
    # it needs nothing from elsewhere
    links = [value for _, name, value in page.attributes if name in ("src", "href")]
    assert links == ["data:,"]
    style = "".join(page.text["style"])
    assert "url(" not in style
    assert "@import" not in style
    assert "prefers-color-scheme: dark" in style


def test_a_share_that_is_not_within_is_marked(tmp_path):
    info = read_info(GOLDEN)
    statistics = {**info.statistics, "pieces_kept": 0.5}
    changed = info._replace(manifest={**info.manifest, "statistics": statistics})
    write_page(str(tmp_path / "page.html"), changed, LEGEND, [])
    text = read(tmp_path / "page.html").text
    assert text["no"] == ["12 of 13 within", "not within"]


def test_text_is_never_markup(tmp_path):
    evil = '<script>alert("&")</script>{}'
    pieces = ((evil, evil),)
    runs = tuple(
        MarkedText(kind, evil, evil, pieces) for kind in ("text", "mask", "replaced", "kept")
    )
    shown = ReadableExample(1, evil, 1, 4, 3, evil, ((evil, runs),))
    info = read_info(GOLDEN)
    statistics = {"split_at": {evil: 1.0}, "instances": 1, evil: 2, "words": 1, "pieces": 1}
    statistics.update(fill=1.0, masked=0.1, label_1=0.5)
    manifest = {**info.manifest, "segmenter": evil, "statistics": statistics}
    path = tmp_path / "page.html"
    write_page(str(path), info._replace(folder=evil, manifest=manifest), LEGEND, [shown])
    page = read(path)
    assert page.text["script"][0].startswith("\n// The language")
    for tag in ("facts", "dt", "u", "rt", "ruby", "label", "parts", "segment"):
        assert evil in "".join(page.text[tag]), tag
    assert path.read_text(encoding="utf-8").count("<script>") == 2


def test_only_a_page_of_ours_is_written_over(tmp_path):
    path = tmp_path / "page.html"
    require_new_page(str(path))
    write_page(str(path), read_info(GOLDEN), LEGEND, [])
    require_new_page(str(path))
    for text in ("", "<!DOCTYPE html>\n<p>mine"):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(UserError, match="is another file: choose another --html"):
            require_new_page(str(path))


def test_a_page_appears_whole_or_not_at_all(tmp_path):
    def examples():
        yield ReadableExample(1, "", 1, 1, 1, "", ())
        raise UserError("damaged")

    with pytest.raises(UserError):
        write_page(str(tmp_path / "page.html"), read_info(GOLDEN), LEGEND, examples())
    assert list(tmp_path.iterdir()) == []
