"""One step of a training on any number of devices: losses, gradients, their sum, the update.

One global batch is one batch: the losses are divided by the counts of the whole of it, the
gradients summed over parts and replicas, then clipped, then applied. So 1, 2 or N replicas and any
number of parts come to the same weights, but for the order of sums and the noise of dropout.
"""

import re
from typing import Any, List, NamedTuple, Sequence, Tuple

import numpy as np

from data_gen.shared.errors import UserError
from pretrain.checkpoint.store import GLOBAL_STEP
from pretrain.config import BertConfig, Stage, TrainConfig
from pretrain.inputs.batches import Batch
from pretrain.model.bert import Mode, Variables, init, seeded_dropout
from pretrain.model.heads import Totals, forward, losses, totals
from pretrain.runtime.devices import (
    first_number,
    first_replica,
    replica_context,
    run_replicas,
    summed,
)
from pretrain.runtime.tensorflow import Strategy, Tensor, compiled, tf
from pretrain.train import optimizers

# What a step reports, first of all whether it was done and whether some process is asked to stop.
METRICS = ("loss", "masked_lm_loss", "pair_loss", "gradient_norm", "learning_rate")
SCALING_METRICS = ("loss_scale", "skipped_steps")  # with float16
_DONE, _STOP, _FIRST = 0, 1, 2

# Dynamic loss scaling of float16, NVIDIA's values: twice as much after so many steps without an
# overflow, half as much after each step with one.
_FIRST_SCALE, _GROWS_AFTER = 2.0**15, 2000


class State(NamedTuple):
    """Everything that a checkpoint holds."""

    variables: Variables
    slots: Variables
    step: Tensor  # int64 scalar: steps done
    scaling: Variables  # of float16's loss; else empty

    def tensors(self) -> Variables:
        """By the names of the checkpoint."""
        return {**self.variables, **self.slots, **self.scaling, GLOBAL_STEP: self.step}


def new_state(strategy: Strategy, model: BertConfig, config: TrainConfig) -> State:
    """Initial weights, empty slots, step 0, on every device. Raises UserError where `frozen` names
    no weight, or leaves none.
    """
    with strategy.scope():
        variables = init(model, config.random_seed)
        _check_frozen(config, list(variables))
        moving = {name: v for name, v in variables.items() if not config.is_frozen(name)}
        slots = optimizers.init_slots(config.optimizer, moving)
        step = tf.Variable(0, dtype=tf.int64, name=GLOBAL_STEP, trainable=False)
        scaling = {}
        if config.precision == "float16":
            scaling = {
                "loss_scale": tf.Variable(_FIRST_SCALE, trainable=False, name="loss_scale"),
                "loss_scale_steps": tf.Variable(0.0, trainable=False, name="loss_scale_steps"),
            }
    return State(variables, slots, step, scaling)


def _check_frozen(config: TrainConfig, names: Sequence[str]) -> None:
    for pattern in config.frozen:
        if not any(re.search(pattern, name) for name in names):
            raise UserError(
                f"frozen: {pattern} is found in no name of a weight, such as {names[0]}"
            )
    if not any(config.is_trained(name) for name in names):
        raise UserError("frozen leaves no weight to train: name fewer")


class Outcome(NamedTuple):
    """What came of a call of `TrainStep`."""

    steps: int  # done; fewer than asked for where `failed` is not empty
    sums: "np.ndarray"  # of the metrics of the steps done
    stop: bool  # some process is asked to stop
    failed: str  # the tensor that is no number, for which no update was made


class TrainStep:
    """`config.steps_per_call` updates, compiled. State is changed in place."""

    def __init__(
        self,
        strategy: Strategy,
        model: BertConfig,
        config: TrainConfig,
        stage: Stage,
        state: State,
    ) -> None:
        self._strategy, self._model, self._config = strategy, model, config
        self._stage, self._state = stage, state
        self._first_number = first_number(strategy)
        self._trained = [name for name in state.variables if config.is_trained(name)]
        self.metrics = METRICS + (SCALING_METRICS if state.scaling else ())
        # XLA takes the whole step of one device, but not the exchange between several.
        jit = config.jit_compile and not config.tpu
        alone = strategy.num_replicas_in_sync == 1
        self._gradients = (
            compiled(self._differentiate, True) if jit and not alone else self._differentiate
        )
        self._compiled = compiled(self._steps, jit and alone)

    def __call__(self, batches: Any, stop: bool = False) -> Outcome:
        """Train on the next element of `inputs.training_batches`; `stop` says that this process is
        asked to.
        """
        steps, sums, last = self._compiled(batches, tf.constant(float(stop)))
        sums, last = sums.numpy(), last.numpy()
        failed = "" if last[_DONE] else self._not_a_number(last)
        metrics = sums - last if failed else sums
        return Outcome(
            int(steps) - bool(failed), metrics[_FIRST : self._end], bool(last[_STOP]), failed
        )

    @property
    def _end(self) -> int:
        return _FIRST + len(self.metrics)

    def _not_a_number(self, outcome: "np.ndarray") -> str:
        if not np.isfinite(outcome[_FIRST]):
            return "the loss"
        bad = [n for n, x in zip(self._trained, outcome[self._end :]) if not np.isfinite(x)]
        return f"the gradient of {bad[0]}" if bad else "the norm of the gradients"

    def _steps(self, batches: Any, stop: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
        """Returns steps tried, sums of their outcomes, the last outcome."""

        def once(i: Tensor) -> Tensor:
            outcome = run_replicas(self._strategy, self._on_replica, batches, i, stop)
            return first_replica(self._strategy, outcome)

        asked = self._config.steps_per_call
        if asked == 1:
            outcome = once(tf.constant(0))
            return tf.constant(1), outcome, outcome

        def body(i: Tensor, sums: Tensor, last: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
            outcome = once(i)
            return i + 1, sums + outcome, outcome

        nothing = tf.zeros([self._end + len(self._trained)])
        done = tf.one_hot(_DONE, self._end + len(self._trained))
        result: Tuple[Tensor, Tensor, Tensor] = tf.while_loop(
            lambda i, sums, last: tf.logical_and(i < asked, last[_DONE] > 0),
            body,
            (tf.constant(0), nothing, done),
        )
        return result

    def _on_replica(self, batches: Batch, i: Tensor, stop: Tensor) -> Tensor:
        batch = {name: x[i] for name, x in batches.items()}
        step = tf.identity(self._state.step)  # read before it is counted up
        counts = summed(tf.stack(totals(batch)), self._state.step)
        number = self._first_number + tf.convert_to_tensor(
            replica_context().replica_id_in_sync_group
        )
        reported, gradients = self._gradients(batch, counts, step, number)
        reported = tf.concat([reported, [stop]], axis=0)
        return replica_context().merge_call(self._exchange, args=(gradients, reported))

    def _differentiate(
        self, batch: Batch, counts: Tensor, step: Tensor, replica: Tensor
    ) -> Tuple[Tensor, List[Tensor]]:
        """This replica's share of the losses, float [3], and of the gradients of what is trained.

        batch: name -> [parts, B, ...]
        """
        parts = self._stage.gradient_accumulation_steps

        def of_part(part: Tensor) -> Tuple[Tensor, List[Tensor]]:
            piece = {name: x[part] for name, x in batch.items()}
            return self._of_part(piece, counts, step, replica * parts + part)

        if parts == 1:
            return of_part(tf.constant(0))

        def body(part: Tensor, *sums: Tensor) -> List[Tensor]:
            reported, gradients = of_part(part)
            return [part + 1, *(a + b for a, b in zip(sums, [reported, *gradients]))]

        shapes = [[3]] + [self._state.variables[name].shape for name in self._trained]
        start = [tf.constant(0)] + [tf.zeros(shape) for shape in shapes]
        _, reported, *gradients = tf.while_loop(lambda part, *_: part < parts, body, start)
        return reported, gradients

    def _of_part(
        self, piece: Batch, counts: Tensor, step: Tensor, index: Tensor
    ) -> Tuple[Tensor, List[Tensor]]:
        config, state = self._config, self._state
        dropout = seeded_dropout(config.random_seed, step, index)
        with tf.GradientTape() as tape:
            mode = Mode(config.precision, config.recompute)
            outputs = forward(state.variables, piece, self._model, dropout, mode)
            result = losses(outputs, piece, config, Totals(counts[0], counts[1]))
            scaled = result.total * state.scaling.get("loss_scale", 1.0)
        found = tape.gradient(scaled, [state.variables[name] for name in self._trained])
        return tf.stack(result), [tf.convert_to_tensor(gradient) for gradient in found]

    def _exchange(self, strategy: Any, gradients: List[Any], reported: Any) -> Any:
        """Sum over the replicas, update each; runs once for all of them."""
        state, extended, total = self._state, strategy.extended, tf.distribute.ReduceOp.SUM
        places = [state.variables[name] for name in self._trained]
        sums = extended.batch_reduce_to(total, list(zip(gradients, places)))
        reported = extended.reduce_to(total, reported, destinations=state.step)
        outcome = extended.update(
            state.step,
            self._update,
            args=(state.variables, state.slots, state.scaling, sums, reported),
            group=False,
        )
        return outcome[0] if isinstance(outcome, tuple) else outcome

    def _update(
        self,
        step_variable: Tensor,
        variables: Variables,
        slots: Variables,
        scaling: Variables,
        sums: List[Tensor],
        reported: Tensor,
    ) -> Tensor:
        """Update one device's copy where every number is one. Returns the outcome."""
        config, gradients = self._config, dict(zip(self._trained, sums))
        scale = tf.convert_to_tensor(scaling.get("loss_scale", 1.0))
        squares = optimizers.squared_norms(gradients)
        norm = tf.sqrt(tf.reduce_sum(squares)) / scale
        finite = tf.math.is_finite(norm + reported[0])
        rate = optimizers.learning_rate(self._stage, tf.identity(step_variable), config.schedule)

        def update() -> Tensor:
            factor = optimizers.clip_factor(config, norm) / scale
            optimizers.apply_gradients(config, variables, slots, gradients, factor, rate)
            _grow(scaling)
            step_variable.assign_add(1)
            return tf.constant([1.0, 0.0])

        def pass_over() -> Tensor:
            # A loss that is no number is none at any scale: it is taken before scaling.
            curable = tf.logical_and(_shrink(scaling), tf.math.is_finite(reported[0]))
            skips = tf.cast(curable, tf.float32)
            step_variable.assign_add(tf.cast(skips, tf.int64))
            return tf.stack([skips, skips])

        done, skipped = tf.unstack(tf.cond(finite, update, pass_over))
        metrics = [*tf.unstack(reported[:3]), tf.where(skipped > 0, 0.0, norm), rate]
        if scaling:
            metrics += [scale, skipped]
        return tf.concat([tf.stack([done, reported[3], *metrics]), squares], axis=0)


def _grow(scaling: Variables) -> None:
    if scaling:
        scale, steps = scaling["loss_scale"], scaling["loss_scale_steps"]
        grows = steps + 1.0 >= _GROWS_AFTER
        scale.assign(tf.where(grows, scale * 2.0, scale))
        steps.assign(tf.where(grows, 0.0, steps + 1.0))


def _shrink(scaling: Variables) -> Tensor:
    """Halve the scale of the loss. Returns whether that could be done, a bool."""
    if not scaling:
        return tf.constant(False)
    scale = tf.identity(scaling["loss_scale"])
    scaling["loss_scale"].assign(tf.maximum(scale / 2.0, 1.0))
    scaling["loss_scale_steps"].assign(0.0)
    return scale > 1.0
