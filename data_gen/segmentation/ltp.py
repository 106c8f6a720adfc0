"""The segmenter LTP: its perceptron (`ltp-extension`, Rust, no torch) or one of its neural models,
as the config.json of the model's folder says.
"""

import json
import os
import re
from contextlib import suppress
from functools import cache, partial
from importlib import metadata
from typing import Any, BinaryIO, Callable, Dict, Iterable, List, Optional, Sequence, Set

from data_gen.segmentation.avro_file import is_sound, is_whole
from data_gen.segmentation.ltp_neural import TOKENIZER_FILES, WEIGHTS, load_neural
from data_gen.segmentation.segmenter import Segmenter, Words, align
from data_gen.segmentation.user_dictionary import UserWord
from data_gen.shared.errors import UserError
from data_gen.shared.extras import import_extra
from data_gen.shared.files import file_sha256, user_cache

DEFAULT_LTP = "LTP/legacy"  # the perceptron on the hub
_PERCEPTRON_FILES = ("config.json", "cws_model.bin")
_NEURAL_FILES = ("config.json", WEIGHTS, *TOKENIZER_FILES)
SOURCE = "source.txt"  # where a model comes from, of `segmenter fetch` and `train`
SUMS = "SHA256SUMS"  # the checksums of its files, in the form of `sha256sum`
_FREQUENCY = 2  # of a user's word that gives none, as LTP's own add_words


def load_ltp(
    model: Optional[str], user_words: Sequence[UserWord], device: str, batch_size: int
) -> Segmenter:
    """Load LTP from a local folder, or from a hub id, fetched into the hub's cache.

    Raises UserError where the model is missing, damaged, not as it was noted, or none of LTP's.
    """
    model = model or DEFAULT_LTP
    folder = model if os.path.isdir(model) else fetch_ltp(model)
    checked = _require_noted(folder)
    config = _read_config(folder)
    if _is_neural(config):
        segmenter = load_neural(folder, config, device, batch_size)
    else:
        name = str(config["tasks"]["cws"])
        segmenter = _load_perceptron(os.path.join(folder, name), name in checked)
    if user_words:
        return segmenter._replace(words=_with_user_words(segmenter.words, user_words))
    return segmenter


def note_sums(folder: str) -> None:
    """Note the checksums of a model that was fetched or trained just now."""
    with open(os.path.join(folder, SUMS), "w", encoding="utf-8") as handle:
        for name in _files_of(folder):
            handle.write(f"{file_sha256(os.path.join(folder, name))}  {name}\n")


def _files_of(folder: str) -> List[str]:
    known = {*_PERCEPTRON_FILES, *_NEURAL_FILES}
    return sorted(known.intersection(os.listdir(folder)))


def _require_noted(folder: str) -> Set[str]:
    """Raise UserError where a file of a model is not what was noted of it, by `note_sums` or by the
    hub's cache, whose large files are named by their sha256. Returns the files with such a note.
    """
    noted, checked = {}, set()
    path = os.path.join(folder, SUMS)
    if os.path.exists(path):
        with open(path, encoding="utf-8", errors="replace") as handle:
            noted = {name: digest for digest, _, name in (line.partition("  ") for line in handle)}
    noted = {name.strip(): digest for name, digest in noted.items()}
    for name in _files_of(folder):
        file = os.path.join(folder, name)
        digest = noted.get(name, os.path.basename(os.path.realpath(file)))
        if name not in noted and not re.fullmatch("[0-9a-f]{64}", digest):
            continue
        if file_sha256(file) != digest:
            raise UserError(
                f"{file} has another sha256 than was noted when it was fetched or trained, so it "
                "is damaged: delete it, and use `segmenter fetch` or `segmenter train` again"
            )
        checked.add(name)
    return checked


def _load_perceptron(path: str, checked: bool) -> Segmenter:
    """Load a perceptron; one whose sha256 was not checked is looked through first, where words are
    made, for LTP ends the process on a damaged file. That takes two seconds, and is done once for a
    user.
    """
    perceptron = import_extra("ltp_extension.perceptron", "data", "the segmenter ltp")
    unusable = UserError(
        f"{path} is not an LTP word segmentation model, not all of it, or damaged: fetch it again "
        "with `segmenter fetch`, or make one with `segmenter train`"
    )
    require = partial(_require_model, path, unusable)
    require(is_whole)
    digest = file_sha256(path)

    @cache
    def engine() -> Any:  # loaded by those processes alone that make words: it takes a second
        if not checked:
            _look_through_once(digest, partial(require, is_sound))
        try:
            return perceptron.CWSModel.load(path)
        except (OSError, RuntimeError, ValueError) as error:
            raise unusable from error

    return Segmenter(
        words=lambda runs: (
            list(engine().batch_predict(list(runs), parallelism=False)) if runs else []
        ),
        identity=f"ltp {digest[:16]} (ltp-extension {metadata.version('ltp-extension')})",
        warm_up=engine,
    )


def _look_through_once(digest: str, look: Callable[[], None]) -> None:
    """Look through the model with this sha256, unless this user's cache says that it was done."""
    mark = os.path.join(user_cache("sound-models"), digest)
    if os.path.exists(mark):
        return
    look()
    with suppress(OSError):  # a home that cannot be written: the next process looks again
        os.makedirs(os.path.dirname(mark), exist_ok=True)
        open(mark, "wb").close()


def _require_model(path: str, unusable: UserError, test: Callable[[BinaryIO], bool]) -> None:
    """Raise `unusable` for a file that cannot be read, or does not pass the test."""
    try:
        with open(path, "rb") as handle:
            passed = test(handle)
    except OSError as error:
        raise unusable from error
    if not passed:
        raise unusable


def _with_user_words(
    words: Callable[[Sequence[str]], Iterable[Words]], user_words: Sequence[UserWord]
) -> Callable[[Sequence[str]], Iterable[Words]]:
    """Give way to the user's words by the rule of LTP's own `add_words`: they win where that makes
    fewer words, the frequent ones first. Single letters and digits side by side become one word.
    """
    hook = import_extra("ltp_extension.algorithms", "data", "segmenter.user_dict").Hook()
    for word in user_words:
        hook.add_word(word.text, word.frequency or _FREQUENCY)

    def hooked(runs: Sequence[str]) -> List[Words]:
        found = []
        for run, of_engine in zip(runs, words(runs)):
            aligned = align(run, of_engine)
            found.append(of_engine if aligned is None else hook.hook(run, aligned))
        return found

    return hooked


def _read_config(folder: str) -> Dict[str, Any]:
    try:
        with open(os.path.join(folder, "config.json"), encoding="utf-8") as handle:
            config: Dict[str, Any] = json.load(handle)
        if not _is_neural(config):
            config["tasks"]["cws"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"{folder} is no folder of an LTP model: its config.json must name tasks.cws"
        ) from error
    return config


def _is_neural(config: Dict[str, Any]) -> bool:
    # LTP's own configuration files spell it "nerual", and neural is what one without it is.
    return bool(config.get("nerual", config.get("neural", True)))


def claim_ltp_folder(folder: str, allowed: Sequence[str] = _PERCEPTRON_FILES) -> None:
    """Make a folder for a model. Raises UserError where it holds anything but an LTP model."""
    os.makedirs(folder, exist_ok=True)
    present = {name for name in os.listdir(folder) if not name.startswith(".")}
    if "config.json" in present:
        _read_config(folder)
    if present - {*allowed, SOURCE, SUMS}:
        raise UserError(f"{folder} holds other files than an LTP model: choose another --output")


def fetch_ltp(model: str, folder: Optional[str] = None) -> str:
    """Bring the segmentation part of an LTP model from the hub. Returns its folder.

    Raises UserError where the hub cannot be reached or has no such model.
    """
    hub = import_extra("huggingface_hub", "data", f"fetching the LTP model {model}")
    files = sorted({*_PERCEPTRON_FILES, *_NEURAL_FILES})
    if folder:
        claim_ltp_folder(folder, files)
    try:
        path: str = hub.snapshot_download(model, allow_patterns=files, local_dir=folder)
    except Exception as error:
        raise UserError(
            f"the LTP model {model} is no local folder and cannot be fetched from the hub "
            f"({type(error).__name__}): take another segmenter with --set segmenter.name=rjieba, "
            "or give a folder with --set segmenter.model=DIR, such as `python -m data_gen "
            "segmenter train` makes without a network"
        ) from error
    if folder:
        note_sums(folder)
    return path
