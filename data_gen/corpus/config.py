"""Settings of the group `corpus`."""

from dataclasses import dataclass
from typing import Optional

from data_gen.corpus.formats import AUTO, FORMATS
from data_gen.shared.settings import require_one_of


@dataclass(frozen=True)
class CorpusConfig:
    """The form of the input files, and changes to their text: by default none."""

    format: str = "auto"  # a name in formats.FORMATS; auto: by suffix, else text
    field: str = "text"  # jsonl: the field that holds the document
    width: bool = False  # full-width letters, digits and ASCII symbols to half width
    quotes: bool = False  # curly quotes to the straight ones of Google's vocabulary
    opencc: Optional[str] = None  # a configuration of OpenCC, such as t2s
    drop_duplicates: bool = False  # documents of equal text after the first

    def __post_init__(self) -> None:
        require_one_of("corpus.format", self.format, [AUTO, *FORMATS])
