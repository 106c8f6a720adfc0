"""The generator of google-research/bert, `create_pretraining_data.py`, on the same text."""

import os
import shutil
import subprocess
from typing import Iterable, List, NamedTuple

from data_gen.config import DataConfig
from data_gen.jobs.benchmark.child import child_seconds
from data_gen.shared.errors import UserError

SCRIPT = "create_pretraining_data.py"


class GoogleGenerator(NamedTuple):
    """Google's generator and what runs it."""

    folder: str  # a copy of google-research/bert
    python: str  # a Python with TensorFlow 1.15


def require_generator(generator: GoogleGenerator) -> None:
    """Raise UserError if there is no such script or no such program."""
    script = os.path.join(generator.folder, SCRIPT)
    if not os.path.isfile(script):
        raise UserError(f"there is no {script}: give a copy of google-research/bert")
    if not shutil.which(generator.python):
        raise UserError(f"there is no program {generator.python}: name a Python 3.7")


def write_documents(documents: Iterable[List[str]], path: str) -> None:
    """Write text as Google's script reads it: a sentence a line, a blank line after a document."""
    with open(path, "w", encoding="utf-8", newline="\n") as handle:
        for sentences in documents:
            handle.writelines(f"{sentence}\n" for sentence in (*sentences, ""))


def google_seconds(generator: GoogleGenerator, config: DataConfig, text: str, folder: str) -> float:
    """Return the CPU seconds of Google's generator, start-up included. It masks whole words: what
    its own tokenizer cut into `##` pieces.

    Raises UserError where it fails.
    """
    output = os.path.join(folder, "google.tfrecord")
    flags = {
        "input_file": os.path.abspath(text),
        "output_file": os.path.abspath(output),
        "vocab_file": os.path.abspath(config.vocab_file),
        "do_lower_case": config.do_lower_case,
        "do_whole_word_mask": True,
        "max_seq_length": config.max_seq_length,
        "max_predictions_per_seq": config.predictions,
        "masked_lm_prob": config.masked_lm_prob,
        "dupe_factor": config.dupe_factor,
        "short_seq_prob": config.short_seq_prob,
        "random_seed": config.random_seed,
    }
    command = [generator.python, os.path.join(os.path.abspath(generator.folder), SCRIPT)]
    command += [
        f"--{name}={str(value).lower() if value is True or value is False else value}"
        for name, value in flags.items()
    ]
    try:
        seconds = child_seconds(command)
    except subprocess.CalledProcessError as error:
        lines = error.stderr.decode(errors="replace").split("\n")
        last = next((line for line in reversed(lines) if line.strip()), "it says nothing")
        raise UserError(
            f"{command[1]} ended with code {error.returncode} (it takes a Python with TensorFlow "
            f"1.15): {last.strip()}"
        ) from error
    if not os.path.isfile(output) or not os.path.getsize(output):
        raise UserError(f"{command[1]} wrote no records: is it google-research/bert's?")
    return seconds
