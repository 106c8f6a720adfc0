"""The training loop: stages, checkpoints, resume."""

from typing import List, NamedTuple, Optional, Sequence

from data_gen.features import DatasetInfo, read_info, require_same_vocabulary
from data_gen.settings import UserError
from pretrain import checkpoint, optimizers, run
from pretrain.bert import Variables, init, seeded_dropout
from pretrain.config import BertConfig, Stage, TrainConfig, read_bert_config
from pretrain.devices import Tensor, compiled, describe, tf
from pretrain.heads import forward, losses
from pretrain.inputs import Batch, require_positions, training_batches
from pretrain.metrics import Meter, log


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
    """One update, compiled: batch -> the metrics of `metrics.NAMES` before it."""

    def __init__(self, model: BertConfig, config: TrainConfig, stage: Stage, state: State) -> None:
        self._model, self._config, self._stage, self._state = model, config, stage, state
        self._compiled = compiled(self._update, config.jit_compile)

    def __call__(self, batch: Batch) -> List[Tensor]:
        """Update the weights; returns scalars in the order of `metrics.NAMES`."""
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
    infos = _datasets(config, model, data)
    source = checkpoint.find(init_checkpoint) if init_checkpoint else None
    run.claim(output, config, run.describe(config, model, infos, source))
    state = new_state(model, config)
    _load(state, output, source, config.keep_checkpoints)
    done = int(state.step.numpy())
    log(
        f"{describe()}; {sum(_size(v) for v in state.variables.values()):,} weights; {output} "
        f"is at step {done:,}"
    )
    for stage, info in zip(config.resolved_stages(), infos):
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
            # Before the checkpoint: it stops the run where the loss is no number.
            meter.write(step, stage.last_step)
        if saves:
            checkpoint.save_step(output, step, state.tensors(), config.keep_checkpoints)
        if last:
            return


def _datasets(config: TrainConfig, model: BertConfig, folders: Sequence[str]) -> List[DatasetInfo]:
    """The data of each stage, checked against the model and its vocabulary."""
    vocabulary_size = _vocabulary_size(config.vocab_file)
    stages = config.resolved_stages()
    if len(folders) != len(stages):
        raise UserError(
            f"this training has {len(stages)} stage(s), --data {len(folders)} folder(s): give one "
            "folder for each stage, in order"
        )
    infos = [read_info(folder) for folder in folders]
    for stage, info in zip(stages, infos):
        require_same_vocabulary(info, config.vocab_file)
        require_positions(info, model)
        length = info.max_seq_length
        if stage.max_seq_length not in (None, length):
            raise UserError(
                f"{info.folder} has sequences of {length}, the stage wants {stage.max_seq_length}: "
                "give the stages' folders in order, or build with that max_seq_length"
            )
        if info.examples < stage.train_batch_size:
            raise UserError(
                f"{info.folder} holds {info.examples} examples, fewer than one batch of "
                f"{stage.train_batch_size}: lower train_batch_size"
            )
        pair_task = info.manifest["config"]["pair_task"]
        if pair_task != config.pair_task:
            raise UserError(
                f"{info.folder} was built with pair_task {pair_task}, this training has "
                f"{config.pair_task}: use a configuration of the same task"
            )
    if vocabulary_size > model.vocab_size:
        raise UserError(
            f"{config.vocab_file} has {vocabulary_size} pieces, the model's vocab_size is "
            f"{model.vocab_size}: set it to at least as many in the bert_config.json"
        )
    return infos


def _vocabulary_size(path: str) -> int:
    try:
        with open(path, encoding="utf-8") as handle:
            return sum(1 for _ in handle)
    except OSError as error:
        raise UserError(f"cannot read the vocabulary {path}: {error.strerror}") from error


def _load(state: State, output: str, source: Optional[str], keep: int) -> None:
    """Go on from the newest checkpoint, else from another model's weights, if one is given."""
    newest = checkpoint.latest(output)
    if newest:
        checkpoint.tidy(output, keep)
        report = checkpoint.restore(state.tensors(), checkpoint.read(newest), newest)
        if report.missing:
            raise UserError(
                f"{newest} lacks {', '.join(report.missing[:3])}: it is no checkpoint of this "
                "training"
            )
    elif source:
        arrays = checkpoint.without_slots(checkpoint.read(source))
        report = checkpoint.restore(state.variables, arrays, source)
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
