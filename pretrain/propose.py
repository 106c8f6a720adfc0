"""What the model would put at every position of a text.

B batch, S sequence, H hidden, K proposals, N positions.
"""

from typing import Dict, NamedTuple

from pretrain.bert import Variables, encode
from pretrain.config import BertConfig
from pretrain.devices import Tensor, tf
from pretrain.heads import piece_logits


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
    ids = batch["input_ids"]
    sequence = encode(variables, batch, config)
    hidden = tf.reshape(sequence, [-1, config.hidden_size])
    found = propose_at(variables, hidden, tf.reshape(ids, [-1]), config, count)
    shape = tf.shape(ids)
    shape_k = tf.concat([shape, [count]], axis=0)
    return Proposals(
        tf.reshape(found.ids, shape_k),
        tf.reshape(found.probabilities, shape_k),
        tf.reshape(found.own, shape),
    )


def propose_at(
    variables: Variables, hidden: Tensor, ids: Tensor, config: BertConfig, count: int
) -> Proposals:
    """The same of N positions alone: what costs is the product with the whole vocabulary.

    hidden:  float [N, H], the last layer there
    ids:     int32 [N], the pieces that stand there
    Returns  [N, K], [N, K], [N]
    """
    probabilities = tf.nn.softmax(piece_logits(variables, hidden, config))
    best, places = tf.math.top_k(probabilities, k=count)
    # 1.15 has no batch axis in indices of one axis
    own = tf.gather(probabilities, ids[:, None], batch_dims=1)[:, 0]
    return Proposals(places, best, own)
