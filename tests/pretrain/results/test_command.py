import json
import subprocess
import sys

import pytest

from pretrain.__main__ import main
from tests.pretrain.results.helpers import drawn, write_classification


@pytest.fixture
def two(tmp_path):
    return [
        write_classification(tmp_path / name, drawn(i, 3, 400, accuracy), model=name)
        for i, (name, accuracy) in enumerate((("none", 0.7), ("全词", 0.85)))
    ]


def test_models_side_by_side(two, capsys):
    assert main(["results", *two]) == 0
    output = capsys.readouterr().out.splitlines()
    assert output[0].split() == ["model", "chnsenticorp"]
    assert [line.split()[0] for line in output[1:3]] == ["none", "全词"]
    assert sum("全词 is better than none by" in line for line in output) == 1


def test_markdown_and_one_folder(two, capsys):
    assert main(["results", two[1], "--markdown"]) == 0
    assert "| max (mean) +- sd | " in capsys.readouterr().out


def test_json(two, capsys):
    assert main(["results", *two, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [entry["model"] for entry in found["results"]] == ["none", "全词"]
    assert found["results"][0]["seeds"]["2"]["accuracy"] == pytest.approx(0.7, abs=0.05)
    (comparison,) = found["comparisons"]
    assert comparison["claimed"] is True
    assert comparison["over_examples"]["n"] == 400


def test_a_part_that_is_not_there(two, capsys):
    assert main(["results", *two, "--part", "dev"]) == 1
    assert "not all models have scores of dev" in capsys.readouterr().err


def test_needs_no_tensorflow(two):
    code = (
        "import sys; from pretrain.__main__ import main; "
        "assert main(['results', *sys.argv[1:]]) == 0; assert 'tensorflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, *two], check=True, stdout=subprocess.DEVNULL)
