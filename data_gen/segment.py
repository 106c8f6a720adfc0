"""Sentence -> words. `SEGMENTERS` names the engines; each is imported only when it is asked for.

Engines eat spaces (LTP) or glue words across them, so a sentence goes to the engine in its
whitespace-free runs and the words are given back as character offsets. An engine whose words do not
re-join to the run is reported, not trusted.
"""

import json
import os
import warnings
from importlib import metadata
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from data_gen.features import file_sha256
from data_gen.settings import UserError

DEFAULT_LTP = "LTP/legacy"  # the perceptron on the hub

Words = List[str]


class Segmenter(NamedTuple):
    """An engine: runs of text without whitespace -> the words of each; and its name, model and
    version.
    """

    words: Callable[[Sequence[str]], List[Words]]
    identity: str


def word_boundaries(segmenter: Segmenter, sentences: Sequence[str]) -> List[Optional[List[int]]]:
    """For each sentence the character positions where a word starts or ends, ascending.

    None for a sentence whose words do not re-join to its text.
    """
    runs = [(i, start, text) for i, s in enumerate(sentences) for start, text in _runs(s)]
    segmented = segmenter.words([text for _, _, text in runs])
    boundaries: List[Optional[List[int]]] = [[] for _ in sentences]
    for (i, start, text), words in zip(runs, segmented):
        marks = boundaries[i]
        if marks is None:
            continue
        if "".join(words) != text:
            boundaries[i] = None
            continue
        marks.append(start)
        for word in words:
            start += len(word)
            marks.append(start)
    return boundaries


def _runs(sentence: str) -> List[Tuple[int, str]]:
    """The whitespace-free runs of a sentence and where each starts."""
    runs = []
    position = 0
    for run in sentence.split():
        position = sentence.index(run, position)
        runs.append((position, run))
        position += len(run)
    return runs


def _ltp(model: Optional[str]) -> Segmenter:
    """LTP's structured perceptron (`ltp-extension`, no torch): a local folder, or a hub id fetched
    into the hub's cache.
    """
    from ltp_extension.perceptron import CWSModel

    model = model or DEFAULT_LTP
    folder = model if os.path.isdir(model) else fetch_ltp(model)
    path = _ltp_file(folder)
    try:
        engine = CWSModel.load(path)
    except BaseException as error:  # a Rust panic is no Exception
        if isinstance(error, KeyboardInterrupt):
            raise
        raise UserError(f"{path} is not an LTP word segmentation model") from error
    return Segmenter(
        words=lambda runs: (
            list(engine.batch_predict(list(runs), parallelism=False)) if runs else []
        ),
        identity=f"ltp {file_sha256(path)[:16]} (ltp-extension "
        f"{metadata.version('ltp-extension')})",
    )


def _ltp_file(folder: str) -> str:
    """The segmentation model that an LTP folder's config.json names."""
    path = os.path.join(folder, "config.json")
    try:
        with open(path, encoding="utf-8") as handle:
            config = json.load(handle)
        # LTP's own configuration files spell it "nerual".
        neural = config.get("nerual", config.get("neural", True))
        name = str(config["tasks"]["cws"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"{folder} is no folder of an LTP model: its config.json must name tasks.cws"
        ) from error
    if neural:
        raise UserError(
            f"{folder} is a neural LTP model; this version runs the perceptron, such as LTP/legacy"
        )
    return os.path.join(folder, name)


_LTP_FILES = {"config.json", "cws_model.bin", "source.txt"}


def claim_ltp_folder(folder: str) -> None:
    """Make a folder for a model. Raises UserError where it holds anything but an LTP model."""
    os.makedirs(folder, exist_ok=True)
    present = {name for name in os.listdir(folder) if not name.startswith(".")}
    if "config.json" in present:
        _ltp_file(folder)
    if present - _LTP_FILES:
        raise UserError(f"{folder} holds other files than an LTP model: choose another --output")


def fetch_ltp(model: str, folder: Optional[str] = None) -> str:
    """Bring the segmentation part of an LTP perceptron from the hub. Returns its folder.

    Raises UserError where the hub cannot be reached or has no such model.
    """
    from huggingface_hub import snapshot_download

    if folder:
        claim_ltp_folder(folder)
    try:
        path: str = snapshot_download(
            model, allow_patterns=["config.json", "cws_model.bin"], local_dir=folder
        )
    except Exception as error:
        raise UserError(
            f"the LTP model {model} is no local folder and cannot be fetched from the hub "
            f"({type(error).__name__}): give a "
            "folder with --set segmenter.model=DIR; `python -m data_gen segmenter train` makes "
            "one without a network"
        ) from error
    return path


def _jieba(model: Optional[str]) -> Segmenter:
    """The `jieba` package with its own dictionary."""
    _no_model("jieba", model)
    with warnings.catch_warnings():  # of its own regular expressions, on every new Python
        warnings.simplefilter("ignore")
        import jieba

    jieba.setLogLevel("WARNING")
    return Segmenter(
        lambda runs: [jieba.lcut(run) for run in runs], f"jieba {metadata.version('jieba')}"
    )


def _rjieba(model: Optional[str]) -> Segmenter:
    """jieba in Rust: the same words, twenty times as fast."""
    _no_model("rjieba", model)
    import rjieba

    return Segmenter(
        lambda runs: [rjieba.cut(run) for run in runs], f"rjieba {metadata.version('rjieba')}"
    )


def _presegmented(model: Optional[str]) -> Segmenter:
    """Words are separated by spaces in the text itself."""
    _no_model("presegmented", model)
    return Segmenter(lambda runs: [[run] for run in runs], "presegmented")


def _char(model: Optional[str]) -> Segmenter:
    """Every character is a word: what BERT-base did."""
    _no_model("char", model)
    return Segmenter(lambda runs: [list(run) for run in runs], "char")


def _no_model(name: str, model: Optional[str]) -> None:
    if model:
        raise UserError(
            f"the segmenter {name} takes no model: remove segmenter.model, or set "
            "segmenter.name=ltp"
        )


SEGMENTERS: Dict[str, Callable[[Optional[str]], Segmenter]] = {
    "ltp": _ltp,
    "jieba": _jieba,
    "rjieba": _rjieba,
    "presegmented": _presegmented,
    "char": _char,
}
