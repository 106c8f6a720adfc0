"""The page in a browser: needs the package playwright and a Chromium."""

import threading

import pytest

pytest.importorskip("tokenizers")

from pretrain.checkpoint.load import load_model
from pretrain.predict.correct import Threshold
from pretrain.predict.predictor import Predictor
from pretrain.predict.server import Server
from pretrain.text.tokenizer import load_tokenizer
from tests.browser import least_contrast, watched_page
from tests.pretrain.small_model import write_model


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = write_model(tmp_path_factory.mktemp("model"))
    predictor = Predictor(load_model(folder), load_tokenizer(folder), 3)
    with Server(predictor, "small <b>model</b>", Threshold(ratio=1, above=0), 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def open_page(server, browser):
    """Opens the page; what it complains of fails the test, and so does what it loads from
    elsewhere.
    """
    wrong, requested, pages = [], [], []

    def opened(width=360, locale="zh-CN", **options):
        viewport = {"width": width, "height": 700}
        page = watched_page(browser, wrong, viewport=viewport, locale=locale, **options)
        pages.append(page)
        page.on("request", lambda request: requested.append(request.url))
        page.goto(server.address)
        # The page has the cursor in its text field; a browser may take a moment to put it there.
        page.wait_for_function("document.hasFocus() && document.activeElement.id === 'text'")
        return page

    yield opened
    assert wrong == []
    assert all(url.startswith((server.address, "data:,")) for url in requested)
    for page in pages:
        page.context.close()


@pytest.fixture
def page(open_page):
    """The page on a phone, in Chinese."""
    return open_page()


def answers(server, text):
    return list(server.predictor(text.split("\n"), server.threshold))


def test_what_is_typed_is_corrected(server, page):
    text = "😀天地日月"  # offsets count the first character as one, JavaScript as two
    page.keyboard.type(text)  # the field has the focus
    page.wait_for_selector("article")
    (expected,) = answers(server, text)
    first = expected["suspicious"][0]
    mark = page.locator(".word").first
    assert mark.locator("del").inner_text() == first["text"]
    assert mark.locator("ins").inner_text() == first["proposals"][0]["text"]
    assert page.locator("#status").inner_text() == f"{len(expected['suspicious'])} 处可疑"
    assert "%" in mark.get_attribute("data-tip")
    page.get_by_role("button", name="采用").click()
    assert page.locator("#text").input_value() == expected["result"]


def test_a_mask_is_filled_by_keyboard_alone(server, page):
    page.keyboard.type("天[MASK]")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("article")
    proposals = answers(server, "天[MASK]")[0]["masks"][0]["proposals"]
    assert page.locator(".sentence").inner_text() == f"天{proposals[0]['text']}"
    page.locator(".word").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    assert page.locator(".sentence").inner_text() == f"天{proposals[1]['text']}"
    assert page.evaluate("document.activeElement.type") == "radio"


def test_the_button_puts_a_mask_where_the_cursor_is(page):
    page.keyboard.type("天地")
    page.keyboard.press("ArrowLeft")
    page.get_by_role("button", name="插入 [MASK]").click()
    assert page.locator("#text").input_value() == "天[MASK]地"
    page.wait_for_selector("article")


def test_text_is_never_markup(server, page):
    page.locator("#text").fill("天<img src=x onerror=alert(1)>地\n[MASK]<b>人</b>")
    page.wait_for_selector("article >> nth=1")
    assert page.locator("main img, main b").count() == 0
    assert "<img src=x" in page.locator(".sentence").first.inner_text()
    assert page.locator("#model").inner_text() == "small <b>model</b>"


def test_the_slider_lists_less(server, page):
    text = "天\n地\n人\n日"
    before, after = (
        sum(
            len(one["suspicious"])
            for one in server.predictor(text.split("\n"), Threshold(ratio=ratio, above=0))
        )
        for ratio in (1, 10000)
    )
    assert after < before
    page.locator("#text").fill(text)
    page.wait_for_selector(f"text={before} 处可疑")
    page.locator("#ratio").focus()
    page.keyboard.press("End")
    page.wait_for_selector(f"text={after} 处可疑" if after else "text=没有可疑的地方")
    assert page.locator(".word").count() == after
    assert page.locator("#ratio-value").inner_text() == "10000 倍"


def test_the_other_slider_lists_less(server, page):
    page.locator("#text").fill("天\n地\n人\n日")
    page.wait_for_selector(".word")
    page.locator("#above").focus()
    page.keyboard.press("End")
    page.wait_for_selector("text=没有可疑的地方")
    assert page.locator("#above-value").inner_text() == "100.0%"


def test_model_and_thresholds_are_shown_from_the_start(page):
    page.wait_for_selector("#ratio-value :visible")
    assert page.locator("#model").inner_text() == "small <b>model</b>"
    assert page.locator("#ratio-value").inner_text() == "1 倍"
    assert page.locator("#above-value").inner_text() == "0%"


def test_an_example_is_a_click_away(page):
    for example in page.locator(".example").all():
        text = example.inner_text()
        example.press("Enter")
        page.wait_for_selector("article")
        assert page.locator("#text").input_value() == text
    assert "[MASK]" in text


def test_the_interface_speaks_the_browsers_language(open_page):
    page = open_page(locale="en-GB")
    assert page.locator("h1").inner_text() == "Correct and fill in"
    page.locator("#text").fill("天地日月")
    page.wait_for_selector("article")
    assert "suspicious word" in page.locator("#status").inner_text()
    word = page.locator(".word").first
    assert word.get_attribute("aria-label").endswith("; choose another word")
    page.get_by_role("button", name="中文").click()  # what is there changes its language
    assert page.locator("h1").inner_text() == "改错与填空"
    assert "处可疑" in page.locator("#status").inner_text()
    assert word.get_attribute("aria-label").endswith("；选择别的词")
    assert page.get_by_role("button", name="采用").count() > 0


@pytest.mark.parametrize("width", [390, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_readable_everywhere(open_page, width, scheme):
    page = open_page(width, color_scheme=scheme)
    page.locator("#text").fill("天地日月\n天[MASK]")
    page.wait_for_selector("article >> nth=1")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    ratio, text = least_contrast(page)
    assert ratio >= 4.5, text


def test_it_fits_a_phone_and_every_control_has_a_name(page):
    page.locator("#text").fill("天地日月" * 20 + "\n" + "[MASK]" * 9)
    page.wait_for_selector("article >> nth=1")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    unnamed = page.evaluate(
        """[...document.querySelectorAll("button, input, textarea")].filter(
            (node) => !(node.labels && node.labels.length) && !node.textContent.trim()).length"""
    )
    assert unnamed == 0


def test_a_server_that_is_gone_is_told(server, browser):
    page = browser.new_page(locale="zh-CN")
    page.goto(server.address)
    page.route("**/api/predict", lambda route: route.abort())
    page.locator("#text").fill("天")
    page.wait_for_selector("#status.error")
    assert "连不上" in page.locator("#status").inner_text()
    page.close()
