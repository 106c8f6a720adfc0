"""The table of formats of input files: `corpus.format`."""

from typing import Dict

from data_gen.corpus.forms.arrow import read_arrow
from data_gen.corpus.forms.form import Form
from data_gen.corpus.forms.json_array import read_json_array
from data_gen.corpus.forms.json_lines import read_json_lines
from data_gen.corpus.forms.parquet import read_parquet
from data_gen.corpus.forms.table import read_csv, read_tsv
from data_gen.corpus.forms.text import read_document_lines, read_text
from data_gen.corpus.forms.wikiextractor import read_wikiextractor, read_wikiextractor_json

AUTO = "auto"
TEXT = "text"  # of `auto`, for all that is nothing else

FORMATS: Dict[str, Form] = {
    TEXT: Form(read_text, blank_ends=True),
    "line": Form(read_document_lines),
    "jsonl": Form(read_json_lines, suffixes=(".jsonl", ".ndjson", ".jsonlines")),
    "json": Form(read_json_array),
    "wikiextractor": Form(read_wikiextractor),
    "wikiextractor_json": Form(read_wikiextractor_json),
    "csv": Form(read_csv, suffixes=(".csv",)),
    "tsv": Form(read_tsv, suffixes=(".tsv", ".tab")),
    "parquet": Form(read_parquet, magic=(b"PAR1",), from_start=True),
    "arrow": Form(read_arrow, magic=(b"ARROW1", b"\xff\xff\xff\xff")),
}
