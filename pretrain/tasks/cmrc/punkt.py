"""Sentences of lower-cased text, as NLTK's Punkt tokenizer with its English model finds them.

The method is that of Kiss and Strunk, Unsupervised Multilingual Sentence Boundary Detection (2006).
The tables are facts of the model `punkt_tab/english` (Jan Strunk; nltk_data declares the MIT
License). In lower-cased text no more of it counts: of the 20,366 words whose case it knows, one.
NLTK 3.10.4 was read for the rules. Its hyphens, colons and the like are left out, for the CMRC
metric has taken these marks away before.
"""

import re
import string
from typing import Iterator, List, Match, Optional, Tuple

from pretrain.tasks.cmrc.unicode_classes import SPACE, is_word

# Words after which a period ends no sentence.
_ABBREVIATED = """
    a.a a.c a.d a.g a.h a.m a.m.e a.s a.t adm ala ariz aug ave b.f b.v bros c c.i.t c.o.m.b
    c.v calif chg cie co col colo conn corp cos ct d d.c d.h d.w dec dr e e.f e.h e.l e.m f
    f.g f.j feb fla fri ft g g.d g.f g.k ga gen h h.c h.f h.m i.m.s ill inc j.b j.c j.j j.k
    j.p j.r jan jr k kan ky l l.a l.f l.p lt ltd m m.b.a m.d.c m.j maj messrs mg mich minn mr
    mrs ms n n.c n.d n.h n.j n.m n.v n.y nev nov oct ok okla ore p p.a.m p.m pa ph.d prof r
    r.a r.h r.i r.j r.k r.t rep reps s s.a s.a.y s.c s.g s.p.a s.s sen sep sept sr st sw t t.j
    tenn tues u.k u.n u.s u.s.a u.s.s.r v va vs vt w w.c w.r w.va w.w wash wed wis yr
"""
ABBREVIATIONS = frozenset(_ABBREVIATED.split()) | {". . "}  # the head of ". . ."
# Words that follow the key and a period within a sentence; all digits are one word.
NUMBER = "##number##"
_AFTER_A_NUMBER = """
    abreast aes business cbot colgate commodities cooper corrections credit dividend financing
    genentech henley insider international leisure letters notable pegasus pepper review rj
    wedgestone who zimmer
"""
COLLOCATIONS = {
    NUMBER: _AFTER_A_NUMBER.split(),
    "b": ["edelman", "levine", "smith", "stewart", "wigton"],
    "i": ["magnin", "toussie"],
    "j": ["aron", "fialka", "walter"],
    "o": ["ludcke"],
}
# Words that the model saw in lower case at the head of a sentence, and never in upper case.
LOWER_CASE_STARTERS = frozenset(["administrators"])

_CLOSING = r"""["')\]}‘’“”«»]"""
_BESIDE_A_WORD = r"""[)";}\]*:@'({\[‘’“”«»?!]"""
_DOTS = rf"(?:\.{{2,}}|(?:\.[{SPACE}]){{2,}}\.)"
_WORD_END = rf"[{SPACE}]|$|{_BESIDE_A_WORD}|{_DOTS}"
_TOKEN = re.compile(
    rf"{_DOTS}"
    rf"""|[^(\"`{{\[:;&#*@)}}\]\-,{SPACE}][^{SPACE}]*?(?={_WORD_END}|,(?:{_WORD_END}))"""
    rf"|[^{SPACE}]"
)
_CANDIDATE = re.compile(rf"[.?!](?=(?P<after>{_BESIDE_A_WORD}|[{SPACE}]+(?P<next>[^{SPACE}]+)))")
_REALIGNED = re.compile(rf"({_CLOSING}+)(?:[{SPACE}]+|$)", re.MULTILINE)
_NUMBER = re.compile(r"^-?[.,]?\d[\d,.-]*\.?$")


def split_sentences(text: str) -> List[str]:
    """Split lower-cased text into sentences, without the space between and after them."""
    starts_and_stops = _slices(text)
    sentences = []
    taken = 0  # characters of this slice that went to the sentence before it
    for number, (start, stop) in enumerate(starts_and_stops):
        start += taken
        taken = 0
        if number + 1 < len(starts_and_stops):
            following = slice(*starts_and_stops[number + 1])
            closing = _REALIGNED.match(text[following])
            if closing:
                stop = following.start + closing.end(1)
                taken = closing.end()
        sentences.append(text[start:stop])
    return [sentence for sentence in sentences if sentence]


def _slices(text: str) -> List[Tuple[int, int]]:
    """Cut a text at its sentence breaks: (start, stop) of each piece."""
    slices = []
    start = 0
    for candidate, context in _contexts(text):
        if _holds_a_break(context):
            slices.append((start, candidate.end()))
            start = candidate.start("next") if candidate.group("next") else candidate.end()
    return [*slices, (start, len(text.rstrip()))]


def _contexts(text: str) -> Iterator[Tuple[Match[str], str]]:
    """Yield each mark that may end a sentence, and the text from its word to the next one.

    Of several marks in one word only the last is a candidate.
    """
    word = 0  # start of the word that `last` ends
    last: Optional[Match[str]] = None
    for candidate in _CANDIDATE.finditer(text):
        since = last.start() if last else 0
        before = text[since : candidate.start()]
        space = max(before.rfind(char) for char in string.whitespace)
        start = since + space + 1 if space > 0 else word
        if last and last.start() <= start:
            yield last, text[word : last.end()] + last.group("after")
        word, last = start, candidate
    if last:
        yield last, text[word : last.end()] + last.group("after")


def _holds_a_break(context: str) -> bool:
    """Tell if a sentence ends within a context, before its last token."""
    lines = [line for line in context.split("\n") if line.strip()]
    tokens = [token for line in lines for token in _TOKEN.findall(line)]
    return any(_ends_sentence(*pair) for pair in zip(tokens, tokens[1:]))


def _ends_sentence(token: str, following: str) -> bool:
    """Tell if a sentence ends between two tokens."""
    if not _looks_like_an_end(token):
        return False
    if token[-1] != ".":
        return True
    kind = _kind(token)
    next_kind = _kind(following) if _looks_like_an_end(following) else _type(following)
    if next_kind in COLLOCATIONS.get(kind, ()):
        return False
    initial = len(token) == 2 and is_word(token[0]) and not token[0].isdecimal()
    if not initial and kind != NUMBER:
        return True
    goes_on = (
        following in frozenset(";:,.!?")
        or (following[0].islower() and next_kind not in LOWER_CASE_STARTERS)
        or (initial and following[0].isupper())
    )
    return not goes_on


def _looks_like_an_end(token: str) -> bool:
    """Tell if a token by itself is the end of a sentence; an abbreviation and dots are not."""
    if token in (".", "?", "!"):
        return True
    return token[-1] == "." and token[-2] != "." and token[:-1].lower() not in ABBREVIATIONS


def _type(token: str) -> str:
    """Give the entry under which the model knows a token."""
    return _NUMBER.sub(NUMBER, token.lower())


def _kind(token: str) -> str:
    """Give the entry of a token without its last period."""
    kind = _type(token)
    return kind[:-1] if len(kind) > 1 and kind[-1] == "." else kind
