"""TensorFlow's log lines do not reach the terminal; everything else does."""

import os
import subprocess
import sys

import pytest

from pretrain.runtime.tensorflow import is_version_1

# Lines as TensorFlow 2.x and 1.15 write them, with what C++ and Python say besides.
SCRIPT = r"""
import os, sys
from pretrain.runtime.quiet import quiet
quiet()
for line in (
    "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR",
    "I0000 00:00:1795671762.094705   28290 port.cc:153] oneDNN custom operations are on.",
    "W0000 00:00:1795671762.094705   28290 computation_placer.cc:177] already registered",
    "E0000 00:00:1795671762.094705   28290 cuda_dnn.cc:8579] Unable to register cuDNN factory: x",
    "2026-11-26 05:42:02.123456: I tensorflow/core/platform/cpu_feature_guard.cc:142] AVX2",
    "2026-11-26 05:42:02.123456: E tensorflow/x/util.cc:131] oneDNN supports DT_STRING only on x",
    "2026-11-26 05:42:02.123456: E external/cuda_dnn.cc:9261] Unable to register cuDNN factory: x",
    "2026-11-26 05:42:02.123456: E tensorflow/x/cuda_driver.cc:1] failed call to cuInit: x",
    "E0000 00:00:1795671762.094705   28290 gpu.cc:1] a real error",
    "2026-11-26 05:42:02.123456: E tensorflow/x/gpu.cc:1] another real error",
    "2026-11-26 05:42:02.123456: F tensorflow/x.cc:1] Check failed",
    "Illegal instruction",
):
    os.write(2, line.encode() + b"\n")
print("of Python", file=sys.stderr)
os.write(2, b"the last words")
os.abort()
"""


def said(script, **more):
    environment = {n: v for n, v in os.environ.items() if n != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        env={**environment, **more},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stderr


def test_noise_is_dropped_and_the_rest_passed_on_even_by_a_process_that_aborts():
    text = said(SCRIPT)
    assert sorted(text.replace("of Python\n", "").splitlines()) == [
        "2026-11-26 05:42:02.123456: E tensorflow/x/gpu.cc:1] another real error",
        "2026-11-26 05:42:02.123456: F tensorflow/x.cc:1] Check failed",
        "E0000 00:00:1795671762.094705   28290 gpu.cc:1] a real error",
        "Illegal instruction",
        "the last words",
    ]
    assert "of Python\n" in text


@pytest.mark.parametrize("level", ["0", "1"])
def test_who_asks_for_it_sees_it(level):
    text = said(SCRIPT, TF_CPP_MIN_LOG_LEVEL=level)
    assert len(text.splitlines()) == 14


def test_a_command_says_nothing_of_tensorflow():
    script = "from pretrain.runtime.tensorflow import tf\nprint(tf.constant(1) + tf.constant(1))"
    assert said(script) == ""
    # The program has a stderr of its own, which outlives its reader.
    lines = ["from data_gen.shared.console import run_program", "import sys", script.split("\n")[0]]
    lines += [
        "def main():",
        "    tf.constant(1) + tf.constant(1)",
        "    print('said', file=sys.stderr)",
    ]
    assert said("\n".join([*lines, "run_program(main)"])) == "said\n"
    if not is_version_1():
        assert "oneDNN" in said(script, TF_CPP_MIN_LOG_LEVEL="0")
