"""Sentence -> words. `SEGMENTERS` names the engines; each is imported only when it is asked for.

Most engines eat spaces (LTP) or glue words across them, so a text goes to the engine in its
whitespace-free runs and the words are given back as character offsets. What an engine drops within
a run is put back as a word of its own; an engine whose words are not in the run at all is reported,
not trusted. jieba keeps spaces, and is given many sentences at once.
"""

import re
import warnings
from dataclasses import dataclass, fields
from importlib import metadata
from itertools import chain
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

import numpy as np

from data_gen.features import file_sha256
from data_gen.ltp import load_ltp
from data_gen.settings import UserError, require_one_of
from data_gen.types import Array, Document, Marks
from data_gen.words import Segmenter, UserWord, Words, align, read_user_words


@dataclass(frozen=True)
class SegmenterConfig:
    """Which engine makes the words."""

    name: str = "ltp"  # a name in SEGMENTERS
    model: Optional[str] = None  # ltp: a folder with config.json, or a hub id (default LTP/legacy)
    user_dict: Optional[str] = None  # ltp, jieba, rjieba: a file of `word [frequency [tag]]` lines
    device: str = "auto"  # ltp's neural models: cpu, cuda, cuda:N, or auto (cuda if there is one)
    batch_size: int = 32  # ltp's neural models: runs of text in one pass

    def __post_init__(self) -> None:
        require_one_of("segmenter.name", self.name, list(SEGMENTERS))
        if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", self.device):
            raise ValueError(
                f"segmenter.device must be auto, cpu, cuda or cuda:N, not {self.device}"
            )
        if self.batch_size < 1:
            raise ValueError(f"segmenter.batch_size must be at least 1, not {self.batch_size}")


@dataclass(frozen=True)
class StoredWords(SegmenterConfig):
    """An engine whose words are in the input already, so that nothing of it is loaded."""

    identity: str = ""
    opencc: Optional[str] = None  # its version, where it converted the text


def segmenter_settings(config: SegmenterConfig) -> Dict[str, Any]:
    """The settings by name, whether the words are made now or were stored."""
    return {field.name: getattr(config, field.name) for field in fields(SegmenterConfig)}


def load_segmenter(config: SegmenterConfig) -> Segmenter:
    """Load an engine and the user's words.

    Raises UserError where a file or a package is missing or unusable.
    """
    if isinstance(config, StoredWords):
        return Segmenter(_no_words, config.identity)
    user_words = read_user_words(config.user_dict) if config.user_dict else []
    segmenter = SEGMENTERS[config.name](config, user_words)
    if not config.user_dict:
        return segmenter
    digest = file_sha256(config.user_dict)[:16]
    return segmenter._replace(identity=f"{segmenter.identity}, user_dict {digest}")


def _no_words(runs: Sequence[str]) -> List[Words]:
    if runs:
        raise RuntimeError("these documents should hold their words")
    return []


def word_marks(segmenter: Segmenter, sentences: Sequence[str]) -> Marks:
    """Segment sentences and find their words in the text."""
    text = "\n".join(sentences)
    codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    spaces = is_space(codes)
    if segmenter.spaces:
        boundaries = _boundaries_with_spaces(segmenter, sentences, text, spaces)
        if boundaries is not None:
            return Marks(boundaries, np.zeros(0, np.int64))
    runs = text.split()
    sizes, strange = _sizes_in_runs(segmenter, runs)
    # The characters of all runs, one after another: words are ranges of these.
    solid = np.flatnonzero(~spaces)
    ends = np.cumsum(sizes)
    boundaries = np.zeros(len(text) + 1, bool)
    boundaries[solid[ends - sizes]] = True
    boundaries[solid[ends - 1] + 1] = True
    first = np.cumsum([0, *map(len, runs)])[strange]
    starts = np.cumsum([0, *(len(sentence) + 1 for sentence in sentences)])
    misaligned = np.unique(np.searchsorted(starts, solid[first], side="right") - 1)
    return Marks(boundaries, misaligned)


def _boundaries_with_spaces(
    segmenter: Segmenter, sentences: Sequence[str], text: str, spaces: Array
) -> Optional[Array]:
    """The same where the engine is given many sentences at once; None where its words do not
    re-join to the text.
    """
    chunks = [
        "\n".join([*sentences[start : start + _SENTENCES_AT_ONCE], ""])
        for start in range(0, len(sentences), _SENTENCES_AT_ONCE)
    ]
    words = list(chain.from_iterable(segmenter.words(chunks)))
    if "".join(words) != f"{text}\n":
        return None
    sizes = np.fromiter(map(len, words), np.int64, len(words))
    ends = np.cumsum(sizes)
    starts = ends - sizes
    solid = ~np.append(spaces, True)[starts]
    boundaries = np.zeros(len(text) + 1, bool)
    boundaries[starts[solid]] = True
    boundaries[ends[solid]] = True
    return boundaries


def _sizes_in_runs(segmenter: Segmenter, runs: Sequence[str]) -> Tuple[Array, List[int]]:
    """The characters of each word of all runs, and the numbers of the runs whose words do not lie
    in them.
    """
    found = list(segmenter.words(runs))
    strange = []
    if "".join(chain.from_iterable(found)) != "".join(runs):
        for number, run in enumerate(runs):
            aligned = align(run, found[number])
            if aligned is None:
                strange.append(number)
            found[number] = aligned or [run]
    sizes = np.fromiter(map(len, chain.from_iterable(found)), np.int64)
    return sizes[sizes > 0], strange


_SENTENCES_AT_ONCE = 64
# What `str.split` splits at; no character beyond is whitespace.
_SPACES = np.array([chr(code).isspace() for code in range(0x3002)])


def is_space(codes: Array) -> Array:
    """Which code points are whitespace."""
    spaces: Array = _SPACES[np.minimum(codes, len(_SPACES) - 1)]
    return spaces


def attach_marks(documents: Sequence[Document], marks: Marks) -> List[Document]:
    """Give each document its part of the marks of all."""
    sentences = np.cumsum([0, *(len(document.sentences) for document in documents)])
    cuts = np.searchsorted(marks.misaligned, sentences).tolist()
    attached = []
    position = 0
    for document, first, start, stop in zip(documents, sentences.tolist(), cuts, cuts[1:]):
        # A place for each character and for what follows each sentence.
        end = position + sum(map(len, document.sentences)) + len(document.sentences)
        own = Marks(marks.boundaries[position:end], marks.misaligned[start:stop] - first)
        attached.append(document._replace(marks=own))
        position = end
    return attached


def joined_marks(documents: Sequence[Document]) -> Marks:
    """The marks of all sentences of documents that have theirs: the opposite of `attach_marks`."""
    sentences = np.cumsum([0, *(len(document.sentences) for document in documents)]).tolist()
    marks = [document.marks for document in documents if document.marks is not None]
    return Marks(
        np.concatenate([np.zeros(0, bool), *(own.boundaries for own in marks)]),
        np.concatenate(
            [np.zeros(0, np.int64), *(own.misaligned + n for own, n in zip(marks, sentences))]
        ),
    )


def word_boundaries(segmenter: Segmenter, sentences: Sequence[str]) -> List[Optional[List[int]]]:
    """For each sentence the character positions where a word starts or ends, ascending.

    None for a sentence whose words do not lie in its text.
    """
    marks = word_marks(segmenter, sentences)
    found: List[Optional[List[int]]] = []
    start = 0
    for sentence in sentences:
        stop = start + len(sentence)
        found.append(np.flatnonzero(marks.boundaries[start : stop + 1]).tolist())
        start = stop + 1
    for number in marks.misaligned.tolist():
        found[number] = None
    return found


def _ltp(config: SegmenterConfig, user_words: Sequence[UserWord]) -> Segmenter:
    """LTP's perceptron or a neural model of LTP."""
    return load_ltp(config.model, user_words, config.device, config.batch_size)


def _jieba(config: SegmenterConfig, user_words: Sequence[UserWord]) -> Segmenter:
    """The `jieba` package with its own dictionary."""
    _refuse(config, "model")
    with warnings.catch_warnings():  # of its own regular expressions, on every new Python
        warnings.simplefilter("ignore")
        import jieba

    # One's own, with a dictionary read from the package: jieba's is shared by the process, and its
    # cache in the temporary folder may be another version's.
    engine = jieba.Tokenizer()
    engine.FREQ, engine.total = engine.gen_pfdict(engine.get_dict_file())
    engine.initialized = True
    for word in user_words:
        engine.add_word(*word)
    # It ends words at whitespace and gives that back as words of its own.
    identity = f"jieba {metadata.version('jieba')}"
    return Segmenter(lambda texts: map(engine.lcut, texts), identity, spaces=True)


def _rjieba(config: SegmenterConfig, user_words: Sequence[UserWord]) -> Segmenter:
    """jieba in Rust: the same words, twenty times as fast."""
    _refuse(config, "model")
    import rjieba

    engine = rjieba.Jieba()
    for word in user_words:
        engine.add_word(*word)
    identity = f"rjieba {metadata.version('rjieba')}"
    return Segmenter(lambda texts: map(engine.cut, texts), identity, spaces=True)


def _presegmented(config: SegmenterConfig, user_words: Sequence[UserWord]) -> Segmenter:
    """Words are separated by spaces in the text itself."""
    _refuse(config, "model", "user_dict")
    return Segmenter(lambda runs: [[run] for run in runs], "presegmented")


def _char(config: SegmenterConfig, user_words: Sequence[UserWord]) -> Segmenter:
    """Every character is a word: what BERT-base did."""
    _refuse(config, "model", "user_dict")
    return Segmenter(lambda runs: map(list, runs), "char")


def _refuse(config: SegmenterConfig, *settings: str) -> None:
    for setting in settings:
        if getattr(config, setting):
            raise UserError(
                f"the segmenter {config.name} takes no {setting}: remove segmenter.{setting}, or "
                "set segmenter.name=ltp"
            )


SEGMENTERS: Dict[str, Callable[[SegmenterConfig, Sequence[UserWord]], Segmenter]] = {
    "ltp": _ltp,
    "jieba": _jieba,
    "rjieba": _rjieba,
    "presegmented": _presegmented,
    "char": _char,
}
