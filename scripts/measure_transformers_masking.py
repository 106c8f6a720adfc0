"""Measure what transformers' whole word masking does to Chinese text.

python scripts/measure_transformers_masking.py TEXT [TEXT ...]   # documents, a blank line between

Needs transformers with `DataCollatorForLanguageModeling(whole_word_mask=True)`. That collator calls
two pieces one word where their offsets touch. Chinese is written without spaces, so all pieces from
one space or line break to the next are one word: all of them are masked, or none.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from typing import Any, List, NamedTuple, Optional, Sequence, Tuple

# A clone needs not be installed.
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from data_gen.shared.errors import UserError
from data_gen.shared.shipped import shipped_file

VOCABULARY = "configs/vocab/bert_base_chinese.txt"


class Measure(NamedTuple):
    """The masks of all draws of all sequences."""

    words: List[int]  # of each sequence: runs of touching pieces
    longest: List[int]  # of each sequence: pieces of the longest of them
    masked: List[
        float
    ]  # of each draw: share of the pieces that is masked, [CLS], [SEP] not counted

    def share(self, least: float, most: float) -> float:
        """Return the share of the draws that mask from `least` to `most` of their pieces."""
        return sum(least <= share <= most for share in self.masked) / len(self.masked)


def read_documents(paths: Sequence[str], join: bool = False) -> List[str]:
    """Read the documents of text files, as they stand or with their lines joined; a blank line ends
    one.
    """
    documents: List[str] = []
    for path in paths:
        try:
            with open(path, encoding="utf-8") as handle:
                documents += handle.read().split("\n\n")
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"{path} must be UTF-8 text ({error})") from error
    documents = [document.strip() for document in documents if document.strip()]
    return ["".join(document.splitlines()) for document in documents] if join else documents


def load_tokenizer() -> Any:
    """Load transformers' tokenizer with the vocabulary of this project, which is Google's."""
    from transformers import BertTokenizerFast

    with tempfile.TemporaryDirectory() as folder, open(str(shipped_file(VOCABULARY)), "rb") as file:
        with open(os.path.join(folder, "vocab.txt"), "wb") as copy:
            copy.write(file.read())
        with open(os.path.join(folder, "tokenizer_config.json"), "w", encoding="utf-8") as config:
            json.dump({"tokenizer_class": "BertTokenizer"}, config)
        return BertTokenizerFast.from_pretrained(folder)


def measure(
    documents: Sequence[str], length: int = 128, sequences: int = 60, draws: int = 10
) -> Measure:
    """Mask the first `length` pieces of documents that have so many.

    Raises UserError where transformers' collator does not take the option, or no document is long
    enough.
    """
    from transformers import DataCollatorForLanguageModeling

    tokenizer = load_tokenizer()
    try:
        collator = DataCollatorForLanguageModeling(
            tokenizer=tokenizer,
            whole_word_mask=True,
            mask_replace_prob=1.0,  # the only one that it takes with whole words
            random_replace_prob=0.0,
            return_tensors="np",
            seed=1,
        )
    except TypeError as error:
        raise UserError(f"this transformers is too old for whole_word_mask: {error}") from error
    found = Measure([], [], [])
    for document in documents:
        encoded = tokenizer(
            document,
            truncation=True,
            max_length=length,
            return_offsets_mapping=True,
            return_special_tokens_mask=True,
        )
        if len(encoded["input_ids"]) < length or len(found.words) == sequences:
            continue
        runs = _runs(encoded["offset_mapping"][1:-1])
        found.words.append(len(runs))
        found.longest.append(max(runs))
        for _ in range(draws):
            labels = collator([dict(encoded)])["labels"]
            found.masked.append(float((labels != -100).sum()) / (length - 2))
    if not found.words:
        raise UserError(f"no document has {length} pieces: give longer ones, or --length")
    return found


def _runs(offsets: Sequence[Tuple[int, int]]) -> List[int]:
    """Return the lengths of the runs of pieces whose offsets touch."""
    lengths: List[int] = []
    end = -1
    for start, stop in offsets:
        if start == end:
            lengths[-1] += 1
        else:
            lengths.append(1)
        end = stop
    return lengths


def lines(found: Measure) -> List[str]:
    """Return the lines to print."""
    import transformers

    return [
        f"transformers {transformers.__version__}, whole_word_mask=True, {len(found.words)} "
        f"sequences, {len(found.masked)} draws",
        f"words a sequence     median {statistics.median(found.words):g}",
        f"longest word         median {statistics.median(found.longest):g} pieces",
        f"masked               mean {statistics.mean(found.masked):.1%}, "
        f"sd {statistics.pstdev(found.masked):.1%}",
        f"nothing masked       {found.share(0, 0):.1%} of the draws",
        f"more than half       {found.share(0.5, 1):.1%} of the draws",
    ]


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Measure text files. Returns the exit code."""
    parser = argparse.ArgumentParser(description="Measure transformers' whole word masking.")
    parser.add_argument("text", nargs="+", help="UTF-8, a blank line between documents")
    parser.add_argument("--length", type=int, default=128, help="pieces of a sequence")
    parser.add_argument("--sequences", type=int, default=60, help="how many, one a document")
    parser.add_argument("--draws", type=int, default=10, help="masks of each sequence")
    parser.add_argument(
        "--join",
        action="store_true",
        help="leave out line breaks, which end a word for transformers",
    )
    args = parser.parse_args(argv)
    try:
        found = measure(
            read_documents(args.text, args.join), args.length, args.sequences, args.draws
        )
    except ImportError as error:
        print(f"error: {error.name} is missing, which `test-neural` brings", file=sys.stderr)
        return 1
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print("\n".join(lines(found)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
