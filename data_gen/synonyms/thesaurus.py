"""Quality of similar words, judged by a thesaurus: are they listed as synonyms?"""

import random
import re
from typing import Dict, Iterable, Iterator, List, NamedTuple, Sequence, Set

from data_gen.core.columns import Pieces
from data_gen.shared.errors import UserError
from data_gen.storage.errors import reading
from data_gen.storage.reading import open_text
from data_gen.synonyms.lexicon import Candidates
from data_gen.synonyms.lookup import CandidateLookup
from data_gen.tokenization.tokenizer import Tokenizer

_SEED = 1
_CODE = re.compile(r"[A-Z][a-z]\d\d[A-Z]\d\d([=#@])$")


class ThesaurusScore(NamedTuple):
    """Shares of the candidates of one source that a thesaurus lists."""

    source: str
    words: int  # of the list, with candidates and with a synonym of as many pieces
    first: float  # share of these whose most similar word is a listed synonym
    any: float  # share of these with one among the candidates


def read_groups(path: str) -> List[List[str]]:
    """Read a thesaurus: synonyms on a line, separated by spaces.

    HIT's Cilin begins its lines with a code such as Aa01A01=; those that end in "#" or "@" hold no
    synonyms and are passed over. Raises UserError where no line has two words or it is not UTF-8.
    """
    groups = []
    with open_text(path) as handle, reading(path):
        for line in handle:
            words = line.decode("utf-8").split()
            code = _CODE.match(words[0]) if words else None
            if code and code.group(1) != "=":
                continue
            words = words[1:] if code else words
            if len(words) > 1:
                groups.append(words)
    if not groups:
        raise UserError(f"{path} has no line of two words or more: give synonyms, a group a line")
    return groups


def score_with_thesaurus(
    similar: CandidateLookup, tokenizer: Tokenizer, groups: Iterable[Sequence[str]]
) -> Iterator[ThesaurusScore]:
    """Judge each source by the words that it has, then by those that all have; the last judgement
    is of candidates that belong to other words, which is what chance gives.
    """
    synonyms = _synonyms(groups, tokenizer)
    found = {
        name: {word: similar.of_source(name, word) for word in synonyms} for name in similar.layers
    }
    known = {name: {word: c for word, c in all_.items() if c} for name, all_ in found.items()}
    for name, candidates in known.items():
        yield _score(name, candidates, synonyms)
    shared = set.intersection(*(set(candidates) for candidates in known.values()))
    if len(known) > 1:
        for name, candidates in known.items():
            of_shared = {word: candidates[word] for word in candidates if word in shared}
            yield _score(f"{name}, words of all sources", of_shared, synonyms)
    any_source = next(iter(known.values()))
    yield _score("chance", _of_others(any_source), synonyms)


def _synonyms(groups: Iterable[Sequence[str]], tokenizer: Tokenizer) -> Dict[Pieces, Set[Pieces]]:
    """Find the synonyms of each word that have as many pieces; words without any are left out."""
    synonyms: Dict[Pieces, Set[Pieces]] = {}
    for group in groups:
        encoded = {tuple(pieces) for pieces, _ in tokenizer.encode(group)}
        words = {word for word in encoded if tokenizer.unk not in word}
        for word in sorted(words):
            others = {other for other in words if len(other) == len(word) and other != word}
            if others:
                synonyms.setdefault(word, set()).update(others)
    return synonyms


def _of_others(candidates: Dict[Pieces, Candidates]) -> Dict[Pieces, Candidates]:
    """Give the candidates of each word to another of the same size."""
    rng = random.Random(_SEED)
    mixed: Dict[Pieces, Candidates] = {}
    for size in {len(word) for word in candidates}:
        words = [word for word in candidates if len(word) == size]
        mixed.update(zip(words, rng.sample([candidates[word] for word in words], len(words))))
    return mixed


def _score(
    source: str, candidates: Dict[Pieces, Candidates], synonyms: Dict[Pieces, Set[Pieces]]
) -> ThesaurusScore:
    hits = [
        [candidate in synonyms[word] for candidate, _ in found]
        for word, found in candidates.items()
    ]
    words = max(1, len(hits))
    first = sum(hit[0] for hit in hits)
    return ThesaurusScore(source, len(hits), first / words, sum(map(any, hits)) / words)
