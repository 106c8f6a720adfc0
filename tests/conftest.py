"""What all tests share."""

import os
import shutil
import tempfile

import pytest

try:
    from hypothesis import settings
except ImportError:  # the tests that need it say so themselves
    pass
else:
    settings.register_profile("repeatable", derandomize=True, deadline=None)
    settings.load_profile("repeatable")
from data_gen.shared.settings import load_settings
from tests.browser import CHROMIUM

# The user's own cache is neither read nor written.
CACHE = os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp(prefix="cache-")

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def pytest_unconfigure():
    """Delete the cache of this process."""
    shutil.rmtree(CACHE, ignore_errors=True)


@pytest.fixture(scope="session")
def root():
    """The repository: settings files name their vocabulary relative to it."""
    return ROOT


@pytest.fixture(autouse=True)
def _in_the_repository(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium of the system, driven by the package playwright."""
    playwright = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM:
        pytest.skip("there is no chromium")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def default_settings(schema, overrides=()):
    """The settings `schema` with its defaults and `key=value` overrides."""
    return load_settings(schema, os.path.join(ROOT, "tests", "data", "defaults.yaml"), overrides)
