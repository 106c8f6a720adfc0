"""Losses and gradients of one replica, over its micro batches."""

from typing import List, Sequence, Tuple

from pretrain.checkpoint.folder import mask_id
from pretrain.config import TrainConfig
from pretrain.inputs.batches import trim
from pretrain.learning.objective import TOTAL, Batch, Preparation, mean_losses
from pretrain.learning.objectives import OBJECTIVES
from pretrain.learning.stages import Stage
from pretrain.model.bert import Mode, seeded_dropout
from pretrain.model.config import BertConfig
from pretrain.model.noise import mixed_seed
from pretrain.runtime.named_vector import NamedVector
from pretrain.runtime.tensorflow import Tensor, tf
from pretrain.train.state import State


class Gradients:
    """The forward and the backward pass of a replica."""

    def __init__(
        self,
        model: BertConfig,
        config: TrainConfig,
        stage: Stage,
        state: State,
        trained: Sequence[str],
    ) -> None:
        self._model, self._config, self._stage, self._state = model, config, stage, state
        self._trained = trained
        self._objective = OBJECTIVES[config.objective]
        # Read where it is needed: a task's vocabulary may lack [MASK].
        self._mask = mask_id(config.vocab_file) if self._objective.prepare else 0
        self._losses = self._objective.losses(config)
        self._divisors = NamedVector(list(self._losses))
        self.losses = NamedVector([TOTAL, *self._losses])

    def divisors(self, batch: Batch) -> Tensor:
        """Return the divisors of the losses in this replica's batch as a vector, to be summed over
        all replicas.
        """
        return self._divisors.pack(
            {name: loss.divisor(batch) for name, loss in self._losses.items()}
        )

    def compute(
        self, batch: Batch, divisors: Tensor, step: Tensor, replica: Tensor
    ) -> Tuple[Tensor, List[Tensor]]:
        """Return this replica's share of the losses, a vector of `losses`, and of the gradients of
        the weights that are trained.

        batch:    name -> [micro batches, B, ...]
        divisors: of the whole batch of all replicas
        """
        micro_batches = self._stage.gradient_accumulation_steps

        def of_micro_batch(i: Tensor) -> Tuple[Tensor, List[Tensor]]:
            part = {name: x[i] for name, x in batch.items()}
            number = replica * micro_batches + i
            return self._micro_batch_gradients(part, divisors, step, number)

        if micro_batches == 1:
            return of_micro_batch(tf.constant(0))

        def body(i: Tensor, *sums: Tensor) -> List[Tensor]:
            losses, gradients = of_micro_batch(i)
            return [i + 1, *(a + b for a, b in zip(sums, [losses, *gradients]))]

        zeros = [tf.zeros(self._state.variables[name].shape) for name in self._trained]
        start = [tf.constant(0), self.losses.zeros(), *zeros]
        _, losses, *gradients = tf.while_loop(lambda i, *_: i < micro_batches, body, start)
        return losses, gradients

    def _micro_batch_gradients(
        self, batch: Batch, divisors: Tensor, step: Tensor, number: Tensor
    ) -> Tuple[Tensor, List[Tensor]]:
        config, state = self._config, self._state
        batch = trim(batch, config.pad_to)
        if self._objective.prepare:
            noise_seed = mixed_seed(config.random_seed, step)
            batch = self._objective.prepare(batch, Preparation(self._mask, noise_seed))
        dropout = seeded_dropout(config.random_seed, step, number)
        with tf.GradientTape() as tape:
            fixed_shapes = config.jit_compile or config.tpu is not None
            mode = Mode(config.precision, config.recompute, fixed_shapes)
            sums = self._objective.sums(state.variables, batch, self._model, dropout, mode)
            means = mean_losses(self._losses, sums, self._divisors.unpack(divisors))
            scaled = means[TOTAL] * state.loss_scale
        found = tape.gradient(scaled, [state.variables[name] for name in self._trained])
        return self.losses.pack(means), [tf.convert_to_tensor(gradient) for gradient in found]
