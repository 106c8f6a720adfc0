"""The best pieces at positions, as a graph function."""

from typing import Callable, Dict, NamedTuple, Optional, Tuple

from pretrain.config import BertConfig
from pretrain.model.bert import Variables, encode
from pretrain.model.heads import piece_logits
from pretrain.runtime.tensorflow import Tensor, tf


class Proposals(NamedTuple):
    """For every position of a batch, the most probable first."""

    ids: Tensor  # int32 [B, S, K]
    probabilities: Tensor  # float32 [B, S, K]
    own: Tensor  # float32 [B, S]: the probability of the piece that stands there


def propose(
    variables: Variables, batch: Dict[str, Tensor], config: BertConfig, count: int
) -> Proposals:
    """The `count` most probable pieces of each position, as the masked LM head sees them.

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
        tf.reshape(found.own, shape),
    )


def propose_at(
    variables: Variables,
    batch: Dict[str, Tensor],
    places: Tensor,
    config: BertConfig,
    count: int,
    suits: Optional[Callable[[Tensor], Tensor]] = None,
) -> Proposals:
    """The same at some positions only, which saves most of the work: [N, K] and [N].

    places: int32 [N], row * S + column
    suits:  int32 [N], the ids that stand there -> bool [N, V], what may be proposed for each
            (default: anything). The probabilities stay those among all pieces.
    """
    sequence = tf.reshape(encode(variables, batch, config), [-1, config.hidden_size])
    probabilities = tf.nn.softmax(piece_logits(variables, tf.gather(sequence, places), config))
    standing = tf.gather(tf.reshape(batch["input_ids"], [-1]), places)
    # By pairs: 1.15 cannot gather one of each row.
    rows = tf.range(tf.size(places))
    own = tf.gather_nd(probabilities, tf.stack([rows, standing], axis=1))
    if suits is not None:
        probabilities = tf.where(suits(standing), probabilities, tf.zeros_like(probabilities))
    best, ids = _top(probabilities, count)
    return Proposals(ids, best, own)


_GROUP = 128


def _top(values: Tensor, count: int) -> Tuple[Tensor, Tensor]:
    """The `count` largest of each row and their columns, as `tf.math.top_k`, which takes five times
    as long for the columns of a vocabulary: the largest lie in the groups of columns whose largest
    are the largest.
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
