"""Encodings of text files: their names, and how to tell them from a sample of bytes."""

import codecs
import re
from typing import Dict, NamedTuple, Optional

AUTO = "auto"
UTF8 = "utf-8"
UTF16 = "utf-16"
# corpus.encoding -> Python's codec. Files said to be Big5 are mostly of its extension by Microsoft.
CODECS: Dict[str, str] = {
    UTF8: "utf-8",
    "gb18030": "gb18030",
    "big5": "cp950",
    "big5hkscs": "big5hkscs",
    UTF16: "utf-16-le",  # without a byte order mark; see `codec_of`
}
BAD_BYTES = ("error", "replace", "skip_line")  # corpus.bad_bytes

# Frequent characters of both scripts, and marks: more than half of any Chinese text, and seldom
# in the text of one encoding that is read in another.
_FREQUENT = frozenset(
    "，。、：；！？“”《》（）的一是不了在人有我他这這个個们們中来來上大为為和国國地到以说說时時要就出会會可也你"
    "对對生能而子那得于於着著下自之年过過发發后後作里裡用道行所然家种種事成方多经經么麼去法学學如都同现現当當没沒"
    "动動面起看定天分还還进進好小部其些主样樣理心她本前开開但因只从從想实實日者意无無力它与與长長把机機十民第公此"
    "已工使情明性知全三又关關点點正业業外将將两兩高间間由问問很最重并並物手应應向头頭文体體政美相见見被利什二等产"
    "產或新己制身果加月话話合回特代内內信表化老给給世位次度门門任常先海通教原东東声聲提立及比员員解水名真论論处處"
    "走义義各入几幾口认認条條平系气氣题題活更别別打女变變四神总總何电電数數安少报報才结結反受目太量再感建务務做接"
    "必场場件计計管期市直命山金指许許统統区區保至形社便空决決治展科司五基书書非则則听聽白却界达達光放强強即像难難"
)
_LEAST_SCORE = 0.15  # share of frequent characters below which a reading is no Chinese text
_PRIVATE = re.compile("[\ue000-\uf8ff\ufff0-\uffff]")  # where wrong readings of Big5 lead
_ISO2022 = re.compile(rb"\x1b\$[)*]?[ABGH@]")  # the start of two bytes a character
_MARKS = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


class Guess(NamedTuple):
    """An encoding that a sample can be read in."""

    encoding: str  # a key of CODECS
    score: float  # share of frequent characters among those beyond ASCII


def decodes(sample: bytes, codec: str) -> Optional[str]:
    """Return the text of a sample, whose last character may be cut; None if it has another codec.

    >>> decodes("中文".encode()[:-1], "utf-8")
    '中'
    """
    try:
        return codecs.getincrementaldecoder(codec)().decode(sample)
    except UnicodeDecodeError:
        return None


def guess_encoding(sample: bytes) -> Optional[Guess]:
    """Tell the encoding of Chinese text; None if none fits."""
    if codec_by_mark(sample):
        return Guess(UTF16, 1.0)
    if b"\0" not in sample and decodes(sample, UTF8) is not None:
        return Guess(UTF8, 1.0)
    found = []
    for encoding, codec in CODECS.items():
        codec = codec_of(encoding, sample) if encoding == UTF16 else codec
        text = decodes(sample, codec)
        if encoding != UTF8 and text and "\0" not in text:
            found.append(Guess(encoding, _score(text)))
    return max(found, key=lambda one: one.score, default=None)


def is_plausible(guess: Optional[Guess]) -> bool:
    """Return True if the text that a guess leads to is Chinese, most likely."""
    return guess is not None and guess.score >= _LEAST_SCORE


def codec_by_mark(sample: bytes) -> Optional[str]:
    """Return the codec of UTF-16 by its byte order mark; None without one."""
    if sample.startswith(codecs.BOM_UTF32_LE):
        return None
    return next((codec for mark, codec in _MARKS if sample.startswith(mark)), None)


def codec_of(encoding: str, sample: bytes) -> str:
    """Return Python's codec for a file of an encoding that begins with `sample`."""
    if encoding != UTF16:
        return CODECS[encoding]
    marked = codec_by_mark(sample)
    if marked:
        return marked
    scores = {codec: _score(decodes(sample, codec) or "") for _, codec in _MARKS}
    return max(scores, key=lambda codec: scores[codec])


def _score(text: str) -> float:
    beyond = [character for character in text if character > "\x7f"]
    if not beyond:
        # of UTF-16, ASCII text; other encodings of it are UTF-8, too
        return 1.0 if text and (text.isprintable() or "\n" in text) else 0.0
    frequent = sum(character in _FREQUENT for character in beyond)
    return (frequent - 5 * len(_PRIVATE.findall(text))) / len(beyond)


def is_seven_bit(sample: bytes) -> bool:
    """Return True for HZ and ISO-2022, which write Chinese in ASCII bytes and so pass for UTF-8."""
    if not sample.isascii():
        return False
    if _ISO2022.search(sample):
        return True
    text = decodes(sample, "hz") if b"~{" in sample else None
    return bool(text) and _score(str(text)) >= _LEAST_SCORE and not str(text).isascii()


def looks_like_utf8(sample: bytes) -> bool:
    """Return True if a sample is UTF-8 with characters that no other encoding gives by chance."""
    text = decodes(sample, UTF8)
    return text is not None and any(character >= "\u0800" for character in text)


def is_mostly_utf8(sample: bytes) -> bool:
    """Return True if most lines of a sample, of those beyond ASCII, are UTF-8: some bytes of such a
    file are damaged, and another encoding would spoil the rest.
    """
    lines = [line for line in sample.split(b"\n")[:-1] or [sample] if not line.isascii()]
    whole = sum(decodes(line, UTF8) is not None for line in lines)
    if len(lines) <= 2:  # too few to count: by characters
        text = sample.decode(UTF8, "replace")
        beyond = [character for character in text if character > "\x7f"]
        return sum(character in _FREQUENT for character in beyond) * 3 >= len(beyond)
    return 2 * whole > len(lines)
