"""Folders as `finetune` writes them, with scores that are drawn or given."""

import json

import numpy as np


def write_classification(folder, right, task="chnsenticorp", model="none", **about):
    """Write the results of runs whose examples are right (1) or not (0).

    right: {seed: [0, 1, ...]}, or a list for seeds 1, 2, ...
    """
    by_seed = right if isinstance(right, dict) else dict(enumerate(right, 1))
    lines = {
        seed: [
            {"id": str(i), "label": "1", "predicted": str(int(r)), "right": int(r)}
            for i, r in enumerate(row)
        ]
        for seed, row in by_seed.items()
    }
    scores = {
        seed: {"accuracy": float(np.mean(row)), "macro_f1": 0.5, "matthews": -0.25}
        for seed, row in by_seed.items()
    }
    return write(folder, lines, scores, task, model, ["accuracy", "macro_f1", "matthews"], **about)


def write_spans(folder, pairs, task="cmrc2018", model="none", **about):
    """Write the results of runs on a span task. pairs: for seeds 1, 2, ... [(EM, F1), ...]."""
    lines = {
        seed: [
            {"id": f"Q{i}", "text": "答案", "exact_match": em, "f1": f1}
            for i, (em, f1) in enumerate(row)
        ]
        for seed, row in enumerate(pairs, 1)
    }
    scores = {
        seed: dict(zip(("exact_match", "f1"), np.mean(row, axis=0).tolist()))
        for seed, row in enumerate(pairs, 1)
    }
    return write(folder, lines, scores, task, model, ["exact_match", "f1"], **about)


def write(
    folder,
    lines,
    scores,
    task,
    model,
    measures,
    part="test",
    chosen_on="dev",
    sha256="abc",
    runs=None,
    **changes,
):
    """Write `results.json` and the predictions of one part. Returns the folder as text."""
    folder.mkdir(parents=True)
    content = {
        "format": 1,
        "task": task,
        "model": {"name": model, "layers": 4, "hidden_size": 256},
        "settings": {"learning_rate": 1e-4, "runs": runs or len(scores)},
        "measures": measures,
        "chosen_on": chosen_on,
        "labels": ["0", "1"],
        "parts": {
            name: {"examples": 4, "sha256": sha256}
            for name in {"train", part, *([chosen_on] if chosen_on else [])}
        },
        "runs": [
            {"seed": seed, "epochs": [], "best_epoch": 1, part: of_run, "cpu_seconds": 1.5}
            for seed, of_run in scores.items()
        ],
    }
    (folder / "results.json").write_text(json.dumps({**content, **changes}), encoding="utf-8")
    for seed, rows in lines.items():
        (folder / f"run-{seed}").mkdir()
        path = folder / f"run-{seed}" / f"predictions-{part}.jsonl"
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        path.write_text(text, encoding="utf-8")
    return str(folder)


def drawn(seed, runs, examples, accuracy):
    """Draw runs of about this accuracy, all on the same examples of unequal hardness."""
    rng = np.random.RandomState(seed)
    hardness = np.random.RandomState(99).normal(size=examples)
    limit = np.quantile(hardness, accuracy)
    return [(hardness + rng.normal(size=examples) * 0.2 < limit).astype(int) for _ in range(runs)]
