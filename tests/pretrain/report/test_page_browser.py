"""The page in a browser: needs the package playwright and a Chromium."""

import pytest

from pretrain.report.page import write_page, write_picture
from pretrain.report.report import make_report
from tests.pretrain.report.helpers import DATA, held_lines, step_lines, write_run


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    runs = [
        write_run(folder / "a<b>", step_lines(100), held_lines(0, 50, 100)),
        write_run(folder / ("long" * 20), step_lines(60), data=[{**DATA, "max_seq_length": 64}]),
    ]
    found = make_report(runs)
    write_page(str(folder / "report.html"), found)
    write_picture(str(folder / "curve.svg"), found)
    return folder


@pytest.fixture(params=[(390, "light"), (1400, "dark")])
def page(report, browser, request):
    """The page in a window of its own; it asks for nothing and nothing goes wrong."""
    width, scheme = request.param
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    wrong, requested = [], []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: requested.append(request.url))
    page.goto((report / "report.html").as_uri())
    yield page
    assert wrong == []
    assert all(url.startswith(("file:", "data:,")) for url in requested)
    context.close()


def test_it_fits_the_window_and_every_control_has_a_name(page):
    width = page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    unnamed = page.evaluate(
        """[...document.querySelectorAll("input, svg[tabindex], div[tabindex]")].filter((node) =>
             !(node.labels && node.labels.length) && !node.getAttribute("aria-label")).length"""
    )
    assert unnamed == 0


def test_the_keyboard_reads_the_values(page):
    plot = page.locator("svg[data-chart]").first
    plot.focus()
    page.keyboard.press("Home")
    tip = page.locator("#tip")
    assert tip.inner_text().splitlines() == [
        "a<b>: 10.7 (step 10)",
        f"{'long' * 20}: 10.7 (step 10)",
    ]
    page.keyboard.press("ArrowRight")
    assert "5.7 (step 20)" in tip.inner_text()
    page.keyboard.press("End")
    assert tip.inner_text() == "a<b>: 1.7 (step 100)"
    page.keyboard.press("ArrowLeft")
    assert "(step 90)" in tip.inner_text()
    page.keyboard.press("Escape")
    assert not tip.is_visible()


def test_the_mouse_reads_the_values_and_the_tip_stays_in_the_window(page):
    plot = page.locator("svg[data-chart]").first
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    for share in (0.2, 0.95):
        page.mouse.move(box["x"] + share * box["width"], box["y"] + box["height"] / 2)
        tip = page.locator("#tip").bounding_box()
        assert tip["x"] >= 0
        assert tip["x"] + tip["width"] <= page.viewport_size["width"]
    assert plot.locator("circle").count() == 1  # the other run has ended
    page.mouse.move(0, 0)
    assert not page.locator("#tip").is_visible()


def test_runs_are_hidden_and_shown(page):
    # a level line has no height, so Playwright's own `:visible` does not see it
    seen = (
        "[...document.querySelectorAll('path.line.r1')].filter((n) => n.checkVisibility()).length"
    )
    before = page.evaluate(seen)
    assert before > 5
    page.locator("input[name=r1]").focus()
    page.keyboard.press("Space")
    assert page.evaluate(seen) == 0
    page.locator("svg[data-chart]").first.focus()
    page.keyboard.press("Home")
    assert page.locator("#tip").inner_text() == "a<b>: 10.7 (step 10)"
    page.get_by_label("long").check()
    assert page.evaluate(seen) == before


def test_the_axis_is_chosen(page):
    over = [page.locator(f".over-{name}:visible") for name in ("steps", "tokens")]
    count = over[0].count()
    assert (count > 5, over[1].count()) == (True, 0)
    page.get_by_label("step", exact=True).focus()
    page.keyboard.press("ArrowRight")
    assert (over[0].count(), over[1].count()) == (0, count)


def test_the_picture_is_one_that_a_browser_draws(report, browser):
    page = browser.new_page()
    page.set_content("<img>")
    page.goto((report / "curve.svg").as_uri())
    assert page.locator("svg.plot").count() >= 4
    page.close()
