"""The training loop: stages, checkpoints, evaluations, resume."""

import contextlib
import functools
from typing import Any, Callable, Dict, Mapping, NamedTuple, Optional, Sequence

from data_gen.shared.dataset.dataset_info import DatasetInfo
from data_gen.shared.errors import UserError
from pretrain.checkpoint import store
from pretrain.checkpoint.folder import EVALUATIONS, held, mask_id
from pretrain.config import TrainConfig
from pretrain.evaluate.measure import Evaluator
from pretrain.inputs.batches import training_batches
from pretrain.inputs.verify import can_verify
from pretrain.learning.objective import Objective
from pretrain.learning.objectives import OBJECTIVES
from pretrain.learning.stages import Stage
from pretrain.model.config import BertConfig, read_bert_config
from pretrain.runtime.devices import (
    all_gather_int,
    describe,
    device_errors_explained,
    is_chief,
    open_strategy,
    processes,
)
from pretrain.runtime.log import log
from pretrain.runtime.speed import matmul_rate
from pretrain.runtime.stopping import Stop, stoppable
from pretrain.runtime.tensorflow import Strategy
from pretrain.train import run_folder
from pretrain.train.journal import Journal, Meter, before_and_after
from pretrain.train.start import (
    Split,
    open_datasets,
    require_agreement,
    require_feasible,
    resume,
    split_datasets,
    start_at_frequencies,
    start_from,
)
from pretrain.train.state import State, new_state
from pretrain.train.step import TrainStep


class Training(NamedTuple):
    """A training in progress."""

    strategy: Strategy
    model: BertConfig
    config: TrainConfig
    state: State
    output: str
    journal: Journal
    stop: Stop

    @property
    def step(self) -> int:
        """Steps done."""
        return self.state.steps_done

    @property
    def objective(self) -> Objective:
        """The objective that the settings name."""
        return OBJECTIVES[self.config.objective]

    def save(self) -> None:
        """Write a checkpoint; of several processes the first does."""
        if is_chief():
            config = self.config
            store.save_step(
                self.output,
                self.step,
                self.state.tensors(),
                config.keep_checkpoints,
                config.keep_checkpoint_every_steps,
            )

    def tidy(self) -> None:
        """Set damaged checkpoints aside and remove what is too many; nothing if there is none."""
        config = self.config
        if store.saved_steps(self.output):
            store.set_aside_damaged(self.output, self.step)
            store.tidy(self.output, config.keep_checkpoints, config.keep_checkpoint_every_steps)


# Figures of the present weights; None if SIGTERM came before they were known.
Measure = Callable[[Training], Optional[Mapping[str, Any]]]


def train(
    config: TrainConfig,
    data: Sequence[str],
    output: str,
    init_checkpoint: Optional[str],
    reinit_heads: bool = False,
    heldout: Optional[str] = None,
    measure: Optional[Measure] = None,
    inside: Optional[Training] = None,
    verified: bool = True,
) -> Optional[str]:
    """Train to the last step, resuming from the newest checkpoint in `output`. Returns the prefix
    of the last checkpoint; None if SIGTERM came before, or another process writes. Ctrl-C saves,
    too, and raises KeyboardInterrupt.

    data:         a folder of `data_gen build` for each stage
    reinit_heads: load the encoder and the pooler alone from `init_checkpoint`
    heldout:      data to evaluate on with every checkpoint, instead of `heldout_shards`
    measure:      called with every checkpoint; returns more figures for evaluations.jsonl
    inside:       a training in progress, whose devices and whose wish to stop serve this one
    verified:     check the shards' checksums first

    Raises UserError if data, vocabulary and model do not belong together, if another process holds
    `output` or it has another training, or if a loss or a gradient is NaN or infinite.
    """
    strategy = inside.strategy if inside else open_strategy(config.tpu)
    model = read_bert_config(config.bert_config_file)
    infos = open_datasets(config, model, data)
    splits = split_datasets(config, model, infos, heldout)
    examples = [split.trained.examples for split in splits]
    config, counted = run_folder.in_steps_of(output, config, examples)
    require_feasible(config, strategy, splits)
    source = store.find(init_checkpoint) if init_checkpoint else None
    description = run_folder.describe(config, model, infos, source, reinit_heads, counted)
    used = [info for split in splits for info in split if info]
    description["shards_verified"] = verified and can_verify(used)
    heldouts = [split.heldout.fingerprint for split in splits if split.heldout]
    checksum = run_folder.checksum(description, heldouts)
    with contextlib.ExitStack() as stack:
        if is_chief():
            stack.enter_context(held(output))
            run_folder.claim(output, config, description)
        for line in map(run_folder.in_words, counted):
            log(line)
        if verified:
            run_folder.verify_shards(output, used)
        state = new_state(strategy, model, config)
        if not resume(state, output):
            _set_start(state, config, splits[0].trained, source, reinit_heads)
        journal = Journal(output, state.steps_done)
        stop = inside.stop if inside else stack.enter_context(stoppable())
        stack.enter_context(device_errors_explained())
        training = Training(strategy, model, config, state, output, journal, stop)
        if not inside:
            stop.save = functools.partial(_save_where_it_hangs, training)
        require_agreement(strategy, state, checksum)
        if is_chief():
            training.tidy()
        return _train_stages(training, splits, measure)


def _set_start(
    state: State,
    config: TrainConfig,
    info: DatasetInfo,
    source: Optional[str],
    reinit_heads: bool,
) -> None:
    """Set the weights that a new training starts from."""
    if source:
        start_from(state, source, reinit_heads)
    elif config.output_bias == "frequencies":
        start_at_frequencies(state, info)


def _train_stages(
    training: Training, splits: Sequence[Split], measure: Optional[Measure]
) -> Optional[str]:
    variables = training.state.variables.values()
    count = sum(int(variable.shape.num_elements()) for variable in variables)
    log(
        f"{describe(training.strategy)}; {count:,} weights; {training.output} is at step "
        f"{training.step:,}; its curves: python -m pretrain report {training.output}"
    )
    start = training.step
    # Held-out data are evaluated on before the first step, too. A training may have ended between a
    # checkpoint and its evaluation.
    due = start > 0 or splits[0].heldout is not None
    due = due and not training.journal.has(EVALUATIONS, start)
    due = bool(all_gather_int(training.strategy, int(due), training.state.step)[0])
    for stage, split in zip(training.config.resolved_stages(), splits):
        if stage.last_step < start:
            continue
        evaluate = _evaluation(training, split.heldout, measure)
        if due:
            evaluate()
            due = False
        if training.step == stage.last_step:
            continue
        if not _train_stage(training, stage, split.trained, evaluate):
            _say_stopped(training)
            if training.stop.by_ctrl_c:
                raise KeyboardInterrupt
            return None
    for line in before_and_after(training.output, training.objective.evaluation):
        log(line)
    return store.latest(training.output) if is_chief() else None


def _save_where_it_hangs(training: Training) -> None:
    if training.step not in store.saved_steps(training.output):
        training.save()
    _say_stopped(training)


def _say_stopped(training: Training) -> None:
    log(f"stopped by {training.stop.reason} after step {training.step:,}; the same command resumes")


def _evaluation(
    training: Training, info: Optional[DatasetInfo], measure: Optional[Measure]
) -> Callable[[], None]:
    """Return a function that evaluates the present weights, in all processes: on held-out data, and
    by `measure`.
    """
    evaluator = info and Evaluator(
        training.strategy,
        training.state.variables,
        training.model,
        training.objective,
        info,
        mask_id(training.config.vocab_file),
        limits=training.objective.limits(info, training.model, training.config),
    )

    def evaluate() -> None:
        figures: Dict[str, Any] = {}
        if evaluator:
            figures = evaluator()
            text = training.objective.evaluation.log_text(figures)
            log(f"step {training.step:,}, held-out: {text}")
        more = measure(training) if measure and training.step else {}
        if more is None:  # cut off: after a restart this is done again
            return
        figures.update(more)
        if figures:
            training.journal.write(EVALUATIONS, training.step, figures)

    return evaluate


def _train_stage(
    training: Training, stage: Stage, info: DatasetInfo, evaluate: Callable[[], None]
) -> bool:
    """Train to the end of a stage, with a checkpoint there. False if SIGTERM came before."""
    config, step = training.config, training.step
    _require_whole_call(training)
    update = TrainStep(training.strategy, training.model, config, stage, training.state)
    batches = training_batches(
        training.strategy,
        info,
        training.objective.features(info),
        stage,
        config.random_seed,
        step - stage.first_step,
        config.steps_per_call,
        config.pad_to is not None,
        training.objective.limits(info, training.model, config),
        training.objective.prepare is not None,
    )
    alone = processes()[0] == 1
    meter = _meter(training, stage, info)
    while step < stage.last_step:
        outcome = update(next(batches), bool(training.stop))
        step += outcome.steps
        meter.add(outcome.sums)
        if outcome.failed:
            raise UserError(_not_finite(outcome.failed, step, store.latest(training.output)))
        # Several processes stop after the same call, which all of them have to hear of before.
        stop = outcome.stop or (alone and bool(training.stop))
        saves = stop or step == stage.last_step or step % config.save_checkpoints_steps == 0
        if saves or step % config.log_steps == 0:
            meter.write(step, stage.last_step)
        meter.expect(step, stage.last_step)
        if saves:
            training.save()
        if stop and step < stage.last_step:
            return False
        if saves:
            evaluate()
            meter.restart_clock()
    return True


def _require_whole_call(training: Training) -> None:
    step, size = training.step, training.config.steps_per_call
    if step % size:
        raise UserError(
            f"{training.output} is at step {step}, no multiple of steps_per_call {size}: "
            "set steps_per_call=1"
        )


def _meter(training: Training, stage: Stage, info: DatasetInfo) -> Meter:
    return Meter(
        training.journal,
        training.step,
        stage.train_batch_size,
        info.max_seq_length,
        _seconds_of_products(training, stage, info),
        training.objective.log_text,
    )


def _seconds_of_products(training: Training, stage: Stage, info: DatasetInfo) -> Optional[float]:
    """Return the least time of a step's matrix products on these devices; unknown on a TPU."""
    config = training.config
    if config.tpu:
        return None
    length, predictions = info.max_seq_length, info.max_predictions_per_seq
    operations = training.objective.flops(training.model, length, predictions, False)
    rate = matmul_rate(config.precision) * training.strategy.num_replicas_in_sync
    return float(stage.train_batch_size * operations / rate)


def _not_finite(tensor: str, step: int, newest: Optional[str]) -> str:
    return (
        f"{tensor} is NaN or infinite in step {step + 1}; the update was skipped. The last good "
        f"checkpoint is {newest or 'none'}: lower learning_rate or lengthen the warm-up, in a "
        "new --output"
    )
