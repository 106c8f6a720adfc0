"""Sentence -> pieces. `TOKENIZERS` is the table of tokenizers; a further one is a subclass of
`tokenizer.Tokenizer` and an entry there.
"""

from dataclasses import dataclass
from typing import Callable, Dict, NamedTuple, Optional

from data_gen.shared.settings import file_setting, require_one_of
from data_gen.tokenization.running_text import Join, join_wordpiece
from data_gen.tokenization.sentence_piece import MODEL, join_sentencepiece, load_sentencepiece
from data_gen.tokenization.tokenizer import Tokenizer
from data_gen.tokenization.train_sentencepiece import train_sentencepiece
from data_gen.tokenization.train_wordpiece import train_wordpiece
from data_gen.tokenization.training import Train
from data_gen.tokenization.wordpiece import load_wordpiece

# (vocab_file, tokenizer.model, do_lower_case) -> the tokenizer; UserError where they do not fit
Load = Callable[[str, Optional[str], bool], Tokenizer]


class TokenizerKind(NamedTuple):
    """An entry of TOKENIZERS: how a tokenizer is loaded, and what others must know of it."""

    load: Load
    train: Train
    join: Join  # how its pieces become text for people
    model_file: Optional[str] = None  # its name in a model's folder; None: vocab.txt is all
    keeps_spaces: bool = False  # the spaces of a text are in its pieces


TOKENIZERS: Dict[str, TokenizerKind] = {
    "wordpiece": TokenizerKind(load_wordpiece, train_wordpiece, join_wordpiece),
    "sentencepiece": TokenizerKind(
        load_sentencepiece,
        train_sentencepiece,
        join_sentencepiece,
        model_file=MODEL,
        keeps_spaces=True,
    ),
}


@dataclass(frozen=True)
class TokenizerConfig:
    """The tokenizer that makes the pieces; the top level's `vocab_file` lists them for each."""

    name: str = "wordpiece"  # what makes the pieces: a name in TOKENIZERS
    model: Optional[str] = file_setting(None)  # a file of `vocab train`, for sentencepiece

    def __post_init__(self) -> None:
        require_one_of("tokenizer.name", self.name, list(TOKENIZERS))
