"""The commands of the pages, run in order on a small text with a small model."""

import shutil

import pytest

pytest.importorskip("tensorflow")
pytest.importorskip("rjieba")
pytest.importorskip("sentencepiece")
from tests.docs_commands import ours
from tests.docs_pages import commands, original_of, pages
from tests.docs_world import World, make_inputs, make_model, runnable

# A translation has the commands of its original; the README is run first, for all.
PAGES = [
    page
    for page in pages()
    if page != "README.md" and not original_of(page) and any(map(runnable, commands(page)))
]


def run(page, world):
    for command in filter(runnable, commands(page)):
        try:
            world.run(ours(command.words))
        except AssertionError as error:
            pytest.fail(f"{command}\n{error}")


def test_most_commands_are_run():
    ran = sum(sum(map(runnable, commands(page))) for page in [*PAGES, "README.md"])
    assert ran >= 45


@pytest.fixture(scope="module")
def after_the_readme(tmp_path_factory):
    """A folder after all commands of the README."""
    folder = tmp_path_factory.mktemp("readme")
    make_inputs(str(folder))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        make_model(World(str(folder)))
        run("README.md", World(str(folder)))
    return folder


def test_the_readme_ends_with_a_release(after_the_readme):
    release = after_the_readme / "work" / "release"
    assert (release / "model.safetensors").exists()
    assert (after_the_readme / "work" / "data-heldout" / "dataset.json").exists()


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page_run_one_after_the_other(
    page, after_the_readme, tmp_path, monkeypatch
):
    folder = tmp_path / "page"
    shutil.copytree(after_the_readme, folder)
    monkeypatch.chdir(folder)
    run(page, World(str(folder)))


def test_a_command_that_fails_is_named_with_what_it_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AssertionError, match=r"error: .*none"):
        World(str(tmp_path)).run(["data_gen", "stats", "none"])
