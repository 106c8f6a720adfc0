"""Text as the ids that a model reads, by the generator's own tokenizers.

They need Python 3.9 and the extra `data`, which training does not.
"""

import os
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from data_gen.settings import UserError
from pretrain import files
from pretrain.model import tokenizer_kind, tokenizer_settings
from pretrain.run import VOCAB

SENTENCEPIECE = "spiece.model"
MASK = "[MASK]"  # in a text that is to be filled

# Sequences are padded to a multiple of this, so that few shapes are compiled.
_ROUND = 32

_LONG_DOCUMENT = 1000  # sentences


def load_tokenizer(folder: str) -> Any:
    """The tokenizer (`data_gen.pieces.Tokenizer`) of the model in `folder`, by its
    tokenizer_config.json and vocab.txt, for SentencePiece also spiece.model.

    Raises UserError where a file or a package is missing.
    """
    settings = tokenizer_settings(folder)
    try:
        from data_gen.tokenizer import TOKENIZERS
    except ImportError as error:
        raise UserError(
            f"text needs Python 3.9 or newer and the generator's packages ({error}): "
            "pip install '.[data]'"
        ) from error
    name = tokenizer_kind(settings)
    if name not in TOKENIZERS:
        raise UserError(f"{folder} is of a model with {name}, not one of {', '.join(TOKENIZERS)}")
    model = os.path.join(folder, SENTENCEPIECE) if name == "sentencepiece" else None
    if model and not files.exists(model):
        raise UserError(f"{model} is missing: copy the tokenizer.model of the build to it")
    vocab_file = files.on_disk(os.path.join(folder, VOCAB))
    return TOKENIZERS[name](vocab_file, model and files.on_disk(model), settings["do_lower_case"])


class Sentence(NamedTuple):
    """A sentence, and where it comes from."""

    line: int  # of the input, from 1
    start: int  # characters of the line before it
    text: str  # without spaces around it


def split_lines(lines: Iterable[str]) -> Iterator[Sentence]:
    """The sentences of all lines, in order; blank lines have none."""
    from data_gen.splitting import split_sentences

    for number, line in enumerate(lines, start=1):
        start = 0
        for text in split_sentences(line):
            start = line.index(text, start)
            yield Sentence(number, start, text)
            start += len(text)


class Encoded(NamedTuple):
    """The pieces of a sentence."""

    ids: List[int]
    offsets: List[Tuple[int, int]]  # half-open, characters of the sentence; see Tokenizer.encode


def encode_with_masks(tokenizer: Any, sentences: Sequence[str]) -> List[Encoded]:
    """Tokenize sentences in which [MASK] is the mask, not the characters it is made of.

    What stands between the masks is tokenized by itself.
    """
    parts = [sentence.split(MASK) for sentence in sentences]
    encoded = iter(tokenizer.encode([part for own in parts for part in own]))
    return [_joined(tokenizer.mask, own, encoded) for own in parts]


def _joined(mask: int, parts: Sequence[str], encoded: Iterator[Any]) -> Encoded:
    """One sentence of its parts, taken from `encoded`, with a mask between each two."""
    joined = Encoded([], [])
    start = 0
    for number, part in enumerate(parts):
        if number:
            joined.ids.append(mask)
            joined.offsets.append((start - len(MASK), start))
        ids, offsets = next(encoded)
        joined.ids.extend(ids)
        joined.offsets.extend((start + first, start + last) for first, last in offsets)
        start += len(part) + len(MASK)
    return joined


def padded_length(pieces: int, most: Optional[int] = None) -> int:
    """The length of a sequence of so many pieces in a batch: with [CLS] and [SEP], rounded up to a
    multiple of 32, but not above `most`, the positions that the model has.
    """
    length = -(-(pieces + 2) // _ROUND) * _ROUND
    return length if most is None else min(length, most)


def as_batch(
    sequences: Sequence[Sequence[int]], cls: int, sep: int, most: Optional[int] = None
) -> Dict[str, "np.ndarray"]:
    """`[CLS] pieces [SEP]` of each sequence, as `bert.encode` takes them.

    sequences: ids of pieces, without special tokens
    Returns    input_ids, input_mask, segment_ids: int32 [B, S], S the `padded_length` of the
               longest
    """
    longest = max(len(pieces) for pieces in sequences)
    ids = np.zeros([len(sequences), padded_length(longest, most)], np.int32)
    mask = np.zeros_like(ids)
    for row, pieces in enumerate(sequences):
        ids[row, : len(pieces) + 2] = [cls, *pieces, sep]
        mask[row, : len(pieces) + 2] = 1
    return {"input_ids": ids, "input_mask": mask, "segment_ids": np.zeros_like(ids)}


def sentences_of(inputs: Sequence[str]) -> Iterator[List[str]]:
    """The sentences of each document of UTF-8 text files, `-` for standard input, read as they are
    asked for. A blank line ends a document, and so do 1,000 sentences: memory does not grow with
    the text.

    Raises UserError where a file cannot be read.
    """
    from data_gen.splitting import split_sentences

    for path in inputs:
        document: List[str] = []
        for line in read_lines(path):
            found = split_sentences(line)
            document += found
            if document and (not found or len(document) >= _LONG_DOCUMENT):
                yield document
                document = []
        if document:
            yield document


def read_lines(path: str) -> Iterator[str]:
    """The lines of a UTF-8 file, or with `-` of the standard input, without holding more than one.

    Raises UserError where the file cannot be read or is not UTF-8.
    """
    name = "the standard input" if path == "-" else path
    try:
        with open(0 if path == "-" else path, "rb", closefd=path != "-") as handle:
            for number, line in enumerate(handle, start=1):
                yield line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise UserError(
            f"line {number} of {name} is not UTF-8: unpack it, or convert it, e.g. with iconv -f "
            "gb18030 -t utf-8"
        ) from error
    except OSError as error:
        raise UserError(f"cannot read {name}: {error.strerror}") from error
