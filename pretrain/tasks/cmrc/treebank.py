"""Words of lower-cased text, as `nltk.word_tokenize` (3.10.4) splits it.

Its rules are those of the Penn Treebank's tokenizer as NLTK has them, in their order. Rules for
marks that the CMRC metric takes away before (- : * and the like) and for capitals are left out.

NLTK 3.4 to 3.9.1, of the time of the published results, keeps 1—2 as one word, where 3.10.4
splits at dashes. Of the pieces of text in the answers of CMRC and DRCD that come here, 5 of 6,904
are such; the others are split alike.
"""

import re
from typing import Callable, List, Match, Pattern, Tuple, Union

from pretrain.tasks.cmrc.punkt import split_sentences
from pretrain.tasks.cmrc.unicode_classes import SPACE, is_word

_CLITIC = re.compile(r"(?:re|ve|ll|[mtsdnſ])(.?)", re.DOTALL)


def _split_opening_apostrophe(match: Match[str]) -> str:
    """Put a space behind an apostrophe that opens a word and is not that of 's, 're and so on."""
    text, place = match.string, match.start()
    if is_word(text[place - 1 : place]) or not is_word(text[match.end() : match.end() + 1]):
        return "'"
    clitic = _CLITIC.match(text, match.end())
    return "'" if clitic and not is_word(clitic.group(1)) else "' "


# (pattern, replacement), one after the other on the whole sentence.
_Rule = Tuple[Pattern[str], Union[str, Callable[[Match[str]], str]]]
_RULES_OF_QUOTES_AND_MARKS: List[_Rule] = [
    (re.compile("([«‘„])"), r" \1 "),
    (re.compile('^"'), " `` "),
    (re.compile(r"""([ (\[{<])("|'')"""), r"\1 `` "),
    (re.compile("'"), _split_opening_apostrophe),
    (re.compile(rf"""([^.])(\.)([\])}}>"'»”’ ]*)[{SPACE}]*$"""), r"\1 \2 \3 "),
    (re.compile(r"(,)(\D)"), r" \1 \2"),
    (re.compile(",$"), " , "),
    (re.compile(r"(\.{2,})"), r" \1 "),
    (re.compile("([;@#$%&\u2012-\u2015])"), r" \1 "),
    (re.compile(rf"""([^.])(\.)([\])}}>"']*)[{SPACE}]*$"""), r"\1 \2\3 "),
    (re.compile("([?!])"), r" \1 "),
    (re.compile("([^'])' "), r"\1 ' "),
    (re.compile(r"([\[\](){}<>])"), r" \1 "),
]
# These see a space at both ends.
_RULES_OF_ENDINGS: List[_Rule] = [
    (re.compile("(»)"), r" \1 "),
    (re.compile("''"), " '' "),
    (re.compile('"'), " '' "),
    (re.compile(f"[{SPACE}]+"), " "),
    (re.compile("([^' ])('[smd]|') "), r"\1 \2 "),
    (re.compile("([^' ])('ll|'re|'ve|n't) "), r"\1 \2 "),
    *(
        (re.compile(rf"\b({first})({second})\b", re.IGNORECASE), r" \1 \2 ")
        for first, second in (
            *(("can", "not"), ("d", "'ye"), ("gim", "me"), ("gon", "na"), ("got", "ta")),
            *(("lem", "me"), ("more", "'n")),
        )
    ),
    (re.compile(r"\b(wan)(na)(?=\s)", re.IGNORECASE), r" \1 \2 "),
]


def word_tokenize(text: str) -> List[str]:
    """Split a text into words and marks, sentence by sentence.

    text: lower-cased, without characters of U+4E00-9FA5 and without the marks of the CMRC metric
    """
    return [word for sentence in split_sentences(text) for word in _split_words(sentence)]


def _split_words(sentence: str) -> List[str]:
    """Split one sentence; only its last period is a word of its own."""
    for pattern, replacement in _RULES_OF_QUOTES_AND_MARKS:
        sentence = pattern.sub(replacement, sentence)
    sentence = f" {sentence} "
    for pattern, replacement in _RULES_OF_ENDINGS:
        sentence = pattern.sub(replacement, sentence)
    return sentence.split()
