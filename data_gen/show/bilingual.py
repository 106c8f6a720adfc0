"""Texts of a page in English and Chinese, of which language.js shows one."""

import json
import os
from functools import cache
from html import escape
from typing import Dict


@cache
def chinese_texts() -> Dict[str, str]:
    """Return the texts in Chinese, by the English ones."""
    path = os.path.join(os.path.dirname(__file__), "web", "chinese.json")
    with open(path, encoding="utf-8") as handle:
        texts: Dict[str, str] = json.load(handle)
    return texts


def both(text: str, *values: object) -> str:
    """Write a text in both languages as HTML, once if they are the same; `values` fill its {}."""
    english, chinese = (
        escape(one.format(*values) if values else one) for one in (text, _in_chinese(text))
    )
    if english == chinese:
        return english
    return f'<span class="en">{english}</span><span class="zh" lang="zh-Hans">{chinese}</span>'


def attributes(name: str, text: str) -> str:
    """Write an attribute in English, and its Chinese twin."""
    return f'{name}="{escape(text)}" data-zh-{name}="{escape(_in_chinese(text))}"'


def _in_chinese(text: str) -> str:
    """Return a text in Chinese; as it is where there is none, as of names that a user gives."""
    return chinese_texts().get(text, text)
