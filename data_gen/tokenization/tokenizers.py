"""Which tokenizers there are. A further one is a subclass of `pieces.Tokenizer`, a line in
`TOKENIZERS`, and one in `vocab.TRAINERS` for its vocabulary.
"""

from dataclasses import dataclass
from typing import Callable, Dict, Optional

from data_gen.shared.settings import require_one_of
from data_gen.tokenization.sentence_piece import load_sentencepiece
from data_gen.tokenization.tokenizer import Tokenizer
from data_gen.tokenization.wordpiece import load_wordpiece

# (vocab_file, tokenizer.model, do_lower_case) -> the tokenizer; UserError where they do not fit
Load = Callable[[str, Optional[str], bool], Tokenizer]

TOKENIZERS: Dict[str, Load] = {
    "wordpiece": load_wordpiece,
    "sentencepiece": load_sentencepiece,
}


@dataclass(frozen=True)
class TokenizerConfig:
    """Which engine makes the pieces; the top level's `vocab_file` lists them for every engine."""

    name: str = "wordpiece"  # a name in tokenizer.TOKENIZERS
    model: Optional[str] = None  # sentencepiece: a .model file

    def __post_init__(self) -> None:
        require_one_of("tokenizer.name", self.name, list(TOKENIZERS))
