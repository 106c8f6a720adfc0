"""What several tests of the generator share."""

import bz2
import csv
import gzip
import html
import io
import json
import lzma
import os
import struct

import numpy as np
import zstandard
from hypothesis import strategies as st

from data_gen.core.columns import Examples, Instances, TokenizedBlock
from data_gen.core.random_draws import seed_for
from data_gen.corpus.config import CorpusConfig
from data_gen.corpus.scan import scan_if_text
from data_gen.engine.processes import LocalEngine
from data_gen.jobs.build_dataset import build
from data_gen.jobs.inputs import resolve_inputs
from data_gen.masking.masker import Masker, MaskLimits
from data_gen.pipeline.align import word_starts
from data_gen.shared.vocabulary import SPECIALS
from data_gen.synonyms.lexicon import CANDIDATE_CHOICES, CandidateCache, CandidateColumns, Labels
from data_gen.synonyms.table import make_source_table
from data_gen.tokenization.sentence_piece import SentencePiece
from data_gen.tokenization.tokenizer import Tokens
from data_gen.tokenization.train_sentencepiece import sentencepiece_options
from data_gen.tokenization.training import Options
from tests.conftest import ROOT

VOCAB = "configs/vocab/bert_base_chinese.txt"
SEGMENTED = "tests/data/segmented.txt"
TEXT = "tests/data/text.txt"


def word_spans(offsets, boundaries):
    """The words of one sentence as ranges of its pieces."""
    first, last = np.array(offsets, np.int64).reshape(-1, 2).T
    marks = np.zeros(1 + max([0, *last.tolist(), *boundaries]), bool)
    marks[list(boundaries)] = True
    zeros = np.zeros(len(first), np.int64)
    starts = np.flatnonzero(word_starts(Tokens(zeros, first, last), zeros[:1], marks)).tolist()
    return list(zip(starts, [*starts[1:], len(first)]))


def write_word2vec(path, words, matrix):
    """A binary word2vec file."""
    with open(path, "wb") as handle:
        handle.write(f"{len(words)} {matrix.shape[1]}\n".encode())
        for word, vector in zip(words, matrix):
            handle.write(word.encode() + b" " + vector.astype("<f4").tobytes() + b"\n")
    return str(path)


def columns(*examples):
    """Examples, each given on its own, as columns."""

    def column(name):
        return np.array([number for example in examples for number in getattr(example, name)], int)

    return Examples(
        np.arange(len(examples)),
        column("pieces"),
        np.cumsum([0, *(len(example.pieces) for example in examples)]),
        np.array([example.a_stop for example in examples], int),
        np.array([example.label for example in examples], int),
        column("masked_positions"),
        column("masked_labels"),
        np.cumsum([0, *(len(example.masked_positions) for example in examples)]),
    )


class OneByOne:
    """A lookup of similar words that is asked for one word at a time."""

    def candidates(self, keys, words):
        every = [(i, self(words.word(i))) for i in range(len(keys))]
        found = [(i, candidates) for i, candidates in every if candidates]
        yield CandidateColumns(
            np.array([i for i, _ in found], np.int64),
            np.array([len(some) for _, some in found], np.int64),
            np.array([piece for _, some in found for pieces, _ in some for piece in pieces]),
            np.array([similarity for _, some in found for _, similarity in some]),
        )

    def sources(self, keys, words):
        self._words = dict(zip(keys.tolist(), (words.word(i) for i in range(len(keys)))))
        return labels([self.source(word) for word in self._words.values()])

    def reasons(self, keys):
        return labels([self.missing(self._words[key]) for key in keys.tolist()])


def labels(names):
    """Give each word a name, "" the number 0."""
    every = ["", *{*names} - {""}]
    return Labels(every, np.array([every.index(name) for name in names], np.int64))


def scan(path, name, config=None, seen=None):
    """Scan a file that is named."""
    return scan_if_text(path, name, config or CorpusConfig(), named=True, seen=seen)


def show(title, total, results, amount=None):
    """No progress."""
    return results


def train_sentencepiece(folder, **options):
    """Train a model on the tests' text and write it with its vocab.txt; options of the package."""
    import sentencepiece

    model = io.BytesIO()
    defaults = sentencepiece_options(True, Options(size=700))
    lines = []
    for name in (SEGMENTED, TEXT):
        with open(f"{ROOT}/{name}", encoding="utf-8") as handle:
            lines += [line.strip() for line in handle if line.strip()]
    sentencepiece.SentencePieceTrainer.train(
        **{**defaults, **options}, sentence_iterator=iter(lines), model_writer=model
    )
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    pieces = [processor.id_to_piece(i) for i in range(processor.get_piece_size())]
    with open(f"{folder}/spiece.model", "wb") as handle:
        handle.write(model.getvalue())
    with open(f"{folder}/vocab.txt", "w", encoding="utf-8") as handle:
        handle.writelines(f"{piece}\n" for piece in pieces)
    return SentencePiece(pieces, processor, "of a test")


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def fields(data):
    """The length-delimited fields of a protobuf message: written from its specification."""
    at, found = 0, []
    while at < len(data):
        tag, at = varint(data, at)
        assert tag & 7 == 2
        size, at = varint(data, at)
        found.append((tag >> 3, data[at : at + size]))
        at += size
    return found


def unpack(record):
    ((_, features),) = fields(record)
    decoded = {}
    for _, entry in fields(features):
        (_, name), (_, feature) = fields(entry)
        ((kind, values),) = fields(feature)
        ((_, packed),) = fields(values)
        if kind == 2:
            decoded[name.decode()] = list(struct.unpack(f"<{len(packed) // 4}f", packed))
        else:
            assert kind == 3
            numbers, at = [], 0
            while at < len(packed):
                number, at = varint(packed, at)
                numbers.append(number)
            decoded[name.decode()] = numbers
    return decoded


def zstd_frames(text):
    """Three frames, with a frame to skip between them, as pzstd writes."""
    third = len(text) // 3
    parts = [text[:third], text[third : 2 * third], text[2 * third :]]
    skippable = b"\x50\x2a\x4d\x18\x04\x00\x00\x00four"
    return skippable.join(zstandard.ZstdCompressor().compress(part) for part in parts)


def zstd_stream(text):
    """One frame that does not say its size."""
    compressor = zstandard.ZstdCompressor().compressobj()
    return compressor.compress(text) + compressor.flush()


PACKERS = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstandard.ZstdCompressor().compress,
    "zst ": zstd_frames,
    "zst  ": zstd_stream,
}


HARD = (
    "\t\n \u3000\xa0\u200b\u200d\ufeff\xad\0\x01\ufffd\u2581\ue000"  # spaces, dropped, private
    "é\u0301\u0308İẞΣςǅﬁ½㎡…㍿①ﷺ"  # accents, letter case, characters that become several
    "１Ａｱﾞが한\u1112𝒜𠮷\U0002b820😀🏽[]#，。;"
)
# Words of the vocabularies, hard characters, specials in so many letters, and any text at all.
hard_sentences = st.lists(
    st.one_of(
        st.sampled_from(["语言", "模型", "公园", "一个", "the", "TensorFlow", "19", "98年"]),
        st.sampled_from(HARD),
        st.sampled_from(SPECIALS),
        st.text(max_size=3),
    ),
    max_size=8,
).map("".join)


def block(tokenizer, a, b, count=1, seed=0):
    """A text of two segments, each a list of sentences, each a list of words; and so many instances
    of it.
    """
    sentences = [*a, *b]
    words = [tokenizer.encode([word])[0][0] for sentence in sentences for word in sentence]
    text = TokenizedBlock(
        np.array([piece for word in words for piece in word], np.int32),
        np.cumsum([0, *map(len, words)]),
        np.cumsum([0, *map(len, sentences)]),
        np.array([0, len(sentences)]),
    )
    cut = text.words[sum(map(len, a))]
    segments = [[[start, stop]] * count for start, stop in ((0, cut), (cut, len(text.pieces)))]
    keys = np.array([seed_for(seed, i) for i in range(count)], np.uint64)
    return text, Instances(*map(np.array, segments), np.zeros(count, np.int64), keys)


def spans(text, instances):
    """The sequence of the first instance, and where each of its words lies in it."""
    cut = int(instances.a[0, 1])
    words = text.words.tolist()
    return [
        (start + (2 if start >= cut else 1), stop + (2 if start >= cut else 1))
        for start, stop in zip(words, words[1:])
    ]


def sequence(tokenizer, text, instances):
    pieces, cut = text.pieces.tolist(), int(instances.a[0, 1])
    return tokenizer.cls, *pieces[:cut], tokenizer.sep, *pieces[cut:], tokenizer.sep


GOLDEN = "tests/golden/dataset"


def run(config, output, inputs=(TEXT,), workers=1, task_bytes=None):
    resolved = resolve_inputs(config, list(inputs))
    return build(resolved, str(output), LocalEngine(workers), show, task_bytes)


def shards(folder):
    names = sorted(name for name in os.listdir(folder) if ".tfrecord" in name)
    return {name: open_bytes(os.path.join(folder, name)) for name in names}


def open_bytes(path):
    with open(path, "rb") as handle:
        return handle.read()


# What the formats make of the same documents, each a list of lines.


def as_text(documents):
    return "\n\n".join("\n".join(document) for document in documents).encode()


def as_lines(documents):
    return "\n".join("".join(document) for document in documents).encode()


def rows(documents, safe=lambda text: text):
    return [{"id": i, "text": safe("\n".join(lines))} for i, lines in enumerate(documents)]


def as_jsonl(documents, safe=lambda text: text):
    made = [json.dumps(row, ensure_ascii=row["id"] % 2 == 0) for row in rows(documents, safe)]
    return "\n".join(made).encode()


def as_json(documents):
    return json.dumps(rows(documents), ensure_ascii=False, indent=1).encode()


def escaped(text):
    return html.escape(text, quote=False)


def as_wikiextractor(documents):
    return "".join(
        f'<doc id="{i}" url="https://zh.wikipedia.org/wiki?curid={i}" title="a>b">\n'
        f"{escaped(lines[0])}\n\n" + escaped("\n".join(lines[1:])) + "\n\n</doc>\n"
        for i, lines in enumerate(documents)
    ).encode()


def as_csv(documents):
    table = io.StringIO()
    writer = csv.DictWriter(table, ["id", "text"])
    writer.writeheader()
    writer.writerows(rows(documents))
    return table.getvalue().encode()


def as_tsv(documents):
    table = io.StringIO()
    csv.writer(table, "excel-tab").writerows([["text", "id"]])
    csv.writer(table, "excel-tab").writerows([row["text"], row["id"]] for row in rows(documents))
    return table.getvalue().encode()


def arrow_table(documents):
    import pyarrow

    return pyarrow.Table.from_pylist(
        rows(documents), pyarrow.schema([("id", pyarrow.int64()), ("text", pyarrow.string())])
    )


def as_parquet(documents, **options):
    import pyarrow.parquet

    written = io.BytesIO()
    pyarrow.parquet.write_table(arrow_table(documents), written, **{"row_group_size": 7, **options})
    return written.getvalue()


def as_arrow(documents, stream=True):
    import pyarrow

    written = io.BytesIO()
    table = arrow_table(documents)
    new = pyarrow.ipc.new_stream if stream else pyarrow.ipc.new_file
    with new(written, table.schema) as writer:
        writer.write_table(table, max_chunksize=9)
    return written.getvalue()


WRITERS = {
    "text": as_text,
    "line": as_lines,
    "jsonl": as_jsonl,
    "json": as_json,
    "wikiextractor": as_wikiextractor,
    "wikiextractor_json": lambda documents: as_jsonl(documents, escaped),
    "csv": as_csv,
    "tsv": as_tsv,
    "parquet": as_parquet,
    "arrow": as_arrow,
}


def pieces_of(tokenizer, word):
    ((pieces, _),) = tokenizer.encode([word])
    return tuple(pieces)


def layer_of(tokenizer, near):
    words = list(dict.fromkeys([*near, *(word for pairs in near.values() for word, _ in pairs)]))
    rows, cosines = np.full((len(words), 4), -1), np.zeros((len(words), 4), np.float32)
    for word, pairs in near.items():
        for i, (other, cosine) in enumerate(pairs):
            rows[words.index(word), i] = words.index(other)
            cosines[words.index(word), i] = cosine
    return make_source_table(
        [pieces_of(tokenizer, word) for word in words], rows, cosines, tokenizer.join
    )


# The blocks in which Google's BasicTokenizer makes every character a piece of its own
# (tokenization.py).
_CJK_BLOCKS = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)


def is_cjk(char: str) -> bool:
    """Whether Google's tokenizer treats `char` as a Chinese character."""
    return any(first <= ord(char) <= last for first, last in _CJK_BLOCKS)


def masker_of(config, tokenizer, similar):
    """The masker that the pipeline would make, with a lookup of similar words of one's own."""
    limits = MaskLimits(config.max_seq_length, config.predictions, config.masked_lm_prob)
    weigh = CANDIDATE_CHOICES[config.synonyms.choice]
    return Masker(config.masking, limits, tokenizer, CandidateCache(similar, tokenizer, weigh))
