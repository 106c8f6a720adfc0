"""One run: train from one seed, choose the epoch, score the test part.

RUN/model.ckpt-*             one checkpoint an epoch; of a finished run the chosen one, without
                             the optimizer's slots
RUN/predictions-dev.jsonl    of the chosen epoch, a line for each example; -test the same
RUN/nbest-dev.json           of span extraction
RUN/result.json              the measures; written last
"""

import json
import os
import time
from typing import Any, Dict, List, NamedTuple, Optional

from pretrain.checkpoint import store
from pretrain.checkpoint.folder import (
    EVALUATIONS,
    MODEL,
    RESULT,
    VOCAB,
    read_journal,
    write_json,
)
from pretrain.checkpoint.load import load_model
from pretrain.config import TrainConfig
from pretrain.finetune.config import FinetuneSettings
from pretrain.finetune.features import Features, Part, steps_per_epoch
from pretrain.finetune.kinds import Predictions
from pretrain.finetune.scorer import Scorer
from pretrain.model.bert import Variables
from pretrain.model.config import BertConfig
from pretrain.runtime import files
from pretrain.runtime.devices import one_device
from pretrain.runtime.log import log
from pretrain.runtime.tensorflow import Strategy
from pretrain.tasks.tasks import TASKS
from pretrain.train.loop import Training, train


class Setup(NamedTuple):
    """The facts that all runs share."""

    features: Features
    settings: FinetuneSettings
    base: str  # folder with the bert_config.json and the vocab.txt of the model
    init: Optional[str]  # prefix of the checkpoint to start from; None: random weights

    @property
    def objective(self) -> str:
        """The name of the task's objective."""
        return TASKS[self.features.task].objective

    def config(self, seed: int) -> TrainConfig:
        """Return the training that the run of a seed is."""
        steps = steps_per_epoch(self.features.info("train"), self.settings.train_batch_size)
        return self.settings.training(
            self.objective,
            self.features.labels,
            steps,
            seed,
            os.path.join(self.base, MODEL),
            os.path.join(self.base, VOCAB),
        )

    def scorer(
        self, strategy: Strategy, variables: Variables, model: BertConfig, part: Part
    ) -> Scorer:
        """Return what scores a part with these variables."""
        labels = self.features.labels
        return Scorer(strategy, variables, model, self.objective, labels, part, self.settings)


def run(
    setup: Setup, seed: int, folder: str, inside: Optional[Training] = None
) -> Optional[Dict[str, Any]]:
    """Fine-tune from one seed, going on where an earlier call was stopped. Returns the content of
    result.json; None if SIGTERM came before the end.

    The epoch is chosen by the task's first measure on dev, of equal ones the first; without a dev
    part the last epoch counts. The test part is scored once, with the chosen epoch.

    inside: a training in progress that this is a probe of
    """
    path = os.path.join(folder, RESULT)
    if files.exists(path):
        found: Dict[str, Any] = json.loads(files.read_text(path))
        _keep_weights(folder, found["best_step"])
        return found
    start, config = time.process_time(), setup.config(seed)
    dev = setup.features.part("dev")
    measure = _Dev(setup, dev, folder) if dev else None
    data = os.path.join(setup.features.folder, "train")
    last = train(config, [data], folder, setup.init, measure=measure, inside=inside)
    if last is None:
        return None
    epochs = _epochs(folder, config.save_checkpoints_steps)
    best = (
        _best(setup.features.task, epochs) * config.save_checkpoints_steps
        if epochs
        else config.resolved_stages()[-1].last_step
    )
    result: Dict[str, Any] = {"seed": seed, "epochs": epochs, "best_step": best}
    result["best_epoch"] = best // config.save_checkpoints_steps
    if epochs:
        result["dev"] = epochs[result["best_epoch"] - 1]["dev"]
        _keep_predictions(folder, best)
    figures = _score_test(setup, folder, best)
    if figures:
        result["test"] = figures
    result["cpu_seconds"] = round(time.process_time() - start, 1)
    write_json(path, result)
    _keep_weights(folder, best)  # last: without slots the training could not go on
    return result


class _Dev:
    """Scores the dev part after an epoch; an argument of `train`."""

    def __init__(self, setup: Setup, part: Part, folder: str) -> None:
        self._setup, self._part, self._folder = setup, part, folder
        self._scorer: Optional[Scorer] = None

    def __call__(self, training: Training) -> Dict[str, Any]:
        setup = self._setup
        if self._scorer is None:
            variables, model = training.state.variables, training.model
            self._scorer = setup.scorer(training.strategy, variables, model, self._part)
        predictions, figures = self._scorer()
        _write_predictions(self._folder, f"dev-{training.step}", predictions)
        log(f"step {training.step:,}, dev: {in_words(setup.features.task, figures)}")
        return {"dev": figures}


def in_words(task: str, figures: Dict[str, Any]) -> str:
    """Return a task's measures in percent."""
    names = TASKS[task].measures
    return ", ".join(f"{name} {figures[name]:.2%}" for name in names if name in figures)


def _epochs(folder: str, steps: int) -> List[Dict[str, Any]]:
    """Read the measures on dev after each epoch."""
    return [
        {"epoch": line["step"] // steps, "dev": line["dev"]}
        for line in read_journal(folder, EVALUATIONS)
        if "dev" in line and line["step"] % steps == 0
    ]


def _best(task: str, epochs: List[Dict[str, Any]]) -> int:
    """Return the best epoch, from 1."""
    name = TASKS[task].measures[0]
    scores = [epoch["dev"].get(name, 0.0) for epoch in epochs]
    epoch: int = epochs[scores.index(max(scores))]["epoch"]
    return epoch


def _score_test(setup: Setup, folder: str, step: int) -> Dict[str, Any]:
    """Score the test part with the weights after a step; nothing without a test part, or if the
    part has no labels: then there are predictions alone.
    """
    part = setup.features.part("test")
    if part is None:
        return {}
    model = load_model(os.path.join(folder, f"{store.PREFIX}-{step}"))
    predictions, figures = setup.scorer(one_device(), model.variables, model.config, part)()
    _write_predictions(folder, "test", predictions)
    return figures


def _write_predictions(folder: str, name: str, predictions: Predictions) -> None:
    short = [{n: x for n, x in found.items() if n != "nbest"} for found in predictions]
    text = "".join(json.dumps(found, ensure_ascii=False) + "\n" for found in short)
    files.write_text(os.path.join(folder, f"predictions-{name}.jsonl"), text)
    if any("nbest" in found for found in predictions):
        best = {found["id"]: found["nbest"] for found in predictions}
        write_json(os.path.join(folder, f"nbest-{name}.json"), best)


def _keep_predictions(folder: str, step: int) -> None:
    """Give the predictions on dev of the chosen epoch their name, and remove the others."""
    for name in files.names(folder):
        for kind, end in (("predictions", "jsonl"), ("nbest", "json")):
            if name == f"{kind}-dev-{step}.{end}":
                files.move(os.path.join(folder, name), os.path.join(folder, f"{kind}-dev.{end}"))
            elif name.startswith(f"{kind}-dev-"):
                files.remove(os.path.join(folder, name))


def _keep_weights(folder: str, step: int) -> None:
    """Keep the weights of the chosen epoch alone, without the optimizer's slots."""
    arrays = store.read(os.path.join(folder, f"{store.PREFIX}-{step}"))
    kept = store.without_slots(arrays)
    others = [other for other in store.saved_steps(folder) if other != step]
    if others or len(kept) + 1 < len(arrays):
        kept[store.GLOBAL_STEP] = arrays[store.GLOBAL_STEP]
        store.save(os.path.join(folder, f"{store.PREFIX}-{step}"), kept)
        store.keep_only(folder, step)
