"""The page of `show --html` in a browser: needs the package playwright and a Chromium."""

import pytest

from data_gen.shared.dataset.dataset_info import read_info
from data_gen.show.html_page import write_page
from data_gen.show.marks import LEGEND
from data_gen.show.readable import build_vocabulary, readable_examples
from data_gen.show.selection import Wanted, holds
from tests.browser import least_contrast, watched_page
from tests.data_gen.helpers import GOLDEN

DESK, PHONE = {"width": 1400, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def examples():
    info = read_info(GOLDEN)
    return list(readable_examples(info, build_vocabulary(info))())


@pytest.fixture(scope="module")
def address(examples, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "page.html"
    write_page(str(path), read_info(GOLDEN), LEGEND, examples)
    return path.as_uri()


@pytest.fixture
def open_page(browser, address):
    """Opens the page; what it complains of fails the test."""
    wrong, pages = [], []

    def opened(viewport=DESK, **options):
        pages.append(watched_page(browser, wrong, viewport=viewport, **options))
        pages[-1].goto(address)
        return pages[-1]

    yield opened
    assert wrong == []
    for page in pages:
        page.context.close()


def shown(page):
    """The numbers of the examples that are seen."""
    titles = page.locator("article:visible h3").all_inner_texts()
    return [int(title.split()[1]) for title in titles]


def numbers(examples, *wanted):
    return [one.number for one in examples if holds(one, Wanted(*wanted))]


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_readable_everywhere(open_page, viewport, scheme):
    for language in ("en-US", "zh-CN"):
        page = open_page(viewport, color_scheme=scheme, locale=language)
        page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
        ratio, text = least_contrast(page)
        assert ratio >= 4.5, text
        page.locator("input[value=kept]").check()  # the other marks are dimmed
        ratio, text = least_contrast(page)
        assert ratio >= 4.5, text


@pytest.mark.parametrize(
    ("locale", "title", "other"),
    [
        ("zh-CN", "模型读到的训练样例", "English"),
        ("zh-Hant-TW", "模型读到的训练样例", "English"),
        ("en-US", "Training examples, as the model reads them", "中文"),
        ("fr-FR", "Training examples, as the model reads them", "中文"),
    ],
)
def test_the_language_is_the_browsers_and_a_button_changes_it(open_page, locale, title, other):
    page = open_page(locale=locale)
    heading = page.locator("h1")
    assert heading.inner_text() == title
    button = page.get_by_role("button", name=other)
    button.click()
    assert heading.inner_text() != title
    assert ("语言" in page.locator("#find").get_attribute("placeholder")) is True
    page.locator("button.language").press("Enter")
    assert heading.inner_text() == title
    assert page.evaluate("document.documentElement.lang").startswith(locale[:2]) == (
        locale != "fr-FR"
    )


def test_a_search_shows_what_the_command_finds(open_page, examples):
    page = open_page()
    assert shown(page) == list(range(1, 79))
    for text in ("老顾客", "CPU", "小个", "内存 不足"):
        page.locator("#find").fill(text)
        assert shown(page) == numbers(examples, text), text
    page.locator("#find").fill("未必存在")
    assert shown(page) == []
    assert page.locator("#nothing").is_visible()
    assert page.locator("#count").inner_text() == "0 of 78 shown"


@pytest.mark.parametrize("kind", ["mask", "replaced", "kept"])
@pytest.mark.parametrize("pieces", [0, 1, 2, 4])
def test_choices_show_what_the_command_finds(open_page, examples, kind, pieces):
    page = open_page()
    page.locator(f"input[name=kind][value={kind}]").check()
    if pieces:
        page.locator(f"input[name=pieces][value='{pieces}']").check()
    assert shown(page) == numbers(examples, "", kind, pieces)
    page.locator("#find").fill("的")
    assert shown(page) == numbers(examples, "的", kind, pieces)


def test_long_stretches_are_one_choice(open_page, examples):
    page = open_page()
    page.locator("input[value='5+']").check()
    long = {n for size in range(5, 13) for n in numbers(examples, "", "", size)}
    assert shown(page) == sorted(long)


def test_what_was_found_is_marked(open_page):
    page = open_page()
    page.locator("#find").fill("大小")
    (first, *_) = page.locator("article:visible .run.hit").all_inner_texts()
    assert "大" in first or "小" in first
    assert page.evaluate("CSS.highlights.get('found').size") > 0
    page.locator("#find").fill("")
    assert page.locator(".run.hit").count() == 0
    assert page.evaluate("CSS.highlights.get('found').size") == 0


NAME = """(({id, name, className, tagName}) => id || name || className || tagName)(
    document.activeElement)"""


def test_all_of_it_by_keyboard(open_page, examples):
    page = open_page(PHONE)
    seen = []
    for _ in range(7):
        page.keyboard.press("Tab")
        seen.append(page.evaluate(NAME))
    assert seen == ["language", "SUMMARY", "SUMMARY", "find", "random", "kind", "pieces"]
    page.locator("#find").focus()
    page.keyboard.type("的")
    page.locator("input[name=kind]").first.focus()
    page.keyboard.press("ArrowRight")
    assert shown(page) == numbers(examples, "的", "mask") == []
    page.keyboard.press("ArrowRight")
    assert shown(page) == numbers(examples, "的", "replaced")
    page.locator("summary").first.focus()
    assert not page.locator(".shares").is_visible()  # a line, on a phone
    page.keyboard.press("Enter")
    assert page.locator(".shares").is_visible()


def test_a_random_example_is_one_of_those_shown(open_page, examples):
    page = open_page(DESK, reduced_motion="reduce")
    page.locator("#find").fill("老顾客")
    some = numbers(examples, "老顾客")
    got = set()
    for _ in range(40):
        page.get_by_role("button", name="Random one").click()
        title = page.evaluate("document.activeElement.querySelector('h3').innerText")
        got.add(int(title.split()[1]))
    assert got <= set(some)
    assert len(got) > 1


def test_without_javascript_everything_is_there(browser, address):
    page = browser.new_context(java_script_enabled=False, viewport=PHONE).new_page()
    page.goto(address)
    assert page.locator("article").count() == page.locator("article:visible").count() == 78
    assert page.locator(".shares").is_visible()
    assert not page.locator(".tools").is_visible()
    page.context.close()


def test_neighbouring_pieces_have_a_border_between(open_page):
    page = open_page()
    widths = page.evaluate(
        """[...document.querySelectorAll("article .run")].map((run) => [...run.children].map(
            (cell) => getComputedStyle(cell).borderLeftWidth))"""
    )
    assert all(run == ["0px", *["1px"] * (len(run) - 1)] for run in widths)
    assert any(len(run) > 2 for run in widths)
