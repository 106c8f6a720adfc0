"""Train the vocabulary of a tokenizer from text. `TRAINERS` has one function for each tokenizer.

The same text and options give the same bytes on every run: WordPiece with every version of its
package, SentencePiece with the same version (a model holds floating-point scores).
"""

import io
import os
import random
import re
from collections import Counter
from typing import Any, Callable, Dict, Iterable, Iterator, List, NamedTuple, Sequence, Set

from data_gen.config import DataConfig
from data_gen.core.progress import Progress
from data_gen.corpus.blocks import TextFile, group_into_blocks
from data_gen.corpus.read import read_blocks
from data_gen.engine.processes import LocalEngine
from data_gen.jobs.inputs import scan_text_files
from data_gen.segmentation.boundaries import word_boundaries
from data_gen.segmentation.segmenters import load_segmenter
from data_gen.shared.errors import UserError
from data_gen.shared.vocabulary import MAX_RUN, SPECIALS
from data_gen.storage.writing import write_new
from data_gen.tokenization.sentence_piece import import_sentencepiece
from data_gen.tokenization.wordpiece import BasicTokenizer

VOCABULARY = "vocab.txt"
MODEL = "spiece.model"
MODEL_TYPES = ("unigram", "bpe")

_MOST_FED = 100_000_000  # words given to the WordPiece trainer: their counts are scaled to that
# Text that SentencePiece learns from, in bytes: it keeps every word in memory, about 30 bytes for
# each of the text's.
_SAMPLE = 64 << 20


class Options(NamedTuple):
    """What a vocabulary should be."""

    size: int = 21128  # pieces, specials included: Google's for Chinese
    model_type: str = "unigram"  # one of MODEL_TYPES; for sentencepiece
    # Share of the text that the characters of the vocabulary make up. SentencePiece advises 0.9995
    # for Chinese, which turns five times as much into [UNK].
    character_coverage: float = 0.9999


def train_vocabulary(
    config: DataConfig, inputs: Sequence[str], output: str, options: Options, show: Progress
) -> List[str]:
    """Train the vocabulary of the tokenizer that `config` names. Returns its pieces.

    Writes vocab.txt into the folder `output`, for sentencepiece spiece.model before it. Raises
    UserError for input that is missing, unreadable or empty, a size too small for the text's
    characters, and where `output` holds a vocabulary.
    """
    if os.path.exists(os.path.join(output, VOCABULARY)):
        raise UserError(f"{output} holds a {VOCABULARY} already: choose another --output")
    files = scan_text_files(inputs, config.corpus, output, LocalEngine(1), show)
    made = TRAINERS[config.tokenizer.name](config, files, options, show)
    os.makedirs(output, exist_ok=True)
    for name, content in made.items():
        write_new(os.path.join(output, name), content)
    return made[VOCABULARY].decode().split("\n")[:-1]


def _vocabulary(pieces: Iterable[str]) -> bytes:
    return "".join(f"{piece}\n" for piece in pieces).encode()


def _blocks(config: DataConfig, files: Sequence[TextFile], show: Progress) -> Iterable[Any]:
    """The documents of every block, read one block at a time."""
    blocks = list(group_into_blocks(files))
    return show("read", len(blocks), read_blocks(blocks, config.corpus))


def _require_room(options: Options, needed: int) -> None:
    if needed > options.size:
        raise UserError(
            f"the characters of this text take {needed:,} pieces, more than --size {options.size}: "
            "give a larger --size, or a smaller --character-coverage"
        )


def train_wordpiece(
    config: DataConfig, files: Sequence[TextFile], options: Options, show: Progress
) -> Dict[str, bytes]:
    """All of the text. Memory grows with the number of different words, not with the text."""
    basic = BasicTokenizer(config.do_lower_case)
    tokens: Counter[str] = Counter()
    for documents in _blocks(config, files, show):
        for document in documents:
            for sentence in document.sentences:
                tokens.update(basic.normalize(sentence).split())
    runs: Counter[str] = Counter()
    for token, count in tokens.items():
        for run in basic.split(token):
            runs[run] += count
    return {VOCABULARY: _vocabulary(learn_wordpieces(runs, options))}


def learn_wordpieces(runs: Dict[str, int], options: Options) -> List[str]:
    """The specials, then characters, then what joins them, the most frequent first.

    runs: what BasicTokenizer makes of a text, with how often it is there
    """
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    characters: Counter[str] = Counter()
    for run, count in runs.items():
        for character in run:
            characters[character] += count
    known = _most_frequent(characters, options.character_coverage)
    inner = {character for run in runs for character in run[1:]}
    # The package numbers ## + character in the order of a randomly seeded hash table and breaks
    # ties by these numbers. Given as specials, they have their numbers from here.
    alphabet = [*sorted(known), *(f"##{character}" for character in sorted(inner & known))]
    _require_room(options, len(SPECIALS) + len(alphabet))
    words = {r: n for r, n in runs.items() if 1 < len(r) <= MAX_RUN and known.issuperset(r)}
    trainer = trainers.WordPieceTrainer(
        vocab_size=options.size,
        min_frequency=2,
        special_tokens=[*SPECIALS, *alphabet],
        show_progress=False,
    )
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.train_from_iterator(_repeated(words), trainer)
    ids: Dict[str, int] = tokenizer.get_vocab()
    return sorted(ids, key=ids.__getitem__)


def _most_frequent(characters: Dict[str, int], coverage: float) -> Set[str]:
    """The fewest characters that make up the share `coverage` of a text."""
    known = set()
    left = coverage * sum(characters.values())
    for character in sorted(characters, key=lambda c: (-characters[c], c)):
        if left <= 0:
            break
        known.add(character)
        left -= characters[character]
    return known


def _repeated(words: Dict[str, int]) -> Iterator[str]:
    """Each word as often as it was counted, or a share of that: the package takes no counts."""
    scale = max(1, -(-sum(words.values()) // _MOST_FED))
    for word, count in words.items():
        times = -(-count // scale)
        for start in range(0, times, 1000):
            yield f"{word} " * min(1000, times - start)


def train_sentencepiece(
    config: DataConfig, files: Sequence[TextFile], options: Options, show: Progress
) -> Dict[str, bytes]:
    """A sample of the text where it is large, the same for the same random_seed.

    It is cut into the words of the configuration's segmenter first, so that no piece holds parts of
    two. From running Chinese text SentencePiece makes pieces of whole phrases, and whole words
    could not be masked one by one.
    """
    sentencepiece = import_sentencepiece()
    model = io.BytesIO()
    errors: List[Exception] = []
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=_noting(_words(config, files, show), errors),
            model_writer=model,
            **sentencepiece_options(config, options),
        )
    except RuntimeError as error:
        if errors:
            raise errors[0] from error
        too_small = re.search(r"smaller than required_chars\. \d+ vs (\d+)", str(error))
        if too_small:
            _require_room(options, int(too_small.group(1)))
        raise
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    pieces = map(processor.id_to_piece, range(processor.get_piece_size()))
    return {MODEL: model.getvalue(), VOCABULARY: _vocabulary(pieces)}


def sentencepiece_options(config: DataConfig, options: Options) -> Dict[str, Any]:
    """What SentencePieceTrainer is told. All specials but [UNK] are control symbols, which no text
    can spell.
    """
    own_names = ("pad", "unk", "bos", "eos")
    return {
        "model_type": options.model_type,
        "vocab_size": options.size,
        "hard_vocab_limit": False,  # fewer where the text gives no more
        "character_coverage": options.character_coverage,
        "normalization_rule_name": "nmt_nfkc_cf" if config.do_lower_case else "nmt_nfkc",
        # With one, a word at the start of a Chinese sentence would be another piece than the same
        # word within it, where no space stands before it.
        "add_dummy_prefix": False,
        "max_sentence_length": 1 << 30,  # longer ones would be left out
        "num_threads": 1,  # sums of floating-point numbers depend on their order
        "minloglevel": 2,
        **{f"{name}_id": i for i, name in enumerate(own_names)},
        **{f"{name}_piece": piece for name, piece in zip(own_names, SPECIALS)},
        "control_symbols": SPECIALS[-1],
    }


def _noting(texts: Iterator[str], errors: List[Exception]) -> Iterator[str]:
    """The same texts; the trainer makes an error of its own of one that ends them."""
    try:
        yield from texts
    except Exception as error:
        errors.append(error)
        raise


def _words(config: DataConfig, files: Sequence[TextFile], show: Progress) -> Iterator[str]:
    segmenter = load_segmenter(config.segmenter)
    share = _SAMPLE / max(1, sum(file.size for file in files))
    for documents in _blocks(config, files, show):
        sentences = []
        for document in documents:
            rng = rng_for(config.random_seed, "vocab", document.id)
            sentences += [text for text in document.sentences if rng.random() < share]
        for sentence, boundaries in zip(sentences, word_boundaries(segmenter, sentences)):
            # One that the segmenter garbled gives its characters.
            yield from cut_words(sentence, boundaries or range(len(sentence)))


def cut_words(sentence: str, boundaries: Iterable[int]) -> Iterator[str]:
    """Cut a sentence between words, but not where a space is: that belongs to the word after it.

    >>> list(cut_words("我用 Linux 系统", [0, 1, 2, 3, 8, 9, 11]))
    ['我', '用 Linux 系统']
    """
    start = 0
    for position in boundaries:
        if start < position < len(sentence) and not any(
            character.isspace() for character in sentence[position - 1 : position + 1]
        ):
            yield sentence[start:position]
            start = position
    yield sentence[start:]


Trainer = Callable[[DataConfig, Sequence[TextFile], Options, Progress], Dict[str, bytes]]

# Name of the tokenizer -> file names and contents, vocab.txt last
TRAINERS: Dict[str, Trainer] = {
    "wordpiece": train_wordpiece,
    "sentencepiece": train_sentencepiece,
}


def rng_for(seed: int, *work: object) -> random.Random:
    """The generator of one named piece of work, whichever process does it.

    >>> rng_for(1, "mask", "doc-7", 0).random() == rng_for(1, "mask", "doc-7", 0).random()
    True
    """
    return random.Random("/".join(str(part) for part in (seed, *work)))
