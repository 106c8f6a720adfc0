"""Documents -> sentences: what the segmenter's words and the tokenizer's pieces make together."""

from typing import List, Optional, Sequence

from data_gen.config import DataConfig
from data_gen.kept import keep_last
from data_gen.pieces import Offsets, Tokenizer, piece_spans, word_spans
from data_gen.segment import load_segmenter, word_boundaries
from data_gen.settings import UserError
from data_gen.stats import Counts, timed
from data_gen.tokenizer import TOKENIZERS
from data_gen.types import Document, Sentence
from data_gen.words import Segmenter


class SentenceMaker:
    """A segmenter and a tokenizer. The words of its sentences are the units of masking, and those
    that similar words are looked up for.
    """

    def __init__(self, tokenizer: Tokenizer, segmenter: Segmenter) -> None:
        self.tokenizer = tokenizer
        self.segmenter = segmenter

    def __call__(self, documents: Sequence[Document], counts: Counts) -> List[List[Sentence]]:
        """The sentences of each document, segmented and tokenized in two batches for all of them;
        those without pieces are left out.
        """
        texts = [sentence for document in documents for sentence in document.sentences]
        with timed(counts, "segment"):
            boundaries = word_boundaries(self.segmenter, texts)
        with timed(counts, "tokenize"):
            encoded = self.tokenizer.encode(texts)
        with timed(counts, "align"):
            made = (
                self._sentence(pieces, offsets, marks, counts)
                for (pieces, offsets), marks in zip(encoded, boundaries)
            )
            grouped = [
                [sentence for _, sentence in zip(document.sentences, made) if sentence.pieces]
                for document in documents
            ]
        counts["documents"] += len(documents)
        counts["characters"] += sum(map(len, texts))
        for group in grouped:
            counts["sentences"] += len(group)
            counts["words"] += sum(len(sentence.words) for sentence in group)
            counts["pieces"] += sum(len(sentence.pieces) for sentence in group)
        return grouped

    def _sentence(
        self, pieces: List[int], offsets: Offsets, boundaries: Optional[List[int]], counts: Counts
    ) -> Sentence:
        counts["unknown_pieces"] += pieces.count(self.tokenizer.unk)
        if boundaries is None:
            counts["misaligned_sentences"] += 1
            return Sentence(tuple(pieces), piece_spans(len(pieces)))
        return Sentence(tuple(pieces), word_spans(offsets, boundaries))


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
    return SentenceMaker(load_tokenizer(config), _load_segmenter(config.segmenter))


# A model of hundreds of megabytes, needed for the table of similar words and for the build.
_load_segmenter = keep_last(load_segmenter)
