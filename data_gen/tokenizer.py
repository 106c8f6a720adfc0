"""Which tokenizers there are. A further one is a subclass of `pieces.Tokenizer`, a line in
`TOKENIZERS`, and one in `vocab.TRAINERS` for its vocabulary.
"""

from typing import Callable, Dict, Optional

from data_gen.pieces import Tokenizer
from data_gen.sentence_piece import load_sentencepiece
from data_gen.wordpiece import load_wordpiece

# (vocab_file, tokenizer.model, do_lower_case) -> the tokenizer; UserError where they do not fit
Load = Callable[[str, Optional[str], bool], Tokenizer]

TOKENIZERS: Dict[str, Load] = {
    "wordpiece": load_wordpiece,
    "sentencepiece": load_sentencepiece,
}
