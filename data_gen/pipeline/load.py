"""Load what a configuration names, once in each process: tokenizer, segmenter, table, pipeline."""

from typing import Any, Dict, Optional, Tuple

from data_gen.config import DataConfig
from data_gen.core.load_once import keep_last
from data_gen.core.script_conversion import opencc_version
from data_gen.corpus.normalize import uses_opencc
from data_gen.masking.corruption import CORRUPTIONS
from data_gen.pipeline.block import Pipeline
from data_gen.pipeline.tokenized_text import DocumentTokenizer
from data_gen.segmentation.segmenters import SEGMENTERS, StoredWords, load_segmenter
from data_gen.shared.errors import UserError
from data_gen.shared.files import file_sha256
from data_gen.synonyms.lexicon import CandidateSource
from data_gen.synonyms.lookup import CandidateLookup, NoSimilarWords
from data_gen.synonyms.table import load_table
from data_gen.tokenization.tokenizer import Tokenizer
from data_gen.tokenization.tokenizers import TOKENIZERS


@keep_last
def load_pipeline(config: DataConfig) -> Pipeline:
    """Load the vocabulary, the segmenter and the similar words of `config`, once a process."""
    tokenize_documents = load_document_tokenizer(config)
    similar: CandidateSource = NoSimilarWords()
    if CORRUPTIONS[config.masking.corruption].needs_similar_words:
        similar = load_similar(config, tokenize_documents.tokenizer)
    return Pipeline(config, tokenize_documents, similar)


def prepare_words(config: DataConfig) -> None:
    """Load what makes words and pieces, ahead of the first task."""
    load_document_tokenizer(config).segmenter.warm_up()


def prepare_map(config: DataConfig) -> None:
    """Load what map tasks need, ahead of the first."""
    prepare_words(config)
    load_pipeline(config)


def environment(config: DataConfig, tokenize_documents: DocumentTokenizer) -> Tuple[str, ...]:
    """What decides pieces and words on this machine: the vocabulary, packages and models."""
    tokenizer, segmenter = tokenize_documents.tokenizer, tokenize_documents.segmenter
    return file_sha256(config.vocab_file), tokenizer.identity, segmenter.identity


def pieces_identity(config: DataConfig) -> Dict[str, Any]:
    """What decides the pieces of a word."""
    model = config.tokenizer.model
    return {
        "vocab_sha256": file_sha256(config.vocab_file),
        "tokenizer": config.tokenizer.name,
        "tokenizer_model_sha256": file_sha256(model) if model else None,
        "do_lower_case": config.do_lower_case,
    }


def load_similar(config: DataConfig, tokenizer: Tokenizer) -> CandidateLookup:
    """Load the table that the settings name.

    Raises UserError where it is none, or was made for another vocabulary or tokenizer.
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
    return CandidateLookup(table, tokenizer, config.synonyms)


def load_tokenizer(config: DataConfig) -> Tokenizer:
    """Load the tokenizer of a configuration. Raises UserError where its vocabulary is unusable."""
    load = TOKENIZERS[config.tokenizer.name].load
    tokenizer = load(config.vocab_file, config.tokenizer.model, config.do_lower_case)
    if not tokenizer.reachable_ids:
        raise UserError(f"the vocabulary {config.vocab_file} has no piece that text could give")
    return tokenizer


def load_document_tokenizer(config: DataConfig) -> DocumentTokenizer:
    """Load the tokenizer and the segmenter of a configuration, the latter once a process.

    Raises UserError where a file of either is missing or unusable.
    """
    segmenter, tokenizer = config.segmenter.name, config.tokenizer.name
    if SEGMENTERS[segmenter].spaces_separate_words and TOKENIZERS[tokenizer].keeps_spaces:
        raise UserError(
            f"segmenter.name={segmenter} takes spaces for ends of words, and {tokenizer} would "
            "write them into the pieces: choose another tokenizer or another segmenter"
        )
    return DocumentTokenizer(load_tokenizer(config), load_segmenter_once(config.segmenter))


# A model of hundreds of megabytes, needed for the table of similar words and for the build.
load_segmenter_once = keep_last(load_segmenter)


def text_opencc(config: DataConfig) -> Optional[str]:
    """The version of OpenCC that the text of the input is or was converted with, if it is."""
    if isinstance(config.segmenter, StoredWords):
        return config.segmenter.opencc
    return opencc_version() if uses_opencc(config.corpus.normalize) else None
