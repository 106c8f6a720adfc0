"""The pages of this project: headings, links, and the commands of their blocks."""

import glob
import os
import re
import shlex
from dataclasses import dataclass, field
from typing import Dict, Iterator, List, Tuple

from tests.conftest import ROOT

FENCE = re.compile(r"^\s*```\s*(\w*)\s*$")
NEEDS = re.compile(r"^\s*<!-- needs: ([a-z]+) -->$")
HEADING = re.compile(r"^(#{1,6}) (.*\S)")
LINK = re.compile(r"\]\(([^)\s]+)\)|(?:href|src)=\"([^\"]+)\"")
SHELL = ("bash", "sh", "shell", "console")


@dataclass
class Block:
    """A fenced block."""

    page: str
    line: int  # of its first line of text, from 1
    language: str
    needs: str  # of the comment before it: what a test has not, such as "gpu"; else ""
    lines: List[str] = field(default_factory=list)


@dataclass
class Command:
    """One program with its arguments, as a page gives it."""

    page: str
    line: int
    needs: str
    words: List[str]

    def __str__(self) -> str:
        """Where it stands, and its words."""
        return f"{self.page}:{self.line}: {shlex.join(self.words)}"


def pages() -> List[str]:
    """Every Markdown file of the project, from its root."""
    found = [
        path
        for pattern in ("*.md", "docs/**/*.md", "tests/golden/*.md")
        for path in glob.glob(os.path.join(ROOT, pattern), recursive=True)
    ]
    return sorted(os.path.relpath(path, ROOT).replace(os.sep, "/") for path in found)


def original_of(page: str) -> str:
    """The page in English that a page in Chinese follows; "" for one that follows none."""
    if page == "README_zh.md":
        return "README.md"
    if not page.startswith("docs/zh/"):
        return ""
    name = os.path.basename(page)
    guide = f"docs/guide/{name}"
    return guide if os.path.exists(os.path.join(ROOT, guide)) else f"docs/{name}"


def read(page: str) -> str:
    """The text of a page."""
    with open(os.path.join(ROOT, page), encoding="utf-8") as handle:
        return handle.read()


def divide(page: str) -> Tuple[List[str], List[Block]]:
    """The lines of a page outside of its fenced blocks, and the blocks."""
    prose: List[str] = []
    blocks: List[Block] = []
    inside = False
    for number, line in enumerate(read(page).splitlines(), 1):
        fence = FENCE.match(line)
        if fence and not inside:
            marked = NEEDS.match(prose[-1]) if prose else None
            needs = marked.group(1) if marked else ""
            blocks.append(Block(page, number + 1, fence.group(1), needs))
            inside = True
        elif inside:
            inside = not line.strip().startswith("```")
            if inside:
                blocks[-1].lines.append(line)
        else:
            prose.append(line)
    assert not inside, f"{page}: the block at line {blocks[-1].line} has no end"
    return prose, blocks


def headings(page: str) -> List[Tuple[int, str]]:
    """Level and text of each heading, in order."""
    found = [HEADING.match(line) for line in divide(page)[0]]
    return [(len(one.group(1)), one.group(2)) for one in found if one]


def anchors(page: str) -> List[str]:
    """What `#...` may name on a page, by the rule of GitHub."""
    seen: Dict[str, int] = {}
    found = []
    for _, text in headings(page):
        text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
        name = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        found.append(f"{name}-{seen[name]}" if name in seen else name)
        seen[name] = seen.get(name, 0) + 1
    return found


def links(page: str) -> List[str]:
    """The targets of all links and pictures of a page."""
    prose = re.sub(r"`[^`\n]*`", "", "\n".join(divide(page)[0]))
    return [inline or html for inline, html in LINK.findall(prose)]


def commands(page: str) -> List[Command]:
    """The commands of the shell blocks of a page, and those after a `$ ` in its other blocks."""
    found = []
    for block in divide(page)[1]:
        if block.language in SHELL:
            found += list(_commands(block, block.lines))
        elif not block.language:
            shown = [line[2:] for line in block.lines if line.startswith("$ ")]
            found += [
                Command(one.page, one.line, "a look", one.words) for one in _commands(block, shown)
            ]
    return found


def _commands(block: Block, lines: List[str]) -> Iterator[Command]:
    text = "\n".join(lines).replace("\\\n", " ")
    for line in text.splitlines():
        words: List[str] = []
        lexer = shlex.shlex(line, posix=True, punctuation_chars="&|;<>")
        lexer.whitespace_split = True
        for word in [*lexer, ";"]:
            if not set(word) <= set("&|;"):
                words.append(word)
            elif words:
                yield Command(block.page, block.line, block.needs, words)
                words = []
