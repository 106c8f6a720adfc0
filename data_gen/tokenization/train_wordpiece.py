"""Train a WordPiece vocabulary: the same text gives the same bytes, on every run and with every
version of the package `tokenizers`.
"""

from collections import Counter
from typing import Dict, Iterator, List, Set

from data_gen.shared.vocabulary import MAX_RUN, SPECIALS
from data_gen.tokenization.training import (
    VOCABULARY,
    Options,
    TrainingText,
    require_room,
    vocabulary_file,
)
from data_gen.tokenization.wordpiece import BasicTokenizer

_MOST_FED = 100_000_000  # words given to the trainer: their counts are scaled to that


def train_wordpiece(text: TrainingText, do_lower_case: bool, options: Options) -> Dict[str, bytes]:
    """Learn from all of the text. Memory grows with the number of different words, not with the
    text.
    """
    basic = BasicTokenizer(do_lower_case)
    tokens: Counter[str] = Counter()
    for sentence in text.sentences():
        tokens.update(basic.normalize(sentence).split())
    runs: Counter[str] = Counter()
    for token, count in tokens.items():
        for run in basic.split(token):
            runs[run] += count
    return {VOCABULARY: vocabulary_file(learn_wordpieces(runs, options))}


def learn_wordpieces(runs: Dict[str, int], options: Options, most: int = _MOST_FED) -> List[str]:
    """Learn the specials, then characters, then what joins them, the most frequent first.

    runs: what BasicTokenizer makes of a text, with how often it is there
    most: words that the package is given
    """
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    known = _most_frequent(_characters(runs), options.character_coverage)
    inner = {character for run in runs for character in run[1:]}
    # The package numbers ## + character in the order of a randomly seeded hash table and breaks
    # ties by these numbers. Given as specials, they have their numbers from here.
    alphabet = [*sorted(known), *(f"##{character}" for character in sorted(inner & known))]
    require_room(options, len(SPECIALS) + len(alphabet))
    words = {r: n for r, n in runs.items() if 1 < len(r) <= MAX_RUN and known.issuperset(r)}
    trainer = trainers.WordPieceTrainer(
        vocab_size=options.size,
        min_frequency=2,
        special_tokens=[*SPECIALS, *alphabet],
        show_progress=False,
    )
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.train_from_iterator(repeated(words, most), trainer)
    ids: Dict[str, int] = tokenizer.get_vocab()
    return sorted(ids, key=ids.__getitem__)


def _characters(runs: Dict[str, int]) -> Dict[str, int]:
    characters: Counter[str] = Counter()
    for run, count in runs.items():
        for character in run:
            characters[character] += count
    return characters


def _most_frequent(characters: Dict[str, int], coverage: float) -> Set[str]:
    """Choose the fewest characters that make up the share `coverage` of a text."""
    known = set()
    left = coverage * sum(characters.values())
    for character in sorted(characters, key=lambda c: (-characters[c], c)):
        if left <= 0:
            break
        known.add(character)
        left -= characters[character]
    return known


def repeated(words: Dict[str, int], most: int) -> Iterator[str]:
    """Repeat each word as often as it was counted, or a share of that: the package takes no counts.

    `most` words are given in all, and a few more.
    """
    scale = max(1, -(-sum(words.values()) // most))
    for word, count in words.items():
        times = -(-count // scale)
        for start in range(0, times, 1000):
            yield f"{word} " * min(1000, times - start)
