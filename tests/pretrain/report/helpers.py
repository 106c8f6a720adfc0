"""Folders as `train` writes them, with the figures that are wanted."""

import dataclasses
import json

from pretrain.config import TrainConfig

HELD = {
    "examples": 719,
    "masked_pieces": 12817,
    "masked_pieces_by_kind": {"replaced": 11000, "kept": 1817},
    "masked_lm_accuracy_by_kind": {"replaced": 0.25, "kept": 0.75},
    "pair_task": "sop",
    "pair_confusion": [[342, 0], [377, 0]],
    "cls_vector": {"spread": 0.1, "length": 0.6, "share": 0.17},
}
DATA = {
    "max_seq_length": 128,
    "masked_lm_prob": 0.15,
    "masked": 0.1496,
    "documents": 3092,
    "pieces": 1730000,
    "segmenter": "ltp <legacy>",
    "ngrams": {"1": 0.4, "2": 0.3, "3": 0.2, "4": 0.1},
}


def step_lines(steps, **more):
    """Lines of metrics.jsonl, every 10 steps; the loss is 10 divided by the number of the line."""
    return [
        {
            "step": 10 * n,
            "loss": 10 / n + 0.7,
            "masked_lm_loss": 10 / n,
            "pair_loss": 0.7,
            "learning_rate": 1e-4,
            "tokens_per_second": 2048,
            "examples_per_second": 16.0,
            "utilisation": 0.5,
            **more,
        }
        for n in range(1, steps // 10 + 1)
    ]


def held_lines(*steps, **more):
    """Lines of evaluations.jsonl."""
    figures = {"masked_lm_loss": 5.0, "masked_lm_accuracy": 0.3, "pair_accuracy": 0.5}
    return [{"step": step, **HELD, **figures, **more} for step in steps]


def write_run(folder, steps=None, held=None, data=(DATA,), about=None, **settings):
    """Write a training. Returns its folder as text.

    about: the whole run.json instead; False: none
    settings: those that differ from the default
    """
    folder.mkdir(parents=True)
    defaults = {"num_train_steps": 100, "num_warmup_steps": 10, "train_batch_size": 16}
    config = TrainConfig(**{**defaults, **settings})
    described = {
        "config": dataclasses.asdict(config),
        "model": {"num_hidden_layers": 2, "hidden_size": 128},
        "data": [f"{n:064d}" for n in range(len(data))],
        "data_statistics": list(data),
        "init_checkpoint": None,
        "git_revision": "0123456789abcdef",
    }
    if about is not False:
        (folder / "run.json").write_text(json.dumps(described if about is None else about))
    for name, lines in (("metrics", steps), ("evaluations", held)):
        if lines is not None:
            text = "".join(json.dumps(line) + "\n" for line in lines)
            (folder / f"{name}.jsonl").write_text(text)
    return str(folder)
