"""Settings of the group `synonyms`."""

from dataclasses import dataclass, field
from typing import List, Optional

from data_gen.shared.bounds import MOST_STEPS, require_between
from data_gen.shared.settings import file_setting, require_one_of
from data_gen.synonyms.lexicon import CANDIDATE_CHOICES
from data_gen.synonyms.likeness import ALIKE

TOOLKIT_SOURCE = "toolkit"  # among the sources: the vectors of the Synonyms toolkit

# What to do with neighbours of another number of pieces: asked in MacBERT#12 and #19, unanswered;
# every replacement of the paper's Table II has as many pieces as the original.
OTHER_LENGTHS = ("skip", "strict")


@dataclass(frozen=True)
class SynonymsConfig:
    """The sources of similar words, and which of their words are taken."""

    # A file of `python -m data_gen synonyms build`; without one the build makes it, from `vectors`
    # and its own text.
    table: Optional[str] = file_setting(None)
    # Word2vec files, binary or text, plain or packed, the preferred first; `toolkit` stands for the
    # vectors of the Synonyms toolkit.
    vectors: List[str] = file_setting([TOOLKIT_SOURCE], any_name=True)
    top_k: int = 10  # neighbours of a word that the table keeps
    # Which of a word's candidates: first, uniform or weighted by similarity.
    choice: str = "uniform"
    # Neighbours of another number of pieces: pass over them to the next (skip), or let a word
    # whose nearest neighbour is one have no similar word (strict). Of the toolkit's vectors:
    # those of other sources are searched for words of the same number alone.
    other_lengths: str = "skip"
    min_similarity: float = 0.0  # cosine below which a neighbour is no candidate
    # In what a word's candidates must be like it, where any is: script, part_of_speech.
    alike: List[str] = field(default_factory=lambda: ["script"])
    # Take candidates that change every piece of the word, where there are any: of 语言, 英文 before
    # 语法, which leaves 语 as it is.
    avoid_shared_pieces: bool = False
    traditional: bool = True  # look traditional words up as simplified ones, by OpenCC
    min_count: int = 2  # words of one's own text that are rarer have no vector
    # Words of one's own text that are rarer replace no other, unless among the 1,000 most frequent
    # of their size.
    candidate_min_count: int = 20

    def __post_init__(self) -> None:
        require_one_of("synonyms.choice", self.choice, list(CANDIDATE_CHOICES))
        require_one_of("synonyms.other_lengths", self.other_lengths, OTHER_LENGTHS)
        for name in self.alike:
            require_one_of("synonyms.alike", name, list(ALIKE))
        require_between(self, "top_k", 1, 10_000, "synonyms.")
        require_between(self, "min_count candidate_min_count", 1, MOST_STEPS, "synonyms.")
        if not -1 <= self.min_similarity <= 1:
            raise ValueError(
                f"synonyms.min_similarity must be between -1 and 1, not {self.min_similarity}"
            )
