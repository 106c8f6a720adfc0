"""Sentence -> words. `SEGMENTERS` is the table of engines; each is imported when it is asked for. A
further one is a function and an entry there.

Most engines eat spaces (LTP) or glue words across them, so a text goes to the engine in its
whitespace-free runs and the words are given back as character offsets. What an engine drops within
a run is put back as a word of its own; an engine whose words are not in the run at all is reported,
not trusted. jieba keeps spaces, and is given many sentences at once.
"""

import re
import warnings
from dataclasses import dataclass
from importlib import metadata
from typing import Any, Callable, Dict, NamedTuple, Optional, Sequence, Tuple

from data_gen.segmentation.latin import load_latin
from data_gen.segmentation.ltp import load_ltp
from data_gen.segmentation.segmenter import Segmenter
from data_gen.segmentation.user_dictionary import UserWord, read_user_words, require_matching
from data_gen.shared.bounds import require_between
from data_gen.shared.errors import UserError
from data_gen.shared.extras import import_extra
from data_gen.shared.files import file_sha256
from data_gen.shared.settings import file_setting, require_one_of


@dataclass(frozen=True)
class SegmenterConfig:
    """The engine that makes the words, and its settings."""

    name: str = "ltp"  # what makes the words: a name in SEGMENTERS
    # A folder with config.json, or a hub id, for ltp; null: LTP/legacy.
    model: Optional[str] = file_setting(None, any_name=True)
    user_dict: Optional[str] = file_setting(
        None
    )  # lines `word [frequency [tag]]`, for ltp, jieba, rjieba
    device: str = "auto"  # of a neural model of ltp; auto: cuda if there is one
    batch_size: int = 32  # of a neural model of ltp: runs of text in one pass

    def __post_init__(self) -> None:
        require_one_of("segmenter.name", self.name, list(SEGMENTERS))
        if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", self.device):
            raise ValueError(
                f"segmenter.device must be auto, cpu, cuda or cuda:N, not {self.device}"
            )
        require_between(self, "batch_size", 1, 1_000_000, "segmenter.")


def load_segmenter(config: SegmenterConfig) -> Segmenter:
    """Load an engine and the user's words.

    Raises UserError where a file or a package is missing or unusable, or the engine does not take
    a setting.
    """
    kind = SEGMENTERS[config.name]
    for setting in {"model", "user_dict"}.difference(kind.takes):
        _refuse(config, setting)
    user_words = read_user_words(config.user_dict) if config.user_dict else []
    if config.user_dict and kind.keeps_whole:
        keeps_whole = kind.keeps_whole()
        why = f"since {config.name} always ends words within it (take it out, or use LTP)"
        require_matching(
            config.user_dict, user_words, lambda word: None if keeps_whole(word) else why
        )
    segmenter = kind.load(config, user_words)
    if not config.user_dict:
        return segmenter
    digest = file_sha256(config.user_dict)[:16]
    return segmenter._replace(identity=f"{segmenter.identity}, user_dict {digest}")


def _refuse(config: SegmenterConfig, setting: str) -> None:
    if getattr(config, setting):
        others = [name for name, kind in SEGMENTERS.items() if setting in kind.takes]
        raise UserError(
            f"the segmenter {config.name} takes no {setting}: remove segmenter.{setting}, or set "
            f"segmenter.name to {' or '.join(others)}"
        )


def _ltp(config: SegmenterConfig, user_words: Sequence[UserWord]) -> Segmenter:
    """Load LTP's perceptron or a neural model of LTP."""
    return load_ltp(config.model, user_words, config.device, config.batch_size)


def _import_jieba() -> Any:
    with warnings.catch_warnings():  # of its own regular expressions, on every new Python
        warnings.simplefilter("ignore")
        jieba = import_extra("jieba", "data", "the segmenter jieba")
    return jieba


def _jieba_keeps_whole() -> Callable[[str], bool]:
    """Ask jieba's own pattern of what it looks up; the rest it cuts at once."""
    pattern = _import_jieba().re_han_default
    return lambda word: len(word) == 1 or bool(pattern.fullmatch(word))


def _jieba(config: SegmenterConfig, user_words: Sequence[UserWord]) -> Segmenter:
    """Load the package `jieba` with its own dictionary."""
    jieba = _import_jieba()
    # One's own, with a dictionary read from the package: jieba's is shared by the process, and its
    # cache in the temporary folder may be another version's.
    engine = jieba.Tokenizer()
    engine.FREQ, engine.total = engine.gen_pfdict(engine.get_dict_file())
    engine.initialized = True
    for word in user_words:
        engine.add_word(word.text, word.frequency, word.tag)
    # It ends words at whitespace and gives that back as words of its own.
    identity = f"jieba {metadata.version('jieba')}"
    return Segmenter(lambda texts: map(engine.lcut, texts), identity, keeps_whitespace=True)


def _rjieba(config: SegmenterConfig, user_words: Sequence[UserWord]) -> Segmenter:
    """Load jieba in Rust: the same words, twenty times as fast."""
    rjieba = import_extra("rjieba", "data", "the segmenter rjieba")
    cut = rjieba.cut  # of the engine that the import loaded: a second one takes .15 s and 25 MB
    if user_words:
        engine = rjieba.Jieba()
        for word in user_words:
            engine.add_word(word.text, word.frequency, word.tag)
        cut = engine.cut
    identity = f"rjieba {metadata.version('rjieba')}"
    return Segmenter(lambda texts: map(cut, texts), identity, keeps_whitespace=True)


def _rjieba_keeps_whole() -> Callable[[str], bool]:
    """Try each word with the greatest frequency, on an engine of its own."""
    import rjieba

    engine = rjieba.Jieba()

    def keeps_whole(word: str) -> bool:
        engine.add_word(word, _GREATEST_FREQUENCY, None)
        return bool(engine.cut(word) == [word])

    return keeps_whole


_GREATEST_FREQUENCY = 9_999_999_999


def _presegmented(config: SegmenterConfig, user_words: Sequence[UserWord]) -> Segmenter:
    """Take the words that spaces separate in the text itself."""
    return Segmenter(lambda runs: [[run] for run in runs], "presegmented")


def _char(config: SegmenterConfig, user_words: Sequence[UserWord]) -> Segmenter:
    """Make every character a word, as BERT-base did."""
    return Segmenter(lambda runs: map(list, runs), "char")


def _latin(config: SegmenterConfig, user_words: Sequence[UserWord]) -> Segmenter:
    """Take what stands between spaces and marks, of English and mixed text."""
    return load_latin()


class SegmenterKind(NamedTuple):
    """An entry of SEGMENTERS: how an engine is loaded, and what others must know of it."""

    load: Callable[[SegmenterConfig, Sequence[UserWord]], Segmenter]
    takes: Tuple[str, ...] = ()  # of SegmenterConfig's model and user_dict; refused otherwise
    # The spaces of its input stand between words: none of them is one of the text.
    spaces_separate_words: bool = False
    # Its boundaries hold within a run of letters and digits, too: a `##` piece may be a word.
    cuts_runs: bool = False
    # Returns a test of words: False for one that the engine never finds, whatever its frequency.
    keeps_whole: Optional[Callable[[], Callable[[str], bool]]] = None


SEGMENTERS: Dict[str, SegmenterKind] = {
    "ltp": SegmenterKind(_ltp, takes=("model", "user_dict")),
    "jieba": SegmenterKind(_jieba, takes=("user_dict",), keeps_whole=_jieba_keeps_whole),
    "rjieba": SegmenterKind(_rjieba, takes=("user_dict",), keeps_whole=_rjieba_keeps_whole),
    "presegmented": SegmenterKind(_presegmented, spaces_separate_words=True),
    "latin": SegmenterKind(_latin),
    "char": SegmenterKind(_char, cuts_runs=True),
}
