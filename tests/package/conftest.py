"""A wheel of this project, installed beside the packages of this Python."""

import os
import shutil
import subprocess
import sys
import zipfile

import pytest

from tests.conftest import ROOT


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """Build the wheel. Returns its path."""
    return build_wheel(tmp_path_factory.mktemp("source"))


def build_wheel(source, **environment):
    """Build the wheel from a copy of the sources. Returns its path."""
    pytest.importorskip("build")
    for name in ("configs", "data_gen", "pretrain"):
        ignored = shutil.ignore_patterns("__pycache__", "*.so")
        shutil.copytree(os.path.join(ROOT, name), source / name, ignore=ignored)
    for name in ("setup.cfg", "setup.py", "pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(os.path.join(ROOT, name), source)
    command = [sys.executable, "-m", "build", "--no-isolation", "--wheel", str(source)]
    environment = {**os.environ, **environment}
    made = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert made.returncode == 0, made.stdout + made.stderr
    (path,) = (source / "dist").iterdir()
    return str(path)


@pytest.fixture(scope="session")
def names(wheel):
    """The names of the files of the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


class Installed:
    """The wheel's files, and an empty folder far from any clone."""

    def __init__(self, site, empty):
        self.site, self.empty = str(site), empty
        self.environment = {**os.environ, "PYTHONPATH": self.site, "PYTHONWARNINGS": "ignore"}

    def run(self, *command, folder=None, **options):
        """Run a command in the empty folder. Returns the process, finished."""
        options = {"check": False, "text": True, "capture_output": True, **options}
        environment = {**self.environment, **options.pop("env", {})}
        return subprocess.run(command, cwd=folder or self.empty, env=environment, **options)

    def python(self, *arguments, **options):
        """Run this Python in the empty folder."""
        return self.run(sys.executable, *arguments, **options)


@pytest.fixture(scope="session")
def installed(wheel, tmp_path_factory):
    """Install the wheel into a folder, without its dependencies, which this Python has."""
    folder = tmp_path_factory.mktemp("installed")
    site = folder / "site"
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index"]
    subprocess.run([*command, "--target", str(site), wheel], check=True, capture_output=True)
    (folder / "empty").mkdir()
    made = Installed(site, folder / "empty")
    said = made.python("-c", "import data_gen, pretrain; print(data_gen.__file__)").stdout
    assert said.startswith(made.site), said
    return made
