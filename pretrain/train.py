"""The training loop: stages, logging, checkpoints, resume.

The output folder holds everything that a later command needs: checkpoints, bert_config.json,
vocab.txt, run.json (the settings and what they were applied to) and metrics.jsonl.
"""

import dataclasses
import json
import os
import shutil
import sys
import time
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from data_gen.features import DatasetInfo, file_sha256, read_info, require_same_vocabulary
from data_gen.settings import UserError
from pretrain import checkpoint, optimizers
from pretrain.bert import Variables, init, seeded_dropout
from pretrain.config import BertConfig, Stage, TrainConfig, read_bert_config
from pretrain.devices import Tensor, compiled, describe, tf
from pretrain.heads import forward, losses
from pretrain.inputs import Batch, training_batches

RUN = "run.json"
METRICS = "metrics.jsonl"
MODEL = "bert_config.json"
VOCAB = "vocab.txt"

# Settings that may change when a training is taken up again: they change nothing of what is
# learned.
_MAY_CHANGE = (
    "save_checkpoints_steps",
    "keep_checkpoints",
    "log_steps",
    "bert_config_file",
    "vocab_file",
)

_NAMES = ("loss", "masked_lm_loss", "pair_loss", "gradient_norm", "learning_rate")


class State(NamedTuple):
    """Everything that a checkpoint holds."""

    variables: Variables
    slots: Variables
    step: Tensor  # int64 scalar: steps done

    def tensors(self) -> Variables:
        """By the names of the checkpoint."""
        return {**self.variables, **self.slots, checkpoint.GLOBAL_STEP: self.step}


def new_state(model: BertConfig, config: TrainConfig) -> State:
    """Initial weights, empty slots, step 0."""
    variables = init(model, config.random_seed)
    step = tf.Variable(0, dtype=tf.int64, name=checkpoint.GLOBAL_STEP, trainable=False)
    return State(variables, optimizers.init_slots(config.optimizer, variables), step)


class TrainStep:
    """One update, compiled: batch -> the metrics of `_NAMES` before it."""

    def __init__(self, model: BertConfig, config: TrainConfig, stage: Stage, state: State) -> None:
        self._model, self._config, self._stage, self._state = model, config, stage, state
        self._compiled = compiled(self._update, config.jit_compile)

    def __call__(self, batch: Batch) -> List[Tensor]:
        """Update the weights; returns scalars in the order of `_NAMES`."""
        result: List[Tensor] = self._compiled(batch)
        return result

    def _update(self, batch: Batch) -> List[Tensor]:
        state = self._state
        step = tf.identity(state.step)  # read before it is counted up
        dropout = seeded_dropout(self._config.random_seed, step)
        with tf.GradientTape() as tape:
            result = losses(
                forward(state.variables, batch, self._model, dropout), batch, self._config.pair_task
            )
        names = list(state.variables)
        found = tape.gradient(result.total, [state.variables[name] for name in names])
        # A head without a task has no gradient and stays as it is.
        gradients = {
            name: tf.convert_to_tensor(g) for name, g in zip(names, found) if g is not None
        }
        rate = optimizers.learning_rate(self._stage, step)
        norm = optimizers.apply_gradients(
            self._config, state.variables, state.slots, gradients, rate
        )
        state.step.assign_add(1)
        return [result.total, result.masked_lm, result.pair, norm, rate]


def train(
    config: TrainConfig, data: Sequence[str], output: str, init_checkpoint: Optional[str]
) -> str:
    """Train to the last step, going on from the newest checkpoint in `output`. Returns the prefix
    of the last checkpoint.

    data: one folder of `data_gen build` a stage. Raises UserError where data, vocabulary and model
    do not belong together, where `output` holds another training, or where the loss is no number
    any more.
    """
    model = read_bert_config(config.bert_config_file)
    stages = list(zip(config.resolved_stages(), _datasets(config, model, data)))
    run = _run_description(config, model, [info for _, info in stages], init_checkpoint)
    _claim(output, config, run)
    state = new_state(model, config)
    _load(state, output, init_checkpoint)
    done = int(state.step.numpy())
    _log(
        f"{describe()}; {sum(_size(v) for v in state.variables.values()):,} weights; {output} "
        f"is at step {done:,}"
    )
    for stage, info in stages:
        if done < stage.last_step:
            _train_stage(model, config, stage, info, state, output)
            done = stage.last_step
    last = checkpoint.latest(output)
    assert last is not None  # the last stage ended with a checkpoint
    return last


def _train_stage(
    model: BertConfig,
    config: TrainConfig,
    stage: Stage,
    info: DatasetInfo,
    state: State,
    output: str,
) -> None:
    update = TrainStep(model, config, stage, state)
    step = int(state.step.numpy())
    batches = training_batches(
        info, stage.train_batch_size, config.random_seed, step - stage.first_step
    )
    meter = Meter(output, step, stage.train_batch_size * info.max_seq_length)
    for batch in batches:
        meter.add(update(batch))
        step += 1
        last = step == stage.last_step
        saves = last or step % config.save_checkpoints_steps == 0
        if saves or step % config.log_steps == 0:
            meter.write(
                step, stage.last_step
            )  # stops the run where the loss is no number: before it is saved
        if saves:
            checkpoint.save_step(output, step, state.tensors(), config.keep_checkpoints)
        if last:
            return


class Meter:
    """Averages metrics between two lines of the log and of metrics.jsonl."""

    def __init__(self, output: str, step: int, tokens_per_step: int) -> None:
        self._path = os.path.join(output, METRICS)
        self._tokens = tokens_per_step
        self._since = step
        self._sums: List[Any] = []
        self._time = time.perf_counter()
        _drop_after(self._path, step)

    def add(self, metrics: List[Tensor]) -> None:
        """Count the metrics of one step, in the order of `_NAMES`."""
        self._sums = [a + b for a, b in zip(self._sums, metrics)] if self._sums else metrics

    def write(self, step: int, last_step: int) -> None:
        """Write the means since the last line. Raises UserError where one is no number."""
        count = step - self._since
        if not count:
            return
        means = {name: float(total) / count for name, total in zip(_NAMES, self._sums)}
        for name, value in means.items():
            if not abs(value) < float("inf"):
                raise UserError(
                    f"{name} is {value} at or before step {step}: the last checkpoint is from "
                    "before it; lower the "
                    "learning_rate or lengthen the warm-up, in a new --output"
                )
        seconds = time.perf_counter() - self._time
        rate = self._tokens * count / seconds
        line = {"step": step, **means, "tokens_per_second": round(rate)}
        with open(self._path, "a", encoding="utf-8") as handle:
            handle.write(json.dumps(line) + "\n")
        left = (last_step - step) * seconds / count
        _log(
            f"step {step:,} of {last_step:,}: loss {means['loss']:.3f} (words "
            f"{means['masked_lm_loss']:.3f}, pairs "
            f"{means['pair_loss']:.3f}), {rate:,.0f} tokens/s, {left / 60:.1f} min left"
        )
        self._since, self._sums, self._time = step, [], time.perf_counter()


def _drop_after(path: str, step: int) -> None:
    """Remove the lines of steps that a crash took back, so that each step is there once."""
    if not os.path.exists(path):
        return
    with open(path, encoding="utf-8") as handle:
        lines = handle.readlines()
    kept = [line for line in lines if line.endswith("\n") and json.loads(line)["step"] <= step]
    if kept != lines:
        with open(path + ".partial", "w", encoding="utf-8") as handle:
            handle.writelines(kept)
        os.replace(path + ".partial", path)


def _datasets(
    config: TrainConfig, model: BertConfig, folders: Sequence[str]
) -> Iterator[DatasetInfo]:
    """The data of each stage, checked against the model."""
    stages = config.resolved_stages()
    if len(folders) != len(stages):
        raise UserError(
            f"this training has {len(stages)} stages: give --data once with {len(stages)} "
            "folders, in order"
        )
    for folder, stage in zip(folders, stages):
        info = read_info(folder)
        require_same_vocabulary(info, config.vocab_file)
        length = info.max_seq_length
        if stage.max_seq_length not in (None, length):
            raise UserError(
                f"{folder} has sequences of {length}, the stage wants {stage.max_seq_length}: "
                "swap or rebuild"
            )
        if length > model.max_position_embeddings:
            raise UserError(
                f"{folder} has sequences of {length}, the model has "
                f"{model.max_position_embeddings} positions: build "
                "with a smaller max_seq_length"
            )
        made_for = info.manifest["config"]["pair_task"]
        if made_for != config.pair_task:
            raise UserError(
                f"{folder} was built with pair_task {made_for}, this training has "
                f"{config.pair_task}"
            )
        yield info
    _check_vocabulary_size(config.vocab_file, model)


def _check_vocabulary_size(path: str, model: BertConfig) -> None:
    with open(path, encoding="utf-8") as handle:
        size = sum(1 for _ in handle)
    if size > model.vocab_size:
        raise UserError(
            f"{path} has {size} pieces, the model's vocab_size is {model.vocab_size}: use a "
            "model for it"
        )


def _run_description(
    config: TrainConfig,
    model: BertConfig,
    data: Sequence[DatasetInfo],
    init_checkpoint: Optional[str],
) -> Dict[str, Any]:
    return {
        "config": dataclasses.asdict(config),
        "model": dataclasses.asdict(model),
        "vocab_sha256": file_sha256(config.vocab_file),
        "data": [info.fingerprint for info in data],
        "init_checkpoint": init_checkpoint,
        "tensorflow": tf.__version__,
    }


def _claim(output: str, config: TrainConfig, run: Dict[str, Any]) -> None:
    """Make the output folder, or check that it holds this very training."""
    path = os.path.join(output, RUN)
    if os.path.exists(path):
        with open(path, encoding="utf-8") as handle:
            found = json.load(handle)
        different = [
            name for name, value in _decisive(run) if value != dict(_decisive(found)).get(name)
        ]
        if different:
            raise UserError(
                f"{output} holds another training ({', '.join(different)} differ): choose "
                "another --output"
            )
        return
    if checkpoint.latest(output):
        raise UserError(
            f"{output} holds checkpoints but no {RUN}: choose another --output, or give it as "
            "--init"
        )
    os.makedirs(output, exist_ok=True)
    shutil.copyfile(config.vocab_file, os.path.join(output, VOCAB))
    _write_json(os.path.join(output, MODEL), run["model"])
    _write_json(path, run)


def _decisive(run: Dict[str, Any]) -> List[Tuple[str, Any]]:
    settings = [(name, value) for name, value in run["config"].items() if name not in _MAY_CHANGE]
    return settings + [
        (name, run[name]) for name in ("model", "vocab_sha256", "data", "init_checkpoint")
    ]


def _load(state: State, output: str, init_checkpoint: Optional[str]) -> None:
    """Go on from the newest checkpoint, else from another model's weights, if one is given."""
    newest = checkpoint.latest(output)
    if newest:
        report = checkpoint.restore(state.tensors(), checkpoint.read(newest), newest)
        if report.missing:
            raise UserError(
                f"{newest} lacks {', '.join(report.missing[:3])}: it is no checkpoint of this "
                "training"
            )
    elif init_checkpoint:
        source = checkpoint.find(init_checkpoint)
        arrays = checkpoint.without_slots(checkpoint.read(source))
        report = checkpoint.restore(state.variables, arrays, source)
        if not report.loaded:
            raise UserError(
                f"{source} has no weight of this model: give a BERT checkpoint with Google's names"
            )
        _log(
            f"from {source}: {len(report.loaded)} weights loaded, {len(report.missing)} new, "
            f"{len(report.left_over)} left"
        )
        for name in report.missing:
            _log(f"  new: {name}")
        for name in report.left_over:
            _log(f"  left over: {name}")


def _write_json(path: str, value: Dict[str, Any]) -> None:
    with open(path + ".partial", "w", encoding="utf-8") as handle:
        handle.write(json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n")
    os.replace(path + ".partial", path)


def _size(variable: Tensor) -> int:
    return int(variable.shape.num_elements())


def _log(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
