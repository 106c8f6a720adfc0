"""Documents -> tokenized block: the segmenter's words and the tokenizer's pieces together."""

from typing import List, Optional, Sequence, Tuple

import numpy as np

from data_gen.core.columns import TokenizedBlock
from data_gen.core.counting import Counts, timed
from data_gen.core.documents import Document, WordBoundaries, joined_boundaries
from data_gen.pipeline.align import align_words
from data_gen.segmentation.boundaries import segment_sentences
from data_gen.segmentation.segmenter import Segmenter
from data_gen.tokenization.tokenizer import Tokenizer


class DocumentTokenizer:
    """A segmenter and a tokenizer. The words of its sentences are the units of masking, and those
    that similar words are looked up for.
    """

    def __init__(self, tokenizer: Tokenizer, segmenter: Segmenter, cuts_runs: bool = False) -> None:
        """Take both. `cuts_runs`: every boundary of the segmenter holds, also within a run."""
        self.tokenizer = tokenizer
        self.segmenter = segmenter
        # Of each id if its piece is of one word with the piece before it.
        self.continues = np.zeros(len(tokenizer.pieces), bool)
        if not cuts_runs:
            self.continues[list(tokenizer.continuing_ids)] = True

    def __call__(
        self, documents: Sequence[Document], marks: Optional[WordBoundaries] = None
    ) -> Tuple[TokenizedBlock, Counts]:
        """Segment documents, unless their `mark_words` are given, and tokenize them; sentences
        without pieces are left out.
        """
        counts = Counts()
        sentences = _sentences(documents)
        with timed(counts, "segment"):
            marks = marks or self.mark_words(documents)
        with timed(counts, "tokenize"):
            tokens = self.tokenizer.tokenize(sentences)
        with timed(counts, "align"):
            text, cut_off = align_words(documents, sentences, marks, tokens, self.continues)
        counts.update(
            documents=len(documents),
            characters=sum(map(len, sentences)),
            sentences=len(text.sentences) - 1,
            words=len(text.words) - 1,
            pieces=len(text.pieces),
            unknown_pieces=int((text.pieces == self.tokenizer.unk).sum()),
            misaligned_sentences=len(marks.misaligned),
            rejoined_pieces=cut_off,
        )
        return text, counts

    def mark_words(self, documents: Sequence[Document]) -> WordBoundaries:
        """Find the words of documents, or return those that they have."""
        if documents and documents[0].words is not None:  # so all of a block have theirs
            return joined_boundaries(documents)
        return segment_sentences(self.segmenter, _sentences(documents))


def _sentences(documents: Sequence[Document]) -> List[str]:
    return [sentence for document in documents for sentence in document.sentences]
