"""Pseudo-perplexity: what a masked LM makes of ordinary text, one position at a time.

Salazar et al. 2020, Masked Language Model Scoring (arXiv 1910.14659). The perplexity of a training
or of `evaluate` depends on the recipe that masked the records: more difficult places, higher
perplexity. Here the text is restored first, then each piece is hidden once and the model is asked
for it, all others being there. Two models can be compared on the same records, whatever made them,
if their vocabularies are the same. The piece is hidden in two ways:

    mask          by [MASK]. Compares models that were trained with [MASK]: BERT, whole words,
                  n-grams. One that has never seen [MASK], such as MacBERT, does badly here, and
                  that says nothing of what it knows.
    random_piece  by a random piece. Every recipe puts one in some 10 % of its places, so no model
                  meets something new, and all can be compared. But the model does not know that
                  the piece is wrong, and recipes teach different odds: of the pieces that BERT is
                  asked for and sees, half are random and half are right; of MacBERT's 80 % are
                  similar words. So a small difference between two recipes says nothing.

A single hidden piece can be guessed from the rest of its word, which stays; records know no words.
So both figures are lower than those of a text whose whole words are hidden.

N sequences, S max_seq_length.
"""

from typing import Any, Dict, Iterator, NamedTuple

import numpy as np

from data_gen.shared.dataset.dataset_info import DatasetInfo
from data_gen.shared.errors import UserError
from data_gen.shared.vocabulary import SPECIALS, read_pieces
from pretrain.checkpoint.load import Model
from pretrain.evaluate.head_scores import HeadProbe, Question
from pretrain.inputs.batches import all_batches, open_data, readable
from pretrain.inputs.checks import require_for_model
from pretrain.inputs.verify import verify
from pretrain.learning.objectives import DEFAULT, OBJECTIVES
from pretrain.model.heads import OUTPUT_BIAS
from pretrain.runtime.devices import device_errors_explained, one_device
from pretrain.text.batches import padded_length

_BATCH = 32  # copies of sequences


class _Texts(NamedTuple):
    """The first sequences of a data set as they were before masking; int32 [N, S]."""

    ids: np.ndarray
    mask: np.ndarray
    segments: np.ndarray


def pseudo_perplexity(model: Model, folder: str, sequences: int, seed: int = 0) -> Dict[str, Any]:
    """Measure a model on the first sequences of a data set, in both ways.

    [CLS], [SEP] and [UNK] are not asked for.

    seed: of the random pieces. They are drawn by (seed, sequence, position), equally often, from
          the pieces that occur in these sequences, without the right one: half of a vocabulary may
          never occur in any text, and no model has learned anything of those.

    Raises UserError if the model has no masked LM head or the data do not belong to it.
    """
    if OUTPUT_BIAS not in model.variables:
        raise UserError(
            f"{model.source} has no masked LM head, which pseudo-perplexity asks: leave out "
            "--pseudo-perplexity"
        )
    info = open_data(folder)
    require_for_model(info, model.config, model.vocab_file)
    verify([info], {})
    specials = [i for i, piece in enumerate(read_pieces(model.vocab_file)) if piece in SPECIALS]
    with device_errors_explained():
        texts = _read_texts(info, model, sequences)
        asked = (texts.mask == 1) & ~np.isin(texts.ids, specials)
        pool = np.unique(texts.ids[asked])
        if len(pool) < 2:
            raise UserError(f"{folder} begins with fewer than 2 different pieces: give other data")
        probe = HeadProbe(model)
        hidden = {
            "mask": np.full_like(texts.ids, model.mask),
            "random_piece": _random_pieces(texts.ids, pool, seed),
        }
        found = {
            name: probe(_questions(texts, asked, instead)).perplexity
            for name, instead in hidden.items()
        }
    return {**found, "positions": int(asked.sum()), "sequences": len(texts.ids), "seed": seed}


def pseudo_perplexity_line(figures: Dict[str, Any]) -> str:
    """Describe the result for people."""
    return (
        f"pseudo-perplexity: {figures['mask']:,.1f} with [MASK], {figures['random_piece']:,.1f} "
        f"with a random piece in the place ({figures['positions']:,} pieces of "
        f"{figures['sequences']:,} sequences, seed {figures['seed']})"
    )


def _read_texts(info: DatasetInfo, model: Model, count: int) -> _Texts:
    """Read the first `count` sequences, or all if there are fewer, and undo their masking."""
    objective = OBJECTIVES[DEFAULT]
    features = objective.features(info)
    limits = objective.limits(info, model.config, model.settings)
    batches = all_batches(one_device(), info, features, _BATCH, limits)
    parts = []
    left = count
    for batch in readable(batches, info, features, limits):
        arrays = {name: tensor.numpy() for name, tensor in batch.items()}
        size = min(left, int(arrays["example_weights"].sum()))
        parts.append(_restored({name: array[:size] for name, array in arrays.items()}))
        left -= size
        if not left:
            break
    return _Texts(*(np.concatenate(arrays) for arrays in zip(*parts)))


def _restored(records: Dict[str, np.ndarray]) -> _Texts:
    """Put the labels into their places."""
    ids = records["input_ids"].copy()
    rows, slots = np.nonzero(records["masked_lm_weights"] > 0)
    places = records["masked_lm_positions"][rows, slots]
    ids[rows, places] = records["masked_lm_ids"][rows, slots]
    return _Texts(ids, records["input_mask"], records["segment_ids"])


def _random_pieces(ids: np.ndarray, pool: np.ndarray, seed: int) -> np.ndarray:
    """Draw a piece of `pool` for each position, another than that of `ids`, int32 [N, S]."""
    drawn = np.stack(
        [
            np.random.RandomState([seed, number]).randint(len(pool) - 1, size=ids.shape[1])
            for number in range(len(ids))
        ]
    )
    pieces: np.ndarray = pool[drawn + (drawn >= np.searchsorted(pool, ids))]
    return pieces


def _questions(texts: _Texts, asked: np.ndarray, instead: np.ndarray) -> Iterator[Question]:
    """Ask for each piece in a copy of its sequence, with `instead` in its place.

    Copies of about the same length go together, without most of the padding: few shapes are
    compiled. The last batch of a length is filled up.
    """
    most = texts.ids.shape[1]
    lengths = np.array([padded_length(int(row.sum()) - 2, most) for row in texts.mask])
    places = np.argwhere(asked)
    for length in np.unique(lengths):
        alike = places[lengths[places[:, 0]] == length]
        for start in range(0, len(alike), _BATCH):
            some = alike[start : start + _BATCH]
            rows, columns = np.resize(some, [_BATCH, 2]).T
            ids = texts.ids[rows, :length]
            ids[np.arange(_BATCH), columns] = instead[rows, columns]
            batch = {
                "input_ids": ids,
                "input_mask": texts.mask[rows, :length],
                "segment_ids": texts.segments[rows, :length],
                "masked_lm_positions": columns[:, None].astype(np.int32),
            }
            labels = texts.ids[rows, columns][:, None]
            counts = np.arange(_BATCH) < len(some)
            yield Question(batch, labels, counts[:, None].astype(np.int32))
