"""Fine-tune copies of a model while it is trained, to see what it is worth so far."""

import os
import tempfile
from typing import Any, Dict, NamedTuple, Optional, Sequence

from data_gen.shared.errors import UserError
from pretrain.checkpoint import store
from pretrain.config import TrainConfig
from pretrain.finetune.config import FinetuneSettings
from pretrain.finetune.run import in_words
from pretrain.finetune.runs import Data, Source, finetune
from pretrain.runtime.devices import processes
from pretrain.runtime.log import log
from pretrain.train.loop import Training

_SEED = 1


class ProbeTask(NamedTuple):
    """A small task to fine-tune on."""

    task: str
    folder: str
    settings: FinetuneSettings


class Probe:
    """The `measure` of a training: every so many steps one run of each task, from the checkpoint
    just saved. It reads that and writes to a folder of its own, so the training does not change.

    A figure is of the test part, else of dev.
    """

    def __init__(self, tasks: Sequence[ProbeTask], every: int, config: TrainConfig) -> None:
        """Raises UserError if there is no checkpoint every `every` steps, or several processes."""
        if every % config.save_checkpoints_steps:
            raise UserError(
                f"--probe-every {every} must be a multiple of save_checkpoints_steps "
                f"({config.save_checkpoints_steps})"
            )
        if processes()[0] > 1:
            raise UserError("--probe needs a training of one process: unset TF_CONFIG")
        self._tasks, self._every = tasks, every

    def __call__(self, training: Training) -> Optional[Dict[str, Any]]:
        """Return the figures of each task at steps that are due; None if SIGTERM came before."""
        if training.step % self._every:
            return {}
        found = {}
        for probe in self._tasks:
            results = _fine_tuned(probe, training)
            if results is None:
                return None
            run = results["runs"][0]
            figures = run.get("test") or run["dev"]
            log(f"step {training.step:,}, probe {probe.task}: {in_words(probe.task, figures)}")
            found[probe.task] = {name: figures[name] for name in results["measures"]}
        return {"probe": found}


def _fine_tuned(probe: ProbeTask, training: Training) -> Optional[Dict[str, Any]]:
    source = Source(os.path.join(training.output, f"{store.PREFIX}-{training.step}"))
    data = Data(probe.task, probe.folder)
    with tempfile.TemporaryDirectory(prefix="probe-") as scratch:
        return finetune(data, source, scratch, probe.settings, [_SEED], training)
