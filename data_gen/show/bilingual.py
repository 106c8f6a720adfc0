"""Texts of a page in English and Chinese, of which language.js shows one."""

from html import escape

from data_gen.show.chinese import in_chinese


def both(text: str, *values: object) -> str:
    """Write a text in both languages as HTML, once if they are the same; `values` fill its {}."""
    english, chinese = (
        escape(one.format(*values) if values else one) for one in (text, in_chinese(text))
    )
    if english == chinese:
        return english
    return f'<span class="en">{english}</span><span class="zh" lang="zh-Hans">{chinese}</span>'


def attributes(name: str, text: str) -> str:
    """Write an attribute in English, and its Chinese twin."""
    return f'{name}="{escape(text)}" data-zh-{name}="{escape(in_chinese(text))}"'
