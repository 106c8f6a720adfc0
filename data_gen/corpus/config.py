"""Settings of the group `corpus`."""

import dataclasses
from typing import List

from data_gen.corpus.detection import encodings
from data_gen.corpus.forms.formats import AUTO, FORMATS
from data_gen.corpus.lines import LINES
from data_gen.shared.settings import require_one_of


@dataclasses.dataclass(frozen=True)
class CorpusConfig:
    """The form of the input files, and changes to their text: by default none."""

    format: str = "auto"  # form of the input files; auto: by suffix and first bytes
    field: str = "text"  # the field or column of the document; nested: data.text
    encoding: str = "utf-8"  # auto: each file by its first bytes
    lines: str = "sentence"  # what the end of a line ends
    bad_bytes: str = "error"  # replace: put U+FFFD; skip_line: leave out their lines
    # Any of width (full-width letters, digits and ASCII symbols to half width), quotes (curly ones
    # to the straight ones of Google's vocabulary) and a configuration of OpenCC, such as t2s. The
    # order says nothing: `normalize.normalizer` has one of its own.
    normalize: List[str] = dataclasses.field(default_factory=list)
    drop_duplicates: bool = False  # documents of equal text after the first

    def __post_init__(self) -> None:
        require_one_of("corpus.format", self.format, [AUTO, *FORMATS])
        known = [encodings.AUTO, *encodings.CODECS]
        require_one_of("corpus.encoding", self.encoding, known)
        require_one_of("corpus.lines", self.lines, list(LINES))
        require_one_of("corpus.bad_bytes", self.bad_bytes, list(encodings.BAD_BYTES))
        if not self.field.strip():
            raise ValueError("corpus.field is empty: name the field that holds the document")


@dataclasses.dataclass(frozen=True)
class TextConfig:
    """The settings of commands that read text and have no others."""

    corpus: CorpusConfig = dataclasses.field(default_factory=CorpusConfig)
