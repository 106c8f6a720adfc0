"""The measure of CMRC 2018 and DRCD: exact match and F1 as `cmrc2018_evaluate.py` (v6) has them.

That script is ymcui/cmrc2018's `baseline/cmrc2018_evaluate.py`. It needs NLTK and its data; this
module needs nothing. Its oddities are part of the measure: published results have them.
"""

from typing import List, Sequence, Tuple

from pretrain.tasks.cmrc.treebank import word_tokenize

# The script's list. Its entry "……" has two characters and is compared with single ones, so … is
# no mark; its opening ‘ is missing where ’ is there.
MARKS = frozenset("-:_*^/\\~`+=，。：？！“”；’《》·、「」（）－～『』")


def score(prediction: str, answers: Sequence[str]) -> Tuple[float, float]:
    """Return exact match (0.0 or 1.0) and F1 (0 to 1) of a prediction: the best over the answers.

    Raises ValueError without answers.
    """
    bare = remove_punctuation(prediction)
    words = mixed_segmentation(prediction)
    exact = any(remove_punctuation(answer) == bare for answer in answers)
    return float(exact), max(_f1(words, mixed_segmentation(answer)) for answer in answers)


def remove_punctuation(text: str) -> str:
    """Lower a text and take the marks away; spaces within it stay and count in exact match."""
    return "".join(char for char in text.lower().strip() if char not in MARKS)


def mixed_segmentation(text: str, rm_punc: bool = True) -> List[str]:
    """Split a text into single Chinese characters (U+4E00-9FA5) and words of all the rest.

    With `rm_punc` marks are taken away, and what stands on both sides of one becomes one word:
    1-2 gives 12. Without, each is a token.
    """
    tokens = []  # type: List[str]
    rest = ""
    for char in text.lower().strip():
        if rm_punc and char in MARKS:
            continue
        if "\u4e00" <= char <= "\u9fa5" or char in MARKS:
            tokens += [*word_tokenize(rest), char]
            rest = ""
        else:
            rest += char
    return tokens + word_tokenize(rest)


def _f1(prediction: Sequence[str], answer: Sequence[str]) -> float:
    """Compute F1 from the longest run of tokens that both have."""
    common = _longest_common_run(prediction, answer)
    if not common:
        return 0.0
    precision = common / len(prediction)
    recall = common / len(answer)
    return 2 * precision * recall / (precision + recall)


def _longest_common_run(first: Sequence[str], second: Sequence[str]) -> int:
    """Count the tokens of the longest contiguous run that two lists share.

    A token becomes one character, so that Python's search for substrings does the work.
    """
    numbers = {token: chr(number) for number, token in enumerate({*first, *second})}
    one, other = ("".join(numbers[token] for token in tokens) for tokens in (first, second))
    longest = 0
    for start in range(len(one)):
        while start + longest < len(one) and one[start : start + longest + 1] in other:
            longest += 1
    return longest
