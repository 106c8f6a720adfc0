"""A campaign of random and damaged files against the readers of text: a folder of them is read, or
refused in one sentence; no document is lost; a build and one pass read the same.

    python -m tests.campaigns.readers --minutes 20 --seed 7
"""

import argparse
import contextlib
import io
import os
import tempfile
import time
from unittest import mock

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from data_gen.corpus import blocks
from data_gen.corpus.blocks import group_into_blocks
from data_gen.corpus.config import CorpusConfig
from data_gen.corpus.detection.encodings import BAD_BYTES, CODECS
from data_gen.corpus.forms.formats import FORMATS
from data_gen.corpus.lines import LINES
from data_gen.corpus.read import read_blocks
from data_gen.corpus.stream import stream_documents
from data_gen.engine.processes import LocalEngine
from data_gen.jobs.inputs import scan_text_files
from data_gen.shared.errors import UserError
from tests.data_gen.helpers import PACKERS, WRITERS, show

_SECONDS = 20  # for a file of some kilobytes: more is a hang
_SIZES = [60, 300, 1 << 20]  # of a block
_LETTERS = "中文的一是，。！？…“”\"'<>&[]{}:;,\\|#- ab1é😀"

# As a document stands in all forms alike: no blank lines, no outer whitespace, no line of marks
# that a form has for itself.
lines = st.text(_LETTERS, min_size=1, max_size=20).map(lambda text: f"文{text.strip()}")
documents = st.lists(st.lists(lines, min_size=1, max_size=4), min_size=1, max_size=12)
tokens = st.sampled_from(
    [
        *(b"\n", b"\r", b"\r\n", b"\0", b"\xff", b"\xfe\xff", b"\xef\xbb\xbf", b'"', b"\\", b"\t"),
        *(b"{", b"}", b"[", b"]", b",", b'{"text":', b'"\\ud800"', b"<doc id=", b"</doc>", b"<x>"),
        *(b"PAR1", b"ARROW1\0\0", b"\x1f\x8b", b"BZh9", b"\xfd7zXZ\0", b"(\xb5/\xfd", b"null"),
        *("中文。".encode(name) for name in ("utf-8", "gb18030", "big5", "utf-16", "utf-32")),
    ]
)
names = st.sampled_from(
    ["a", "a.txt", "a.json", "a.jsonl", "a.csv", "a.tsv", "a.parquet", "a.arrow", "wiki_00", "a.md"]
)
configs = st.builds(
    CorpusConfig,
    format=st.sampled_from(["auto", "auto", "auto", *FORMATS]),
    encoding=st.sampled_from(["utf-8", "auto", *CODECS]),
    bad_bytes=st.sampled_from([*BAD_BYTES]),
    lines=st.sampled_from([*LINES]),
)


@st.composite
def whole_files(draw):
    """Documents, and files that hold them, with the settings that say how."""
    texts = draw(documents)
    form = draw(st.sampled_from(sorted(WRITERS)))
    data = WRITERS[form](texts)
    encoding = "utf-8"
    if not FORMATS[form].magic:
        encoding = draw(st.sampled_from(["utf-8", "gb18030", "utf-16"]))
        data = data.decode().encode(encoding)
    packing = draw(st.sampled_from(["", *(name for name in PACKERS if name == name.strip())]))
    if packing and not FORMATS[form].magic:
        data, name = PACKERS[packing](data), f"a.{packing}"
    else:
        name = "a"
    if form == "line":
        texts = [["".join(text)] for text in texts]
    config = CorpusConfig(format=form, encoding=encoding)
    return texts, name, data, config


@st.composite
def damaged_files(draw):
    """A file that was cut, changed or joined with others, of any name."""
    whole = draw(st.one_of(whole_files().map(lambda one: one[2]), st.binary(max_size=200)))
    data = bytearray(whole)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        kind = draw(st.integers(0, 4))
        if kind == 0:
            data[at:at] = draw(tokens)
        elif kind == 1:
            del data[at : at + draw(st.integers(1, 50))]
        elif kind == 2:
            data[at:at] = data[: draw(st.integers(0, 300))]
        elif kind == 3 and at < len(data):
            data[at] ^= 1 << draw(st.integers(0, 7))
        else:
            del data[at:]
    name = draw(names) + draw(st.sampled_from(["", "", "", ".gz", ".bz2", ".xz", ".zst"]))
    return name, bytes(data), draw(configs)


def read(name, data, config, size, in_folder):
    """Return the documents of a file, read as a build does and in one pass."""
    with tempfile.TemporaryDirectory() as folder, mock.patch.object(blocks, "BLOCK_BYTES", size):
        path = os.path.join(folder, name)
        with open(path, "wb") as handle:
            handle.write(data)
        given_path = folder if in_folder else path
        with contextlib.redirect_stderr(io.StringIO()):
            files = scan_text_files([given_path], config, None, LocalEngine(1), show).files
        found = [d for block in read_blocks(list(group_into_blocks(files)), config) for d in block]
        return found, list(stream_documents([given_path], config))


def require_sentence(error):
    """Fail if an error is more or less than a sentence for people."""
    text = str(error)
    assert text, "no text"
    assert "\n" not in text, text
    assert not any(word in text for word in ("Traceback", "unexpected Error", "report it")), text


def check_whole(case, size):
    """Check that documents come out as they went in."""
    texts, name, data, config = case
    built, streamed = read(name, data, config, size, in_folder=False)
    assert streamed == built
    found = ["".join("".join(document.sentences).split()) for document in built]
    expected = ["".join("".join(text).split()) for text in texts]
    if size < 1 << 20:  # where documents are cut
        found, expected = ["".join(found)], ["".join(expected)]
    assert found == expected


def check_damaged(case, size, in_folder):
    """Check that a file is read the same in both ways, or refused in a sentence."""
    name, data, config = case
    start = time.monotonic()
    try:
        built, streamed = read(name, data, config, size, in_folder)
    except UserError as error:
        require_sentence(error)
    else:
        assert built, "neither text nor an error"
        assert streamed == built
        assert all(sentence.strip() for document in built for sentence in document.sentences)
    assert time.monotonic() - start < _SECONDS


def campaign(number, examples):
    """Run both checks on so many files each. Raises what they find, with the smallest such file."""
    options = settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    sizes = st.sampled_from(_SIZES)
    seed(number)(options(given(whole_files(), sizes)(check_whole)))()
    seed(number)(options(given(damaged_files(), sizes, st.booleans())(check_damaged)))()


def main():
    """Run campaigns of ascending numbers until so much processor time is spent."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1, help="of a core")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    number = args.seed
    while time.process_time() < args.minutes * 60:
        campaign(number, 200)
        number += 1
    print(
        f"{number - args.seed:,} x 400 files, seeds {args.seed} to {number - 1}, "
        f"{time.process_time() / 60:.1f} minutes of a core: nothing found"
    )


if __name__ == "__main__":
    main()
