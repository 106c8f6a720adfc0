"""Train the vocabulary of a tokenizer from text, as its entry in `TOKENIZERS` does it."""

import os
import random
from typing import Iterable, Iterator, List, Sequence

from data_gen.config import DataConfig
from data_gen.core.documents import Document
from data_gen.core.progress import Progress
from data_gen.corpus.blocks import TextFile, group_into_blocks
from data_gen.corpus.read import read_blocks
from data_gen.engine.processes import LocalEngine
from data_gen.jobs.inputs import scan_text_files
from data_gen.segmentation.boundaries import word_boundaries
from data_gen.segmentation.segmenters import load_segmenter
from data_gen.shared.errors import UserError
from data_gen.storage.writing import write_new
from data_gen.tokenization.tokenizers import TOKENIZERS
from data_gen.tokenization.training import VOCABULARY, Options, TrainingText

# Bytes of the sample that is cut into words: SentencePiece keeps every word in memory, about 30
# bytes for each of the text's.
SAMPLE = 64 << 20


def train_vocabulary(
    config: DataConfig, inputs: Sequence[str], output: str, options: Options, show: Progress
) -> List[str]:
    """Train the vocabulary of the tokenizer that `config` names. Returns its pieces.

    Writes vocab.txt into the folder `output`, the tokenizer's model before it, if it has one.
    Raises UserError for input that is missing, unreadable or empty, a size too small for the text's
    characters, and where `output` holds a vocabulary.
    """
    if os.path.exists(os.path.join(output, VOCABULARY)):
        raise UserError(f"{output} holds a {VOCABULARY} already: choose another --output")
    files = scan_text_files(inputs, config.corpus, output, LocalEngine(1), show).files
    text = TrainingText(
        lambda: _sentences(config, files, show), lambda: _words(config, files, show)
    )
    made = TOKENIZERS[config.tokenizer.name].train(text, config.do_lower_case, options)
    os.makedirs(output, exist_ok=True)
    for name, content in made.items():
        write_new(os.path.join(output, name), content)
    return made[VOCABULARY].decode().split("\n")[:-1]


def _blocks(
    config: DataConfig, files: Sequence[TextFile], show: Progress
) -> Iterable[List[Document]]:
    """Read the documents of every block, one block at a time."""
    blocks = list(group_into_blocks(files))
    return show("read", len(blocks), read_blocks(blocks, config.corpus))


def _sentences(config: DataConfig, files: Sequence[TextFile], show: Progress) -> Iterator[str]:
    for documents in _blocks(config, files, show):
        for document in documents:
            yield from document.sentences


def _words(config: DataConfig, files: Sequence[TextFile], show: Progress) -> Iterator[str]:
    """Cut a sample of the text between its words, the same one for the same random_seed."""
    segmenter = load_segmenter(config.segmenter)
    share = SAMPLE / max(1, sum(file.size for file in files))
    for documents in _blocks(config, files, show):
        sentences = []
        for document in documents:
            rng = rng_for(config.random_seed, "vocab", document.id)
            sentences += [text for text in document.sentences if rng.random() < share]
        for sentence, boundaries in zip(sentences, word_boundaries(segmenter, sentences)):
            # One that the segmenter garbled gives its characters.
            yield from cut_words(sentence, boundaries or range(len(sentence)))


def cut_words(sentence: str, boundaries: Iterable[int]) -> Iterator[str]:
    """Cut a sentence between words, but not where a space is: that belongs to the word after it.

    >>> list(cut_words("我用 Linux 系统", [0, 1, 2, 3, 8, 9, 11]))
    ['我', '用 Linux 系统']
    """
    start = 0
    for position in boundaries:
        if start < position < len(sentence) and not any(
            character.isspace() for character in sentence[position - 1 : position + 1]
        ):
            yield sentence[start:position]
            start = position
    yield sentence[start:]


def rng_for(seed: int, *work: object) -> random.Random:
    """Make the generator of one named piece of work, whichever process does it.

    >>> rng_for(1, "mask", "doc-7", 0).random() == rng_for(1, "mask", "doc-7", 0).random()
    True
    """
    return random.Random("/".join(str(part) for part in (seed, *work)))
