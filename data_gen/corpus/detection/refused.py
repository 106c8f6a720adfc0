"""Kinds of files that are recognised and not read, and what a user is to do with one."""

from typing import Dict

REFUSED: Dict[str, str] = {
    "MediaWiki XML": "is a dump of MediaWiki: run WikiExtractor on it and give what that writes",
    "HTML": "is HTML: extract its text first, e.g. with trafilatura, or set corpus.format if its "
    "tags are text",
    "XML": "is XML: extract its text first, or set corpus.format if its tags are text",
    "archive": "is an archive: unpack it and give the files or their folder",
    "packed file": "is packed, but its name says nothing of it: unpack it, or add .gz, .bz2, .xz "
    "or .zst to the name",
    "file packed twice": "is packed twice: unpack it once",
    "packed table": "is a packed Parquet or Arrow file: unpack it, its columns are packed already",
    "table without names": "is a table whose first line names no columns: add one, such as label "
    "and text with a tab between them, and say which with corpus.field, or set corpus.format=text "
    "if its tabs are text",
    "UTF-32": "is UTF-32: convert it to UTF-8, e.g. with iconv -f UTF-32",
    "text of seven bits": "is HZ or ISO-2022, Chinese in ASCII bytes: convert it to UTF-8",
    "LaTeX": "is LaTeX: extract its text first, e.g. with pandoc -t plain, or set "
    "corpus.format=text if its commands are text",
    "subtitles": "holds subtitles: take their times out, or set corpus.format=text if these are "
    "text",
    "source code": "is source code, by its name: set corpus.format if it is text all the same",
    "settings": "holds settings, by its name: set corpus.format if it is text all the same",
    "log": "is a log, by its name: set corpus.format if it is text all the same",
    "mail": "is mail: extract its text first, or set corpus.format=text if its headers are text",
    "Feather of version 1": "is Feather of version 1: write it anew with pyarrow, as Parquet",
    "PDF": "is a PDF: extract its text first, e.g. with pdftotext",
    "office document": "is a document of an office program: save it as text first",
    "image": "is an image: leave it out",
    "sound or film": "is sound or film: leave it out",
    "binary data": "is no text, but binary data: leave it out",
    # These are read where they are named; in a folder they are about the text, and no part of it.
    "description": "describes data and is none: leave it out",
    "cache": "is a cache of `datasets`, a copy of its other files: leave it out",
    "empty": "is empty",
}
