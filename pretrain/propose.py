"""What the model would put at every position of a text.

B batch, S sequence, K proposals, N positions.
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
    logits = piece_logits(variables, tf.reshape(sequence, [-1, config.hidden_size]), config)
    probabilities = tf.nn.softmax(logits)
    best, places = tf.math.top_k(probabilities, k=count)
    shape = tf.shape(ids)
    shape_k = tf.concat([shape, [count]], axis=0)
    own = tf.gather(probabilities, tf.reshape(ids, [-1]), batch_dims=1)
    return Proposals(tf.reshape(places, shape_k), tf.reshape(best, shape_k), tf.reshape(own, shape))
