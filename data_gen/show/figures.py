"""The statistics of a build in words: a section, a name and an explanation for each of them."""

from typing import Any, Collection, Dict, Iterator, List, Mapping, NamedTuple, Optional, Tuple

LISTED = 5  # of many names, the first; `stats --json` has them all


class Figure(NamedTuple):
    """One statistic for people."""

    section: str
    meaning: str
    form: str = ","  # of its numbers, for `format`


_TEXT, _SEQUENCES, _MASKING = "Text", "Sequences", "Masking"
_SIMILAR, _SECONDS, _OTHER = "Similar words", "Seconds of one core", "Other"
SECTIONS = (_TEXT, _SEQUENCES, _MASKING, _SIMILAR, _SECONDS, _OTHER)
_SHARE = ".1%"

# A name of `jobs.statistics.report` -> how it is shown, in this order.
FIGURES: Dict[str, Figure] = {
    "documents": Figure(_TEXT, "texts: a blank line or an entry of a file ends one"),
    "sentences": Figure(_TEXT, "what the documents were cut into"),
    "words": Figure(_TEXT, "what the segmenter found in the sentences"),
    "pieces": Figure(_TEXT, "tokens of the vocabulary; a word has one or more"),
    "characters": Figure(_TEXT, "letters, Chinese characters and marks"),
    "files": Figure(_TEXT, "files that were read, by format"),
    "skipped_files": Figure(_TEXT, "files that hold no text, by kind"),
    "skipped_documents": Figure(_TEXT, "documents left out, by reason"),
    "joined_lines": Figure(_TEXT, "lines joined to the one before: wrapped text"),
    "replaced_bytes": Figure(_TEXT, "bytes that are no text of the encoding, replaced"),
    "skipped_lines": Figure(_TEXT, "lines left out for bytes that are no text"),
    "unknown_pieces": Figure(_TEXT, "pieces that are [UNK]: the vocabulary lacks them", ".2%"),
    "misaligned_sentences": Figure(_TEXT, "sentences whose words were another text: split up"),
    "rejoined_pieces": Figure(_TEXT, "## pieces given back to a word that had lost them"),
    "instances": Figure(_SEQUENCES, "training examples: two segments each, all copies"),
    "pieces_kept": Figure(_SEQUENCES, "pieces of the text that are in an instance", _SHARE),
    "fill": Figure(_SEQUENCES, "how full the sequences are, of the longest", _SHARE),
    "ideal_fill": Figure(_SEQUENCES, "fill, if each document took the fewest sequences", _SHARE),
    "label_1": Figure(_SEQUENCES, "instances whose pair is swapped or random", _SHARE),
    "split_at": Figure(_SEQUENCES, "where a sequence is cut into its two segments", _SHARE),
    "sequence_lengths": Figure(_SEQUENCES, "instances by how full they are", _SHARE),
    "masked": Figure(_MASKING, "pieces that the model predicts", _SHARE),
    "masked_words": Figure(_MASKING, "words that the model predicts", _SHARE),
    "ngrams": Figure(_MASKING, "n-grams by their number of words", _SHARE),
    "kinds_drawn": Figure(_MASKING, "draws of what to put in place of a word", _SHARE),
    "kinds_by_piece": Figure(_MASKING, "what stands there now, by piece", _SHARE),
    "unchanged_pieces": Figure(_MASKING, "predicted pieces that stay as they are", _SHARE),
    "unchanged_by_kind": Figure(_MASKING, "the same, by what was drawn for them", _SHARE),
    "masked_by_word_size": Figure(_MASKING, "how often by pieces of a word; 1 is average", ".2f"),
    "masked_by_decile": Figure(_MASKING, "how often by tenth of a sequence; 1 is average", ".2f"),
    "never_masked": Figure(_MASKING, "words that may not be masked, by reason", ".2%"),
    "ngrams_across_sentences": Figure(_MASKING, "n-grams that go over the end of a sentence"),
    "shortened_ngrams": Figure(_MASKING, "words cut off n-grams that found no room"),
    "refused_ngrams": Figure(_MASKING, "places refused for want of similar words"),
    "kept_past_the_cap": Figure(_MASKING, "pieces kept for want of similar words"),
    "forced": Figure(_MASKING, "instances with one masked word against the rules"),
    "instances_of_unknown_pieces": Figure(_MASKING, "instances of [UNK] alone, left out"),
    "words_with_similar": Figure(_SIMILAR, "words that have a similar one", _SHARE),
    "chinese_words_with_similar": Figure(_SIMILAR, "the same, of words in Chinese", _SHARE),
    "characters_with_similar": Figure(_SIMILAR, "the same, by characters", _SHARE),
    "similar_words_from": Figure(_SIMILAR, "where the similar words are from", _SHARE),
    "words_without_similar": Figure(_SIMILAR, "why words have none", _SHARE),
    "most_frequent_without_similar": Figure(_SIMILAR, "the most frequent words that have none"),
    "cpu_seconds": Figure(_SECONDS, "time by stage, of all processes", ",.1f"),
}


class Row(NamedTuple):
    """A statistic as text: its values stand one below the other, if they have names."""

    name: str
    value: str  # "" where there are several
    parts: Tuple[Tuple[str, str], ...]  # name and value
    meaning: str


def sections(
    statistics: Mapping[str, Any], without: Collection[str] = (), listed: int = LISTED
) -> Iterator[Tuple[str, List[Row]]]:
    """Write the statistics as text, by section, but for those named in `without`; of many names
    `listed`. A statistic that is unknown here, of another version, comes last.
    """
    known = [name for name in FIGURES if name in statistics]
    rest = [name for name in statistics if name not in FIGURES]
    rows: Dict[str, List[Row]] = {section: [] for section in SECTIONS}
    for name in known + rest:
        figure = FIGURES.get(name, Figure(_OTHER, "", ""))
        row = _row(name, statistics[name], figure, listed)
        if row and name not in without:
            rows[figure.section].append(row)
    for section, found in rows.items():
        if found:
            yield section, found


def _row(name: str, value: Any, figure: Figure, listed: int) -> Optional[Row]:
    """Write one statistic; None for several values that all are 0."""
    label = name.replace("_", " ")
    if isinstance(value, list):
        value = _by_place(value)
    if not isinstance(value, dict):
        return Row(label, _written(value, figure.form), (), figure.meaning)
    parts = {str(key): number for key, number in value.items() if number}
    if len(parts) > max(listed, 10):
        parts = dict(list(parts.items())[:listed])
    if not parts:
        return None
    written = tuple((key, _written(number, figure.form)) for key, number in parts.items())
    return Row(label, "", written, figure.meaning)


def _by_place(values: List[Any]) -> Dict[str, Any]:
    """Name the values of a list by the place of a sequence that they are for."""
    count = len(values)
    if count > 10:  # a histogram: quarters are enough, as shares of all
        total = sum(values) or 1
        step = -(-count // 4)
        quarters = [sum(values[i : i + step]) / total for i in range(0, count, step)]
        return {
            f"{i * step / count:.0%}-{min((i + 1) * step / count, 1):.0%}": share
            for i, share in enumerate(quarters)
        }
    return {str(i): value for i, value in enumerate(values, 1)}


def _written(value: float, form: str) -> str:
    """Write a number. A share that is not 0 does not look like 0."""
    text = format(value, form or ",")
    if value and not text.strip("0.,%"):
        return f"{100 * value:.1g}%" if form.endswith("%") else f"{value:.1g}"
    return text
