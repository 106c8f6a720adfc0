"""Load what settings name, once per process: tokenizer, segmenter, similar words, pipeline.

`stored_words` is the identity of the segmenter that made the words of a segmented corpus; None for
text, which is segmented by the engine of the settings.
"""

from typing import Any, Dict, List, Optional, Sequence, Tuple

from data_gen.config import DataConfig
from data_gen.core.load_once import keep_last
from data_gen.corpus.normalize import normalizer
from data_gen.corpus.sentences import split_sentences
from data_gen.masking.corruption import CORRUPTIONS
from data_gen.pipeline.block import Pipeline
from data_gen.pipeline.tokenized_text import DocumentTokenizer
from data_gen.segmentation.segmenter import Segmenter, Words
from data_gen.segmentation.segmenters import SEGMENTERS, load_segmenter
from data_gen.segmentation.user_dictionary import read_user_words, require_matching
from data_gen.shared.errors import UserError
from data_gen.shared.files import file_sha256
from data_gen.synonyms.lexicon import CandidateSource
from data_gen.synonyms.lookup import CandidateLookup, NoSimilarWords
from data_gen.synonyms.table import load_table
from data_gen.tokenization.tokenizer import Tokenizer
from data_gen.tokenization.tokenizers import TOKENIZERS, TokenizerConfig


def load_pipeline(config: DataConfig, stored_words: Optional[str] = None) -> Pipeline:
    """Load the vocabulary, the segmenter and the similar words of `config`; cached.

    Raises UserError if a file is missing or unusable.
    """
    return _load_pipeline(config, stored_words)


@keep_last
def _load_pipeline(config: DataConfig, stored_words: Optional[str]) -> Pipeline:
    tokenize_documents = load_document_tokenizer(config, stored_words)
    similar: CandidateSource = NoSimilarWords()
    if needs_similar_words(config):
        similar = load_similar(config, tokenize_documents.tokenizer)
    return Pipeline(config, tokenize_documents, similar)


def needs_similar_words(config: DataConfig) -> bool:
    """True if the corruption replaces words by similar ones."""
    return CORRUPTIONS[config.masking.corruption].similar > 0


def prepare_words(config: DataConfig, stored_words: Optional[str] = None) -> None:
    """Load the tokenizer and the segmenter, ahead of the first task."""
    load_document_tokenizer(config, stored_words).segmenter.warm_up()


def prepare_map(config: DataConfig, stored_words: Optional[str] = None) -> None:
    """Load all that map tasks need, ahead of the first."""
    prepare_words(config, stored_words)
    load_pipeline(config, stored_words)


def environment(config: DataConfig, tokenize_documents: DocumentTokenizer) -> Tuple[str, ...]:
    """Name all that decides pieces and words on this machine: vocabulary, packages and models."""
    tokenizer, segmenter = tokenize_documents.tokenizer, tokenize_documents.segmenter
    return file_sha256(config.vocab_file), tokenizer.identity, segmenter.identity


def pieces_identity(config: DataConfig) -> Dict[str, Any]:
    """Name all that decides the pieces of a word."""
    model = config.tokenizer.model
    return {
        "vocab_sha256": file_sha256(config.vocab_file),
        "tokenizer": config.tokenizer.name,
        "tokenizer_model_sha256": file_sha256(model) if model else None,
        "do_lower_case": config.do_lower_case,
    }


def load_similar(config: DataConfig, tokenizer: Tokenizer) -> CandidateLookup:
    """Load the table that the settings name.

    Raises UserError if there is none, or it was made for another vocabulary or tokenizer.
    """
    path = config.synonyms.table
    if not path:
        raise UserError(
            "which table of similar words? Make one with `python -m data_gen synonyms build`, give "
            "it with --set synonyms.table=FILE"
        )
    table = load_table(path)
    ours = pieces_identity(config)
    if {name: table.provenance[name] for name in ours} != ours:
        raise UserError(
            f"{path} was made for another vocabulary or tokenizer: build it again with the "
            "settings of this build"
        )
    greatest = max(
        (int(layer.pieces.max(initial=-1)) for layer in table.layers.values()), default=-1
    )
    if greatest >= len(tokenizer.pieces):
        raise UserError(
            f"{path} holds the id {greatest}, and the vocabulary {config.vocab_file} ends at "
            f"{len(tokenizer.pieces) - 1}: build the table again"
        )
    return CandidateLookup(table, tokenizer, config.synonyms)


def load_tokenizer(config: DataConfig) -> Tokenizer:
    """Load the tokenizer; cached. Raises UserError if its vocabulary is unusable."""
    return _load_tokenizer(config.tokenizer, config.vocab_file, config.do_lower_case)


@keep_last
def _load_tokenizer(settings: TokenizerConfig, vocab_file: str, do_lower_case: bool) -> Tokenizer:
    tokenizer = TOKENIZERS[settings.name].load(vocab_file, settings.model, do_lower_case)
    if not tokenizer.reachable_ids:
        raise UserError(f"the vocabulary {vocab_file} has no piece that text could give")
    return tokenizer


def load_document_tokenizer(
    config: DataConfig, stored_words: Optional[str] = None
) -> DocumentTokenizer:
    """Load the tokenizer and the segmenter of the settings; both are cached.

    Raises UserError if a file of either is missing or unusable.
    """
    segmenting, tokenizer = config.segmenter.name, config.tokenizer.name
    kind = SEGMENTERS[segmenting]
    if kind.spaces_separate_words and TOKENIZERS[tokenizer].keeps_spaces:
        raise UserError(
            f"segmenter.name={segmenting} takes spaces for ends of words, and {tokenizer} would "
            "write them into the pieces: choose another tokenizer or another segmenter"
        )
    if stored_words is None:
        segmenter = load_text_segmenter(config)
    else:
        segmenter = Segmenter(_no_words, stored_words)
    return DocumentTokenizer(load_tokenizer(config), segmenter, kind.cuts_runs)


# A model of hundreds of megabytes, needed for the table of similar words and for the build.
load_segmenter_once = keep_last(load_segmenter)


@keep_last
def load_text_segmenter(config: DataConfig) -> Segmenter:
    """Load the segmenter for text as `corpus` gives it; cached. Raises UserError as
    `load_segmenter` does, and for a word of the user that no such text holds.
    """
    segmenter = load_segmenter_once(config.segmenter)
    path = config.segmenter.user_dict
    if path:
        normalize = normalizer(config.corpus.normalize)

        def why_never(word: str) -> Optional[str]:
            if normalize(word) != word:
                return f"since corpus.normalize writes it as {normalize(word)} (write it so)"
            if len(split_sentences(word)) > 1:
                return "since a sentence ends in it (take it out)"
            return None

        require_matching(path, read_user_words(path), why_never)
    return segmenter


def _no_words(runs: Sequence[str]) -> List[Words]:
    if runs:
        raise RuntimeError("the documents of a segmented corpus should have their words")
    return []
