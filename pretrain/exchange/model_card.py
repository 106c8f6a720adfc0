"""Write the README.md of an exported model: its size, its training, its data, its scores.

All facts are read from the files of the training; unknown facts are left out.
"""

import os
from typing import Any, Dict, List, Sequence

import numpy as np

from data_gen.shared.dataset.pair_labels import PAIR_LABELS
from pretrain.checkpoint.folder import EVALUATIONS, METRICS, read_journal, read_run
from pretrain.exchange.forms import loads_as
from pretrain.exchange.release import Release
from pretrain.exchange.task_card import measured, task_rows
from pretrain.learning.objective import Objective
from pretrain.learning.objectives import OBJECTIVES
from pretrain.learning.spread import collapse, spread_rows
from pretrain.model.activations import ACTIVATIONS, from_hugging_face

_ROWS = 12  # of the table of a curve
_SETTINGS = (
    *("optimizer", "learning_rate", "schedule", "train_batch_size", "num_train_steps"),
    *("num_warmup_steps", "weight_decay", "clip_norm", "precision", "random_seed"),
)
_OF_STAGE = (
    *("max_seq_length", "train_batch_size", "learning_rate", "num_train_steps"),
    "num_warmup_steps",
)
_COUNTS = ("documents", "sentences", "words", "pieces", "characters", "instances")


def model_card(release: Release, name: str) -> str:
    """Return the text of the README.md of a model called `name`."""
    run, objective = read_run(release.folder), OBJECTIVES[release.settings.objective]
    data = run.get("data_statistics", [])
    sections = [
        _front_matter(release, data),
        f"# {name}\n\n{_model(release)}",
        _use(release, data),
        _training(release, run),
        _data(run, data),
        _task(release) if release.form.of_task else _evaluation(release, objective),
        _curve(release, objective),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _lines(release: Release, name: str) -> List[Dict[str, Any]]:
    """Read the lines of a journal up to the step of the release, if that is known."""
    lines = read_journal(release.folder, name)
    return [line for line in lines if release.step is not None and line["step"] <= release.step]


def _front_matter(release: Release, data: Sequence[Dict[str, Any]]) -> str:
    tags = [release.config.model_type, "chinese"]
    masking = [stage["masking"] for stage in data if "masking" in stage]
    if masking and all(each["selector"] != "piece" for each in masking):
        tags.append("whole-word-masking")
    kinds = [stage.get("kinds_by_piece") or {} for stage in data]
    if kinds and all(each.get("similar") for each in kinds):
        tags.append("mlm-as-correction")
    lines = ["language: zh", "library_name: transformers"]
    lines += [f"pipeline_tag: {release.form.pipeline.task}", "tags:"]
    return "\n".join(["---", *lines, *(f"- {tag}" for tag in tags), "---"])


def _model(release: Release) -> str:
    config = release.config
    count = sum(int(np.prod(array.shape)) for array in release.weights.values())
    step = f", after {release.step:,} steps of training" if release.step else ""
    return (
        f"{_KINDS[config.model_type]} of {config.num_hidden_layers} layers, hidden size "
        f"{config.hidden_size}, "
        f"{config.num_attention_heads} attention heads and {config.vocab_size:,} pieces "
        f"({count / 1e6:,.1f} million weights){step}. It reads up to "
        f"{config.max_position_embeddings} pieces."
    )


_KINDS = {"bert": "A BERT", "electra": "An ELECTRA"}


def _use(release: Release, data: Sequence[Dict[str, Any]]) -> str:
    loads, pipeline = loads_as(release.form, release.weights), release.form.pipeline
    lines = ["## Use", ""]
    if pipeline.needs in loads:
        lines += ["```python", *pipeline.code, "```", ""]
    kinds: Any = [stage.get("kinds_by_piece") for stage in data]
    if kinds and all(each and "similar" in each and "mask" not in each for each in kinds):
        lines += [
            "In its training text words were replaced by similar words instead of `[MASK]`: it "
            "proposes a piece for every position, not only for `[MASK]`.",
            "",
        ]
    lines.append(f"It loads as {', '.join(f'`{name}`' for name in loads)}. ")
    ours = release.config.hidden_act
    theirs = ACTIVATIONS[ours].hugging_face[0]
    if theirs != ours and ours in from_hugging_face():
        lines[-1] += (
            f"`hidden_act` is `{theirs}`, with which it was trained; `{ours}` would be another "
            "function."
        )
    return "\n".join(lines).strip()


def _training(release: Release, run: Dict[str, Any]) -> str:
    config = run.get("config")
    if not config:
        return ""
    stages = config.get("stages") or []
    rows = [(name, config[name]) for name in _SETTINGS if config.get(name) is not None]
    if stages:
        rows = [row for row in rows if row[0] not in _OF_STAGE]
    for number, stage in enumerate(stages, 1):
        values = {n: config.get(n) if stage.get(n) is None else stage[n] for n in _OF_STAGE}
        text = ", ".join(f"{n} {value}" for n, value in values.items() if value is not None)
        rows.append((f"stage {number}", text))
    if not release.form.of_task:
        rows.append(("pair task", _pair_task(config.get("pair_task"))))
    if run.get("init_checkpoint"):
        rows.append(("started from", os.path.basename(run["init_checkpoint"])))
        rows.append(("its index's sha256", run.get("init_sha256")))
    if release.step:
        rows.append(("exported after step", f"{release.step:,}"))
    if run.get("git_revision"):
        rows.append(("revision of the code", run["git_revision"]))
    rows += [(name, version) for name, version in run.get("versions", {}).items()]
    return "## Training\n\n" + _table(["setting", "value"], rows)


def _pair_task(name: Any) -> str:
    labels = PAIR_LABELS.get(name)
    if not labels:
        return "not trained" if name in PAIR_LABELS else str(name)
    return f"{name} (label 0: {labels[0]}, label 1: {labels[1]})"


def _data(run: Dict[str, Any], data: Sequence[Dict[str, Any]]) -> str:
    parts = []
    for i, fingerprint in enumerate(run.get("data", [])):
        rows = [("fingerprint", f"`{fingerprint}`")]
        if i < len(data):
            rows += _data_rows(data[i])
        parts.append(_table([f"data set {i + 1}", ""], rows))
    return "## Data\n\n" + "\n\n".join(parts) if parts else ""


def _data_rows(stage: Dict[str, Any]) -> List[Any]:
    rows = [(name, f"{stage[name]:,}") for name in _COUNTS if name in stage]
    for name in ("max_seq_length", "dupe_factor", "masked_lm_prob", "segmenter"):
        if stage.get(name) is not None:
            rows.append((name, stage[name]))
    masking = stage.get("masking", {})
    for name in ("selector", "ngram_weights", "corruption", "corruption_unit"):
        if name in masking:
            rows.append((f"masking.{name}", masking[name]))
    for name, text in (
        ("masked", "masked share of the pieces"),
        ("unknown_pieces", "share of [UNK]"),
    ):
        if name in stage:
            rows.append((text, f"{stage[name]:.2%}"))
    for name, text in (("ngrams", "words of a masked n-gram"), ("kinds_by_piece", "put there")):
        if name in stage:
            shares = ", ".join(f"{key}: {share:.1%}" for key, share in stage[name].items())
            rows.append((text, shares))
    return rows


def _task(release: Release) -> str:
    """Return the task of a fine-tuned model and its measures."""
    parts, rows = ["## Task"], task_rows(release)
    if rows:
        parts.append(_table(["", ""], rows))
    sentence, head, figures = measured(release)
    if figures:
        parts += [sentence, _table(head, figures)]
    return "\n\n".join(parts) if len(parts) > 1 else ""


def _evaluation(release: Release, objective: Objective) -> str:
    lines = _lines(release, EVALUATIONS)
    if not lines:
        return ""
    last = lines[-1]
    rows = [*objective.evaluation.card_rows(last), *spread_rows(last)]
    return "\n\n".join(
        [
            f"## Evaluation\n\nOn {last['examples']:,} held-out examples, after step "
            f"{last['step']:,}:",
            _table(["measure", "value"], rows),
            *collapse(last),
        ]
    )


def _curve(release: Release, objective: Objective) -> str:
    lines = _lines(release, METRICS)
    if not lines:
        return ""
    chosen = sorted({round(i) for i in np.linspace(0, len(lines) - 1, min(_ROWS, len(lines)))})
    titles = {**objective.loss_titles, "learning_rate": "learning rate"}
    names = [name for name in titles if name in lines[-1]]
    rows = [[f"{lines[i]['step']:,}", *(f"{lines[i][name]:.4g}" for name in names)] for i in chosen]
    return "## Curve\n\nMeans of the training since the line before in its log:\n\n" + _table(
        ["step", *(titles[name] for name in names)], rows
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
