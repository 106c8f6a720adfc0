"""The best pieces at positions, as a graph function."""

from typing import Callable, Dict, NamedTuple, Optional, Tuple

from pretrain.model.bert import Variables, encode
from pretrain.model.config import BertConfig
from pretrain.model.heads import piece_logits
from pretrain.runtime.tensorflow import Tensor, tf


class Proposals(NamedTuple):
    """The most probable pieces at every position of a batch, the best first."""

    ids: Tensor  # int32 [B, S, K]
    probabilities: Tensor  # float32 [B, S, K]
    actual: Tensor  # float32 [B, S]: the probability of the piece that is in the text


def propose(
    variables: Variables, batch: Dict[str, Tensor], config: BertConfig, count: int
) -> Proposals:
    """Return the `count` most probable pieces of each position, by the masked LM head.

    batch: input_ids, input_mask, segment_ids: int32 [B, S]. A position with [MASK] is filled; at
    any other the model says what it would expect there, which MLM as correction has taught it.
    """
    shape = tf.shape(batch["input_ids"])
    shape_k = tf.concat([shape, [count]], axis=0)
    places = tf.range(tf.size(batch["input_ids"]))
    found = propose_at(variables, batch, places, config, count)
    return Proposals(
        tf.reshape(found.ids, shape_k),
        tf.reshape(found.probabilities, shape_k),
        tf.reshape(found.actual, shape),
    )


def propose_at(
    variables: Variables,
    batch: Dict[str, Tensor],
    places: Tensor,
    config: BertConfig,
    count: int,
    suits: Optional[Callable[[Tensor], Tensor]] = None,
) -> Proposals:
    """Propose at some positions only, which saves most of the work: [N, K] and [N].

    places: int32 [N], row * S + column
    suits:  int32 [N], the ids in the text -> bool [N, V], the pieces that may be proposed for each
            (default: all). The probabilities stay those among all pieces.
    """
    sequence = tf.reshape(encode(variables, batch, config), [-1, config.hidden_size])
    probabilities = tf.nn.softmax(piece_logits(variables, tf.gather(sequence, places), config))
    in_text = tf.gather(tf.reshape(batch["input_ids"], [-1]), places)
    # By pairs: 1.15 cannot gather one of each row.
    rows = tf.range(tf.size(places))
    actual = tf.gather_nd(probabilities, tf.stack([rows, in_text], axis=1))
    if suits is not None:
        probabilities = tf.where(suits(in_text), probabilities, tf.zeros_like(probabilities))
    best, ids = _top(probabilities, count)
    return Proposals(ids, best, actual)


_GROUP = 128


def _top(values: Tensor, count: int) -> Tuple[Tensor, Tensor]:
    """Return the `count` largest of each row and their columns, as `tf.math.top_k`, which takes
    five times as long for a vocabulary: the largest are in the groups of columns with the largest
    maxima.
    """
    size = values.shape[1]
    if size < count * _GROUP:
        largest: Tuple[Tensor, Tensor] = tf.math.top_k(values, k=count)
        return largest
    padded = tf.pad(values, [[0, 0], [0, -size % _GROUP]])
    groups = tf.reshape(padded, [-1, -(-size // _GROUP), _GROUP])
    _, chosen = tf.math.top_k(tf.reduce_max(groups, axis=2), k=count)
    candidates = tf.reshape(tf.gather(groups, chosen, batch_dims=1), [-1, count * _GROUP])
    best, places = tf.math.top_k(candidates, k=count)
    group = tf.gather(chosen, places // _GROUP, batch_dims=1)
    return best, group * _GROUP + places % _GROUP
