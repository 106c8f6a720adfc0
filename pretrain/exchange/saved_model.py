"""Write a model as a TF2 SavedModel, for TensorFlow Serving and programs with TensorFlow alone.

B batch, S sequence, H hidden, M the most [MASK] of a sequence in the batch, K proposals or labels.
B and S are free; input_mask is 0 for padding.
"""

import os
import tempfile
from typing import Any, Callable, Dict, List, Mapping

from data_gen.shared.errors import UserError
from pretrain.checkpoint.folder import MODEL, TOKENIZER
from pretrain.checkpoint.load import Model
from pretrain.learning import classification, span
from pretrain.model.bert import encode, pool
from pretrain.model.electra import discriminator_scores
from pretrain.model.proposals import propose, propose_at
from pretrain.runtime import files
from pretrain.runtime.tensorflow import Tensor, is_version_1, tf

Function = Callable[[Dict[str, Tensor]], Dict[str, Tensor]]  # of a batch

_INPUTS = ("input_ids", "input_mask", "segment_ids")
_LABELS = "labels.txt"


def write_saved_model(model: Model, folder: str, functions: Mapping[str, Function]) -> None:
    """Write a SavedModel with the functions as signatures, and the model's vocab.txt,
    bert_config.json and tokenizer_config.json as assets; of a classification also labels.txt, a
    label a line.

    Raises UserError on TensorFlow 1.15.
    """
    if is_version_1():
        raise UserError(
            "a SavedModel with signatures needs TensorFlow 2: export with --format tf1 here, and "
            "from that with --format saved_model there"
        )
    module = tf.Module()
    # Only variables and assets that the module refers to are saved.
    module.weights = list(model.variables.values())
    signatures = {name: _signature(module, function) for name, function in functions.items()}
    with tempfile.TemporaryDirectory() as scratch:
        module.assets = [tf.saved_model.Asset(path) for path in _assets(model, scratch)]
        tf.saved_model.save(module, folder, signatures=signatures)


def _assets(model: Model, scratch: str) -> List[str]:
    beside = [os.path.join(os.path.dirname(model.vocab_file), name) for name in (MODEL, TOKENIZER)]
    if model.settings.labels:
        beside.append(os.path.join(scratch, _LABELS))
        files.write_text(beside[-1], "".join(f"{label}\n" for label in model.settings.labels))
    return [model.vocab_file, *(path for path in beside if os.path.exists(path))]


def _signature(module: Any, function: Any) -> Any:
    specs = [tf.TensorSpec([None, None], tf.int32, name=name) for name in _INPUTS]

    def run(*tensors: Tensor) -> Dict[str, Tensor]:
        result: Dict[str, Tensor] = function(dict(zip(_INPUTS, tensors)))
        return result

    return tf.function(run, input_signature=specs)


def of_proposals(model: Model, count: int) -> Dict[str, Function]:
    """Return the functions of a model with its masked LM head; `count` is K."""
    return {
        "encode": lambda batch: encoded(model, batch),
        "fill_mask": lambda batch: filled(model, batch, count),
        "correct": lambda batch: corrected(model, batch, count),
    }


def of_labels(model: Model, count: int) -> Dict[str, Function]:
    """Return the function of a classification: `probabilities` of its labels, float32 [B, K]."""

    def classify(batch: Dict[str, Tensor]) -> Dict[str, Tensor]:
        scores = classification.logits(model.variables, batch, model.config)
        return {"probabilities": tf.nn.softmax(scores)}

    return {"encode": lambda batch: encoded(model, batch), "classify": classify}


def of_spans(model: Model, count: int) -> Dict[str, Function]:
    """Return the function of a model of spans: `start_scores` and `end_scores`, the logits of every
    position as the first and the last piece of the answer, float32 [B, S].
    """

    def answer(batch: Dict[str, Tensor]) -> Dict[str, Tensor]:
        scores = span.logits(model.variables, batch, model.config)
        return {"start_scores": scores[0], "end_scores": scores[1]}

    return {"answer": answer}


def of_replaced(model: Model, count: int) -> Dict[str, Function]:
    """Return the function of a discriminator: `probabilities` that the piece at each position is a
    replaced one, float32 [B, S].
    """

    def detect(batch: Dict[str, Tensor]) -> Dict[str, Tensor]:
        scores = discriminator_scores(model.variables, batch, model.config)
        return {"probabilities": tf.sigmoid(scores)}

    return {"encode": lambda batch: encoded(model, batch), "detect": detect}


def encoded(model: Model, batch: Dict[str, Tensor]) -> Dict[str, Tensor]:
    """Return sequence_output, float32 [B, S, H], the last layer; pooled_output, float32 [B, H]."""
    sequence = encode(model.variables, batch, model.config)
    return {"sequence_output": sequence, "pooled_output": pool(model.variables, sequence)}


def filled(model: Model, batch: Dict[str, Tensor], count: int) -> Dict[str, Tensor]:
    """Return proposals for each [MASK], the most probable first.

    positions:     int32 [B, M], of the [MASK]s in the sequence; -1 is padding
    ids:           int32 [B, M, K]; 0 in padding
    probabilities: float32 [B, M, K]; 0 in padding
    """
    ids = batch["input_ids"]
    masks = tf.logical_and(tf.equal(ids, model.mask), tf.equal(batch["input_mask"], 1))
    places = tf.where(masks)  # int64 [N, 2]
    flat = tf.cast(places[:, 0], tf.int32) * tf.shape(ids)[1] + tf.cast(places[:, 1], tf.int32)
    found = propose_at(model.variables, batch, flat, model.config, count)
    count_rows = tf.shape(ids, out_type=tf.int64)[0]
    rows = tf.RaggedTensor.from_value_rowids(places, places[:, 0], nrows=count_rows)

    def by_row(values: Tensor, padding: Any) -> Tensor:
        return rows.with_values(values).to_tensor(padding)

    return {
        "positions": by_row(tf.cast(places[:, 1], tf.int32), -1),
        "ids": by_row(found.ids, 0),
        "probabilities": by_row(found.probabilities, 0.0),
    }


def corrected(model: Model, batch: Dict[str, Tensor], count: int) -> Dict[str, Tensor]:
    """Return ids and probabilities, [B, S, K], of the pieces that the model expects at every
    position, and own_probability, [B, S], of the piece in the text.
    """
    found = propose(model.variables, batch, model.config, count)
    return {
        "ids": found.ids,
        "probabilities": found.probabilities,
        "own_probability": found.actual,
    }
