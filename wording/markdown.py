"""Markdown as leads write it, turned into HTML that cannot carry script."""

import re

import nh3
from markdown_it import MarkdownIt

_TAGS = frozenset(
    [
        "a",
        "b",
        "blockquote",
        "br",
        "code",
        "em",
        "h1",
        "h2",
        "h3",
        "h4",
        "hr",
        "i",
        "img",
        "li",
        "ol",
        "p",
        "pre",
        "strong",
        "table",
        "tbody",
        "td",
        "th",
        "thead",
        "tr",
        "ul",
    ]
)
_ATTRIBUTES = {"a": {"href", "title"}, "img": {"src", "alt", "title", "width", "height"}, "td": {"align"}}
SCHEMES = frozenset({"http", "https", "mailto", "tg"})
_PARSER = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def to_html(text: str) -> str:
    """Return the Markdown as clean HTML: known tags, safe link schemes, nothing that runs."""
    cleaned = nh3.clean(
        _PARSER.render(text), tags=set(_TAGS), attributes=_ATTRIBUTES, url_schemes=set(SCHEMES), link_rel=None
    )
    return cleaned.strip()


def to_html_under_heading(text: str) -> str:
    """Return the Markdown as clean HTML for below a page's one first-level heading: its own become second."""
    return re.sub(r"(</?)h1>", r"\1h2>", to_html(text))


def to_text(text: str) -> str:
    """Return the Markdown as plain text for a letter's text part: links become "words (address)"."""
    lines: list[str] = []
    for token in _PARSER.parse(text):
        if token.type == "inline":
            lines.append(_inline(token.children or []))
        elif token.type in ("paragraph_close", "heading_close", "bullet_list_close", "ordered_list_close"):
            lines.append("\n\n" if token.level == 0 else "\n")
        elif token.type == "list_item_open":
            lines.append(f"{token.info}. " if token.info else "- ")
        elif token.type in ("fence", "code_block"):
            lines.append(f"{token.content}\n")
        elif token.type == "hr":
            lines.append("----\n\n")
    return "".join(lines).strip()


def _inline(tokens: list) -> str:  # type: ignore[type-arg]
    words, href = [], ""
    for token in tokens:
        if token.type == "link_open":
            href = str(token.attrGet("href") or "")
        elif token.type == "link_close":
            words.append(f" ({href})")
        elif token.type in ("softbreak", "hardbreak"):
            words.append("\n")
        else:
            words.append(token.content)
    return "".join(words)
