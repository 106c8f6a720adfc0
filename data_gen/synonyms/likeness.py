"""Likeness of a similar word to the word that it replaces, for `synonyms.alike`."""

from functools import cache
from typing import Callable, Dict, Optional, Sequence

from data_gen.core.word_class import word_class
from data_gen.shared.files import file_sha256
from data_gen.storage.package_files import package_file

_JIEBA = "jieba"


SCRIPTS = ("other", "latin", "number", "punctuation")


def script(word: str) -> str:
    """Tell Chinese characters, an alphabet, numbers and marks apart.

    >>> [script(word) for word in ("的", "模型", "BERT", "3.14", "，")]
    ['other', 'other', 'latin', 'number', 'punctuation']
    """
    found = word_class(word)
    return "other" if found == "single" else found


def part_of_speech(word: str) -> Optional[str]:
    """Look a word up in jieba's dictionary (n, v, a, d, ...), by its most frequent tag; None where
    the dictionary lacks it.
    """
    return _parts_of_speech().get(word)


@cache
def _parts_of_speech() -> Dict[str, str]:
    """Read the dictionary, word -> the first letter of its tag: 350,000 words, 40 MB, once a
    process.
    """
    with open(package_file(_JIEBA, "data", "dict.txt"), encoding="utf-8") as handle:
        lines = (line.split() for line in handle)
        return {fields[0]: fields[2][0] for fields in lines if len(fields) == 3}


def identity(names: Sequence[str]) -> Optional[str]:
    """Name all that decides the classes beside the words: the dictionary, where it is used."""
    if "part_of_speech" not in names:
        return None
    return f"jieba's dictionary {file_sha256(package_file(_JIEBA, 'data', 'dict.txt'))[:16]}"


ALIKE: Dict[str, Callable[[str], Optional[str]]] = {
    "script": script,
    "part_of_speech": part_of_speech,
}
