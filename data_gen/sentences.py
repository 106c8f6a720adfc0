"""Documents -> text: what the segmenter's words and the tokenizer's pieces make together."""

from typing import Optional, Sequence

import numpy as np

from data_gen.config import DataConfig
from data_gen.kept import keep_last
from data_gen.normalise import opencc_version
from data_gen.pieces import Tokenizer, Tokens, word_starts
from data_gen.segment import StoredWords, joined_marks, load_segmenter, word_marks
from data_gen.settings import UserError
from data_gen.stats import Counts, timed
from data_gen.tokenizer import TOKENIZERS
from data_gen.types import Document, Marks, Text
from data_gen.words import Segmenter


class SentenceMaker:
    """A segmenter and a tokenizer. The words of its sentences are the units of masking, and those
    that similar words are looked up for.
    """

    def __init__(self, tokenizer: Tokenizer, segmenter: Segmenter) -> None:
        self.tokenizer = tokenizer
        self.segmenter = segmenter

    def __call__(self, documents: Sequence[Document], counts: Counts) -> Text:
        """Segment and tokenize documents; sentences without pieces are left out."""
        sentences = [sentence for document in documents for sentence in document.sentences]
        with timed(counts, "segment"):
            marks = self._marks(documents, sentences)
        with timed(counts, "tokenize"):
            tokens = self.tokenizer.tokenize(sentences)
        with timed(counts, "align"):
            text = _aligned(documents, sentences, marks, tokens)
        counts["documents"] += len(documents)
        counts["characters"] += sum(map(len, sentences))
        counts["sentences"] += len(text.sentences) - 1
        counts["words"] += len(text.words) - 1
        counts["pieces"] += len(text.pieces)
        counts["unknown_pieces"] += int((text.pieces == self.tokenizer.unk).sum())
        counts["misaligned_sentences"] += len(marks.misaligned)
        return text

    def _marks(self, documents: Sequence[Document], sentences: Sequence[str]) -> Marks:
        if documents and documents[0].marks is not None:  # so all of a block have theirs
            return joined_marks(documents)
        return word_marks(self.segmenter, sentences)


def _aligned(
    documents: Sequence[Document], sentences: Sequence[str], marks: Marks, tokens: Tokens
) -> Text:
    """Bring words and pieces together. Where they cannot be, every piece is a word."""
    starts = np.cumsum([0, *(len(sentence) + 1 for sentence in sentences)])
    pieces = np.searchsorted(tokens.first, starts)  # before each sentence, and all
    sentence = np.repeat(np.arange(len(sentences)), np.diff(pieces))
    starting = word_starts(tokens, sentence, marks.boundaries)
    starting |= np.isin(sentence, marks.misaligned)
    words = np.append(np.flatnonzero(starting), len(tokens.ids))
    filled = np.diff(pieces) > 0
    before = np.concatenate([[0], np.cumsum(filled)])  # sentences with pieces
    return Text(
        pieces=tokens.ids,
        words=words,
        sentences=np.searchsorted(words, np.append(pieces[:-1][filled], len(tokens.ids))),
        documents=before[np.cumsum([0, *(len(document.sentences) for document in documents)])],
    )


def load_tokenizer(config: DataConfig) -> Tokenizer:
    """Load the tokenizer of a configuration. Raises UserError where its vocabulary is unusable."""
    load = TOKENIZERS[config.tokenizer.name]
    tokenizer = load(config.vocab_file, config.tokenizer.model, config.do_lower_case)
    if not tokenizer.producible:
        raise UserError(f"the vocabulary {config.vocab_file} has no piece that text could give")
    return tokenizer


def load_sentence_maker(config: DataConfig) -> SentenceMaker:
    """Load the tokenizer and the segmenter of a configuration, the latter once a process.

    Raises UserError where a file of either is missing or unusable.
    """
    if config.segmenter.name == "presegmented" and config.tokenizer.name == "sentencepiece":
        raise UserError(
            "segmenter.name=presegmented puts spaces between words, and sentencepiece would "
            "write them into the pieces: use the tokenizer wordpiece or another segmenter"
        )
    return SentenceMaker(load_tokenizer(config), load_segmenter_once(config.segmenter))


# A model of hundreds of megabytes, needed for the table of similar words and for the build.
load_segmenter_once = keep_last(load_segmenter)


def text_opencc(config: DataConfig) -> Optional[str]:
    """The version of OpenCC that the text of the input is or was converted with, if it is."""
    if isinstance(config.segmenter, StoredWords):
        return config.segmenter.opencc
    return opencc_version() if config.corpus.opencc else None
