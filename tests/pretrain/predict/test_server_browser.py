"""The page in a browser: needs the package playwright and a Chromium."""

import shutil
import threading

import pytest

pytest.importorskip("tokenizers")
pytest.importorskip("playwright.sync_api")

from playwright.sync_api import sync_playwright

from pretrain.checkpoint.load import load_model
from pretrain.predict.correct import Threshold
from pretrain.predict.predictor import Predictor
from pretrain.predict.server import Server
from pretrain.text.tokenizer import load_tokenizer
from tests.pretrain.small_model import write_model

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="there is no chromium")


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


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(server, browser):
    """The page on a phone; what it complains of fails the test, and so does what it loads from
    elsewhere.
    """
    context = browser.new_context(viewport={"width": 360, "height": 700})
    page = context.new_page()
    wrong, requested = [], []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: requested.append(request.url))
    page.goto(server.address)
    # The page has the cursor in its text field; a browser may take a moment to put it there.
    page.wait_for_function("document.hasFocus() && document.activeElement.id === 'text'")
    yield page
    assert wrong == []
    assert all(url.startswith((server.address, "data:,")) for url in requested)
    context.close()


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
    assert page.locator("#ratio-value").inner_text() == "≥ 10000 倍"


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
    page = browser.new_page()
    page.goto(server.address)
    page.route("**/api/predict", lambda route: route.abort())
    page.locator("#text").fill("天")
    page.wait_for_selector("#status.error")
    assert "连不上" in page.locator("#status").inner_text()
    page.close()
