"""One step of a training on any number of devices: losses, gradients, their sum, the update.

One global batch is one batch: the losses are divided by the counts of the whole of it, the
gradients summed over micro batches and replicas, then clipped, then applied. So 1, 2 or N replicas
and any number of micro batches come to the same weights, but for the order of sums and the noise
of dropout.
"""

from typing import Any, Dict, List, NamedTuple, Tuple

import numpy as np

from pretrain.config import TrainConfig
from pretrain.learning.objective import TOTAL, Batch
from pretrain.learning.stages import Stage
from pretrain.model.config import BertConfig
from pretrain.runtime.devices import (
    first_replica,
    first_replica_index,
    replica_context,
    run_replicas,
    summed,
)
from pretrain.runtime.tensorflow import Strategy, Tensor, compiled, tf
from pretrain.train.gradients import Gradients
from pretrain.train.state import State
from pretrain.train.update import Update


class Outcome(NamedTuple):
    """The result of a call of `TrainStep`."""

    steps: int  # done; fewer than asked for if `failed` is not empty
    sums: Dict[str, Any]  # of the metrics of the steps done, by name, float32
    stop: bool  # some process is asked to stop
    failed: str  # the tensor that is NaN or infinite, for which the update was skipped


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
        self._strategy, self._state = strategy, state
        self._steps_per_call = config.steps_per_call
        self._first_replica_index = first_replica_index(strategy)
        self._trained = [name for name in state.variables if config.is_trained(name)]
        gradients = Gradients(model, config, stage, state, self._trained)
        names = gradients.losses.names
        self._losses, self._divisors = gradients.losses, gradients.divisors
        self._update = Update(config, stage, self._trained, names, bool(state.scaling))
        self._outcome = self._update.outcome
        # XLA takes the whole step of one device, but not the exchange between several.
        jit = config.jit_compile and not config.tpu
        alone = strategy.num_replicas_in_sync == 1
        compute = gradients.compute
        self._gradients = compiled(compute, True) if jit and not alone else compute
        self._compiled = compiled(self._run, jit and alone)

    def __call__(self, batches: Any, stop: bool = False) -> Outcome:
        """Train on the next element of `inputs.training_batches`; `stop` is True if this process is
        asked to stop.
        """
        steps, sums, last = self._compiled(batches, tf.constant(float(stop)))
        sums, last = sums.numpy(), last.numpy()
        ended = self._outcome.unpack(last)
        failed = "" if ended["done"] else self._not_finite(ended)
        by_name = self._outcome.unpack(sums - last if failed else sums)
        metrics = {name: by_name[name] for name in self._update.metrics}
        return Outcome(int(steps) - bool(failed), metrics, bool(ended["stop"]), failed)

    def _not_finite(self, outcome: Dict[str, Any]) -> str:
        if not np.isfinite(outcome[TOTAL]):
            return "the loss"
        bad = [name for name in self._trained if not np.isfinite(outcome[name])]
        return f"the gradient of {bad[0]}" if bad else "the norm of the gradients"

    def _run(self, batches: Any, stop: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
        """Returns steps tried, the sum of their outcomes, the last outcome."""

        def once(i: Tensor) -> Tensor:
            outcome = run_replicas(self._strategy, self._on_replica, batches, i, stop)
            return first_replica(self._strategy, outcome)

        asked = self._steps_per_call
        if asked == 1:
            outcome = once(tf.constant(0))
            return tf.constant(1), outcome, outcome

        def goes_on(i: Tensor, sums: Tensor, last: Tensor) -> Tensor:
            return tf.logical_and(i < asked, self._outcome.get(last, "done") > 0)

        def body(i: Tensor, sums: Tensor, last: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
            outcome = once(i)
            return i + 1, sums + outcome, outcome

        start = tf.constant(0), self._outcome.zeros(), self._outcome.basis("done")
        result: Tuple[Tensor, Tensor, Tensor] = tf.while_loop(goes_on, body, start)
        return result

    def _on_replica(self, batches: Batch, i: Tensor, stop: Tensor) -> Tensor:
        batch = {name: x[i] for name, x in batches.items()}
        step = tf.identity(self._state.step)  # read before it is counted up
        divisors = summed(self._divisors(batch), self._state.step)
        context = replica_context()
        replica = tf.convert_to_tensor(context.replica_id_in_sync_group)
        number = self._first_replica_index + replica
        losses, gradients = self._gradients(batch, divisors, step, number)
        reported = self._update.reported.pack({**self._losses.unpack(losses), "stop": stop})
        return context.merge_call(self._sum_and_update, args=(gradients, reported))

    def _sum_and_update(self, strategy: Any, gradients: List[Any], reported: Any) -> Any:
        """Sum over the replicas, update each; runs once for all of them."""
        state, extended, total = self._state, strategy.extended, tf.distribute.ReduceOp.SUM
        places = [state.variables[name] for name in self._trained]
        sums = extended.batch_reduce_to(total, list(zip(gradients, places)))
        reported = extended.reduce_to(total, reported, destinations=state.step)
        outcome = extended.update(
            state.step,
            self._update.apply,
            args=(state.variables, state.slots, state.scaling, sums, reported),
            group=False,
        )
        return outcome[0] if isinstance(outcome, tuple) else outcome
