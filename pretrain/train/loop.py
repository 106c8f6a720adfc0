"""The training loop: stages, checkpoints, resume."""

import contextlib
import signal
from typing import Callable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from data_gen.shared.dataset_info import DatasetInfo
from data_gen.shared.errors import UserError
from pretrain.checkpoint import store
from pretrain.checkpoint.folder import EVALUATIONS, mask_id
from pretrain.config import BertConfig, Stage, TrainConfig, read_bert_config
from pretrain.evaluate.measure import Measure
from pretrain.inputs.batches import open_data, share, training_batches
from pretrain.inputs.checks import (
    copies_held_back,
    require_a_batch,
    require_for_model,
    require_for_stage,
    require_pair_task,
    split_heldout,
)
from pretrain.model.cost import flops
from pretrain.runtime.devices import (
    describe,
    explained,
    gathered,
    is_chief,
    open_strategy,
    processes,
)
from pretrain.runtime.log import log
from pretrain.runtime.speed import matmul_rate
from pretrain.runtime.tensorflow import VERSION_1, Strategy, Tensor, tf
from pretrain.train import run_folder
from pretrain.train.journal import Journal, Meter
from pretrain.train.step import State, TrainStep, new_state


class Training(NamedTuple):
    """What the parts of a training share."""

    strategy: Strategy
    model: BertConfig
    config: TrainConfig
    state: State
    output: str
    journal: Journal
    asked_to_stop: Callable[[], bool]

    @property
    def step(self) -> int:
        """Steps done."""
        return int(tf.convert_to_tensor(self.state.step).numpy())

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


def train(
    config: TrainConfig,
    data: Sequence[str],
    output: str,
    init_checkpoint: Optional[str],
    reinit_heads: bool = False,
    heldout: Optional[str] = None,
) -> Optional[str]:
    """Train to the last step, going on from the newest checkpoint in `output`. Returns the prefix
    of the last checkpoint; None where SIGTERM came before, or another process writes.

    data: one folder of `data_gen build` a stage. `reinit_heads`: take the encoder and the pooler
    alone from `init_checkpoint`. `heldout`: data to evaluate on with every checkpoint, instead of
    what `heldout_shards` keeps back. Raises UserError where data, vocabulary and model
    do not belong together, where `output` holds another training, or where a loss or a gradient is
    no number.
    """
    strategy = open_strategy(config.tpu)
    model = read_bert_config(config.bert_config_file)
    infos = _datasets(config, model, data)
    splits = _splits(config, model, infos, heldout)
    _require_steps_that_work(config)
    for stage, (trained, _) in zip(config.resolved_stages(), splits):
        require_a_batch(trained, stage)
        share(
            stage.train_batch_size,
            strategy.num_replicas_in_sync * stage.gradient_accumulation_steps,
        )
    source = store.find(init_checkpoint) if init_checkpoint else None
    description = run_folder.describe(config, model, infos, source, reinit_heads)
    if is_chief():
        run_folder.claim(output, config, description)
    state = new_state(strategy, model, config)
    resumed = _resume(state, output)
    if source and not resumed:
        _start_from(state, source, reinit_heads)
    journal = Journal(output, int(tf.convert_to_tensor(state.step).numpy()))
    with _sigterm() as asked_to_stop, explained():
        training = Training(strategy, model, config, state, output, journal, asked_to_stop)
        heldouts = [held.fingerprint for _, held in splits if held]
        _require_agreement(training, run_folder.digest(description, heldouts))
        if resumed and is_chief():
            store.set_aside_damaged(output, training.step)
            store.tidy(output, config.keep_checkpoints, config.keep_checkpoint_every_steps)
        return _train_stages(training, splits)


def _splits(
    config: TrainConfig, model: BertConfig, infos: Sequence[DatasetInfo], heldout: Optional[str]
) -> List[Tuple[DatasetInfo, Optional[DatasetInfo]]]:
    """What each stage trains on, and what it is evaluated on."""
    splits = [split_heldout(info, config.heldout_shards) for info in infos]
    for info in infos:
        for warning in copies_held_back(info, config.heldout_shards):
            log(f"warning: {warning}")
    if not heldout:
        return splits
    held = open_data(heldout)
    require_for_model(held, model, config.vocab_file)
    require_pair_task(held, config)
    return [(trained, held) for trained, _ in splits]


def _require_steps_that_work(config: TrainConfig) -> None:
    if VERSION_1 and processes()[0] > 1 and config.steps_per_call > 1:
        raise UserError(
            "several processes of TensorFlow 1.15 cannot do several steps a call: steps_per_call=1"
        )


def _require_agreement(training: Training, digest: int) -> None:
    """Raise UserError where the processes would not train the same thing from the same step."""
    for name, number in (("step", training.step), ("digest of settings and data", digest)):
        numbers = gathered(training.strategy, number, training.state.step)
        if len(set(numbers)) > 1:
            raise UserError(
                f"the processes of this training do not start alike ({name}: "
                f"{', '.join(map(str, numbers))}): give all the same command and a folder for "
                "--output that all of them see"
            )


def _train_stages(
    training: Training, splits: Sequence[Tuple[DatasetInfo, Optional[DatasetInfo]]]
) -> Optional[str]:
    count = sum(_size(variable) for variable in training.state.variables.values())
    log(
        f"{describe(training.strategy)}; {count:,} weights; {training.output} is at step "
        f"{training.step:,}"
    )
    start = training.step
    # A training may have ended between a checkpoint and its evaluation.
    due = start > 0 and not training.journal.has(EVALUATIONS, start)
    due = bool(gathered(training.strategy, int(due), training.state.step)[0])
    for stage, (info, heldout) in zip(training.config.resolved_stages(), splits):
        if stage.last_step < start:
            continue
        evaluate = _evaluation(training, heldout)
        if due and stage.first_step < start:
            evaluate()
        if training.step < stage.last_step and not _train_stage(training, stage, info, evaluate):
            log(f"stopped by SIGTERM after step {training.step:,}; the same command goes on")
            return None
    return store.latest(training.output) if is_chief() else None


@contextlib.contextmanager
def _sigterm() -> Iterator[Callable[[], bool]]:
    """Whether SIGTERM, the sign of a machine about to be taken away, has come in the meantime."""
    received: List[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: received.append(number))
    try:
        yield lambda: bool(received)
    finally:
        signal.signal(signal.SIGTERM, before)


def _evaluation(training: Training, info: Optional[DatasetInfo]) -> Callable[[], None]:
    """What evaluates the present weights, in all processes."""
    if not info:
        return lambda: None
    mask = mask_id(training.config.vocab_file)
    measure = Measure(training.strategy, training.state.variables, training.model, info, mask)

    def evaluate() -> None:
        result = measure()
        training.journal.write(EVALUATIONS, training.step, result)
        log(
            f"step {training.step:,}, held-out: words {result['masked_lm_loss']:.3f} "
            f"({result['masked_lm_accuracy']:.1%} right), pairs {result['pair_loss']:.3f} "
            f"({result['pair_accuracy']:.1%} right)"
        )

    return evaluate


def _seconds_of_products(training: Training, stage: Stage, info: DatasetInfo) -> Optional[float]:
    """The least time of a step's matrix products on these devices; unknown on a TPU."""
    config = training.config
    if config.tpu:
        return None
    work = flops(training.model, info.max_seq_length, info.max_predictions_per_seq)
    rate = matmul_rate(config.precision) * training.strategy.num_replicas_in_sync
    return float(stage.train_batch_size * work / rate)


def _train_stage(
    training: Training, stage: Stage, info: DatasetInfo, evaluate: Callable[[], None]
) -> bool:
    """Train to the end of a stage, with a checkpoint there. False where it was asked to stop."""
    config, output, step = training.config, training.output, training.step
    if step % config.steps_per_call:
        raise UserError(
            f"{output} is at step {step}, no multiple of steps_per_call {config.steps_per_call}: "
            "set steps_per_call=1"
        )
    update = TrainStep(training.strategy, training.model, config, stage, training.state)
    batches = training_batches(
        training.strategy,
        info,
        stage,
        config.random_seed,
        step - stage.first_step,
        config.steps_per_call,
    )
    alone = processes()[0] == 1
    work = _seconds_of_products(training, stage, info)
    meter = Meter(training.journal, step, stage.train_batch_size, info.max_seq_length, work)
    while step < stage.last_step:
        outcome = update(next(batches), training.asked_to_stop())
        step += outcome.steps
        meter.add(outcome.sums)
        if outcome.failed:
            raise UserError(_no_number(outcome.failed, step, store.latest(output)))
        # Several processes stop after the same call, which all of them have to hear of before.
        stop = outcome.stop or (alone and training.asked_to_stop())
        saves = stop or step == stage.last_step or step % config.save_checkpoints_steps == 0
        if saves or step % config.log_steps == 0:
            meter.write(step, stage.last_step, update.metrics)
        if saves:
            training.save()
        if stop and step < stage.last_step:
            return False
        if saves:
            evaluate()
            meter.restart_clock()
    return True


def _no_number(tensor: str, step: int, newest: Optional[str]) -> str:
    return (
        f"{tensor} is no number in step {step + 1}, which was not applied; the last good "
        f"checkpoint is {newest or 'none'}: lower learning_rate or lengthen the warm-up, in a "
        "new --output"
    )


def _datasets(config: TrainConfig, model: BertConfig, folders: Sequence[str]) -> List[DatasetInfo]:
    """The data of each stage, checked against the model and its vocabulary."""
    stages = config.resolved_stages()
    if len(folders) != len(stages):
        raise UserError(
            f"this training has {len(stages)} stage(s), --data {len(folders)} folder(s): give one "
            "folder for each stage, in order"
        )
    infos = [open_data(folder) for folder in folders]
    for stage, info in zip(stages, infos):
        require_for_stage(info, stage, config, model)
    return infos


def _resume(state: State, output: str) -> bool:
    """Go on from the newest whole checkpoint; False where there is none."""
    arrays = store.read_newest(output, log)
    if arrays is None:
        return False
    report = store.restore(state.tensors(), arrays, output)
    if report.missing:
        raise UserError(
            f"the checkpoint in {output} lacks {', '.join(report.missing[:3])}: it is none of "
            "this training"
        )
    return True


def _start_from(state: State, source: str, reinit_heads: bool) -> None:
    """Take the weights of another model and say what was taken. A model of fewer layers takes its
    first ones, as HFL's RBT3 took RoBERTa-wwm-ext's.
    """
    arrays = store.without_slots(store.read(source))
    if reinit_heads:
        arrays = {name: array for name, array in arrays.items() if not name.startswith("cls/")}
    report = store.restore(state.variables, arrays, source)
    if not report.loaded:
        raise UserError(
            f"{source} has no weight of this model: give a BERT checkpoint with Google's names"
        )
    log(
        f"from {source}: {len(report.loaded)} weights loaded, {len(report.missing)} new, "
        f"{len(report.left_over)} left"
    )
    for name in report.missing:
        log(f"  new: {name}")
    for name in report.left_over:
        log(f"  left over: {name}")


def _size(variable: Tensor) -> int:
    return int(variable.shape.num_elements())
