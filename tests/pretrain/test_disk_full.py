"""A full disk: the output is named, nothing half-written is left, and later the command works."""

import os
import subprocess
import sys

import pytest

from pretrain.__main__ import main
from tests.pretrain.helpers import DATA
from tests.pretrain.report.helpers import step_lines, write_run
from tests.pretrain.small_model import write_model

resource = pytest.importorskip("resource")


def failed(capsys, output):
    """Check that a command said one sentence, which names the output and what to do."""
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert errors[0].startswith(f"error: cannot write {output}")
    assert errors[0].endswith("make room there")


COMMANDS = {
    "export": ["export", "--format", "tf1", "--model"],
    "export hf": ["export", "--format", "hf", "--model"],
    "import": ["import", "--from", "tf1"],
    "vocab": ["vocab", "extend", "--pieces", "星", "--model"],
}


@pytest.mark.parametrize(
    ("name", "most"),
    [
        *(("export", 0), ("export", 100), ("export", 1500), ("import", 100), ("import", 1500)),
        *(("export hf", 100), ("export hf", 1500), ("vocab", 1500)),
    ],
)
def test_a_new_folder(tmp_path, files_up_to, capsys, name, most):
    if name in ("export hf", "vocab"):
        pytest.importorskip("tokenizers")
    model, output = write_model(tmp_path / "model"), str(tmp_path / "out")
    command = [*COMMANDS[name], model, "--output", output]
    files_up_to(most)
    assert main(command) == 1
    files_up_to(resource.RLIM_INFINITY)
    failed(capsys, output)
    assert os.listdir(str(tmp_path)) == ["model"]
    assert main(command) == 0


@pytest.mark.parametrize("form", ["html", "svg"])
def test_a_report(tmp_path, files_up_to, capsys, form):
    run, output = write_run(tmp_path / "run", step_lines(100)), str(tmp_path / f"page.{form}")
    command = ["report", str(run), f"--{form}", output]
    files_up_to(1500)
    assert main(command) == 1
    files_up_to(resource.RLIM_INFINITY)
    failed(capsys, output)
    assert os.listdir(str(tmp_path)) == ["run"]
    assert main(command) == 0


def test_predictions_into_a_file(tmp_path):
    """The lines that were written are whole but for the last; the exit code says that some lack."""
    pytest.importorskip("tokenizers")
    model, text = write_model(tmp_path / "model"), tmp_path / "text.txt"
    text.write_text("天[MASK]人。\n" * 40, encoding="utf-8")
    output = tmp_path / "out.jsonl"

    def predict(most):
        command = [sys.executable, "-m", "pretrain", "predict", "--model", model, "--json"]
        with open(str(output), "wb") as handle:
            return subprocess.run(
                [*command, "--input", str(text)],
                stdout=handle,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                check=False,
                preexec_fn=lambda: resource.setrlimit(
                    resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY)
                ),
            )

    result = predict(9000)
    errors = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert result.returncode == 1
    assert errors == [f"error: cannot write {output}: File too large: make room there"]
    part = output.read_bytes()
    assert predict(resource.RLIM_INFINITY).returncode == 0
    assert output.read_bytes().startswith(part)
    assert output.read_bytes().count(b"\n") == 40


@pytest.mark.parametrize("most", [100, 3000, 100_000])
def test_a_training(tmp_path, model_file, files_up_to, capsys, most):
    output = str(tmp_path / "out")
    sets = [f"bert_config_file={model_file}", "train_batch_size=8", "num_train_steps=2"]
    command = ["train", "--config", "tests/data/defaults.yaml", "--data", DATA, "--output", output]
    command += [word for setting in [*sets, "num_warmup_steps=1"] for word in ("--set", setting)]
    files_up_to(most)
    assert main(command) == 1
    files_up_to(resource.RLIM_INFINITY)
    failed(capsys, output)
    left = os.listdir(output) if os.path.isdir(output) else []
    assert not [n for n in left if "ckpt" in n or "partial" in n or n == ".lock"], left
    assert main(command) == 0
