"""Statistics as text: every figure is named, explained and, on a page, in Chinese."""

import re

import pytest

from data_gen.core.counting import Counts
from data_gen.jobs.statistics import report
from data_gen.shared.dataset.dataset_info import read_info
from data_gen.show import bilingual
from data_gen.show.bilingual import both
from data_gen.show.figures import FIGURES, SECTIONS, sections
from data_gen.show.html_page import write_page
from data_gen.show.marks import LEGEND
from data_gen.show.promises import promises
from data_gen.show.readable import build_vocabulary, readable_examples
from data_gen.show.statistics_text import promise_lines, statistics_lines
from tests.data_gen.helpers import GOLDEN

WIDTH = 100
CHINESE = bilingual.chinese_texts()


def test_every_statistic_of_a_build_is_explained():
    names = ["files/text", "skipped_files/image", "words_of_size/1", "characters_of_words"]
    names += ["joined_lines", "replaced_bytes", "skipped_lines"]
    counts = Counts(dict.fromkeys(names, 1))
    assert set(report(counts, 128)) == set(FIGURES)


def lines(**options):
    return list(statistics_lines(read_info(GOLDEN).statistics, **options))


def test_the_golden_build_in_sections():
    text = lines()
    assert [line for line in text if line in SECTIONS] == [s for s in SECTIONS if s != "Other"]
    rows = {line[2:32].strip(): line[32:].split()[0] for line in text if re.match("  [a-z]", line)}
    assert (rows["instances"], rows["pieces kept"], rows["masked"]) == ("78", "100.0%", "14.7%")
    assert "    1 42.9%  2 29.8%  3 18.6%  4 8.7%" in text
    assert "    0%-25% 0.0%  25%-50% 11.5%  50%-75% 11.5%  75%-100% 76.9%" not in text
    assert "    25%-50% 11.5%  50%-75% 11.5%  75%-100% 76.9%" in text
    assert max(map(len, text)) <= WIDTH


def test_of_many_names_the_first():
    def listed(most):
        return [line for line in lines(listed=most) if line.startswith("    ， 47")]

    assert listed(5) == ["    ， 47  的 25  了 19  一 12  在 8"]
    assert listed(30)[0].startswith("    ， 47  的 25  了 19  一 12  在 8  下 4")


def test_what_is_promised_is_not_said_twice():
    found = promises(read_info(GOLDEN))
    text = lines(without={one.figure for one in found})
    assert not any(line.startswith(("  ngrams  ", "  masked  ", "  label 1")) for line in text)
    assert any(line.startswith("  masked words") for line in text)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.5, "50.00%"), (0.00003, "0.003%"), (0, "0.00%"), (1, "100.00%"), (0.0, "0.00%")],
)
def test_a_share_that_is_not_zero_does_not_look_like_zero(value, shown):
    ((_, (row,)),) = sections({"unknown_pieces": value})
    assert row.value == shown


def test_a_statistic_of_another_version_comes_last():
    *_, (section, rows) = sections({"new_one": 12345, "documents": 1, "many": {"a": 0.25}})
    assert section == "Other"
    assert [(row.name, row.value, row.parts) for row in rows] == [
        ("new one", "12,345", ()),
        ("many", "", (("a", "0.25"),)),
    ]


def test_promises_in_a_terminal():
    found = promises(read_info(GOLDEN))
    text = list(promise_lines(found))
    assert text[0] == "Promised and realised: 13 of 13 within"
    assert "  fill                            at least 82.8%    82.85%     ±1.0  yes" in text
    assert all(len(line) <= WIDTH for line in text)
    broken = [found[0]._replace(realised=0.5), *found[1:]]
    text = list(promise_lines(broken))
    assert text[0] == "Promised and realised: 12 of 13 within"
    assert text[2].split()[-2:] == ["±0.1", "NO"]
    assert list(promise_lines([])) == []


def test_every_text_of_a_page_has_its_chinese(tmp_path, monkeypatch):
    asked = set()

    class Asked(dict):
        def get(self, text, default):
            asked.add(text)
            return super().get(text, default)

    monkeypatch.setattr(bilingual, "chinese_texts", lambda: Asked(CHINESE))
    info = read_info(GOLDEN)
    examples = list(readable_examples(info, build_vocabulary(info))())
    write_page(str(tmp_path / "page.html"), info, LEGEND, examples)
    of_the_text = {*info.statistics["most_frequent_without_similar"], "vectors.bin"}
    signs = {text for text in asked if not any(map(str.isalpha, text))}  # 5+, 25%-50%
    assert asked - CHINESE.keys() - of_the_text - signs == set()
    assert {"Promised and realised", "within", "swapped", "fallback"} <= asked


def test_every_figure_has_its_chinese():
    texts = {figure.meaning for figure in FIGURES.values()} | set(SECTIONS)
    texts |= {name.replace("_", " ") for name in FIGURES}
    assert texts - CHINESE.keys() == set()


def test_a_translation_has_the_same_places_for_values():
    for english, chinese in CHINESE.items():
        assert english.count("{}") == chinese.count("{}"), english
    assert both("of another version") == "of another version"
    assert both("<{}>", "&") == "&lt;&amp;&gt;"
