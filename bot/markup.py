"""Telegram's HTML: made from Markdown by an allow-list, and split where a message would be too long.

Both go through runs: pieces of text with the tags around them. A cut falls between characters of
text, so no part begins or ends inside a tag.
"""

import re
from dataclasses import dataclass
from html import escape
from html.parser import HTMLParser
from urllib.parse import urlsplit

from markupsafe import Markup

from wording import markdown

LONGEST = 4096
"""UTF-16 code units of a message, counted after entities are parsed (Bot API, sendMessage)."""
_INLINE = {
    "b": "b", "strong": "b", "h1": "b", "h2": "b", "h3": "b", "h4": "b", "th": "b",
    "i": "i", "em": "i", "code": "code", "pre": "pre", "blockquote": "blockquote",
}  # fmt: skip
_BLOCKS = frozenset({"p", "h1", "h2", "h3", "h4", "ul", "ol", "blockquote", "pre", "table", "hr"})
_LINES = frozenset({"li", "tr", "br"})
_SCHEMES = frozenset({"http", "https", "tg"})
Tag = tuple[str, str]
"""A tag and, for a link, its address."""


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of text and the tags around it, outermost first."""

    text: str
    tags: tuple[Tag, ...] = ()


def from_markdown(text: str) -> Markup:
    """Return Markdown as Telegram's HTML; what Telegram does not know becomes plain text."""
    reader = _MarkdownReader()
    reader.feed(markdown.to_html(text))
    reader.close()
    return Markup(_to_html(reader.runs).rstrip())  # noqa: S704 - escaped there, tags from the allow-list only


def trusted(html: str) -> Markup:
    """Return HTML that was made here and filled in with escaped values, as a template takes it."""
    return Markup(html)  # noqa: S704 - see above


def split(html: str, limit: int = LONGEST) -> list[str]:
    """Return the message in parts that Telegram takes, cut at paragraphs, lines or words."""
    reader = _Reader()
    reader.feed(re.sub(r"\n{3,}", "\n\n", html.strip()))
    reader.close()
    text = "".join(run.text for run in reader.runs)
    parts = [_slice(reader.runs, start, end) for start, end in _cuts(text, limit)]
    return [_to_html(part) for part in parts]


def length_of(text: str) -> int:
    """Return the length of a text as Telegram counts, in UTF-16 code units."""
    return len(text) + sum(character > "\uffff" for character in text)


class _Reader(HTMLParser):
    """Reads Telegram's HTML, where line breaks are line breaks."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.runs: list[Run] = []
        self._open: list[Tag] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self._open.append(("a", dict(attrs).get("href") or ""))
        elif tag in _INLINE:
            self._open.append((_INLINE[tag], ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" or tag in _INLINE:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        self._write(data)

    def _write(self, text: str) -> None:
        # A link that Telegram would not open is told as its words alone.
        usable = (tag for tag in self._open if tag[0] != "a" or urlsplit(tag[1]).scheme in _SCHEMES)
        self.runs.append(Run(text, tuple(dict.fromkeys(usable))))


class _MarkdownReader(_Reader):
    """Reads clean HTML made from Markdown, where blocks are told by tags."""

    def __init__(self) -> None:
        super().__init__()
        self._newlines = 0
        self._beside_bullet = False
        self._lists: list[int | None] = []
        self._cells = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._break_at(tag)
        if tag == "tr":
            self._cells = 0
        elif tag in ("td", "th"):
            self._begin_cell()
        super().handle_starttag(tag, attrs)
        if tag in ("ul", "ol"):
            self._lists.append(1 if tag == "ol" else None)
        elif tag == "li":
            self._say(self._bullet())
            self._beside_bullet = True
        elif tag == "img":
            self._say(dict(attrs).get("alt") or "")
        elif tag == "hr":
            self._say("———")
            self._break_at(tag)

    def handle_endtag(self, tag: str) -> None:
        super().handle_endtag(tag)
        if tag in ("ul", "ol"):
            self._lists.pop()
        self._break_at(tag)

    def handle_data(self, data: str) -> None:
        if ("pre", "") in self._open:
            self._say(data.rstrip("\n"))
            return
        at_line_start = not self.runs or self._newlines or self._beside_bullet
        text = re.sub(r"\s+", " ", data)
        self._say(text.lstrip() if at_line_start else text)

    def _break_at(self, tag: str) -> None:
        """Let a new line begin before the next text; a paragraph stays beside its own bullet."""
        if tag in _BLOCKS and not self._beside_bullet:
            self._newlines = max(self._newlines, 1 if self._lists else 2)
        elif tag in _LINES:
            self._newlines = max(self._newlines, 1)

    def _say(self, text: str) -> None:
        if not text:
            return
        if self.runs and self._newlines:
            last = self._trim_last()
            self.runs.append(Run("\n" * self._newlines, _shared(last.tags, tuple(self._open))))
        self._newlines, self._beside_bullet = 0, False
        self._write(text)

    def _bullet(self) -> str:
        indent = "   " * (len(self._lists) - 1)
        number = self._lists[-1]
        if number is None:
            return f"{indent}• "
        self._lists[-1] = number + 1
        return f"{indent}{number}. "

    def _begin_cell(self) -> None:
        if self._cells:
            self._trim_last()
            self._say(" · ")
        self._cells += 1

    def _trim_last(self) -> Run:
        last = self.runs[-1]
        self.runs[-1] = Run(last.text.rstrip(), last.tags)
        return last


def _shared(first: tuple[Tag, ...], second: tuple[Tag, ...]) -> tuple[Tag, ...]:
    same = 0
    while same < min(len(first), len(second)) and first[same] == second[same]:
        same += 1
    return first[:same]


def _to_html(runs: list[Run]) -> str:
    written: list[str] = []
    before: tuple[Tag, ...] = ()
    for run in [*runs, Run("")]:
        same = len(_shared(before, run.tags))
        written += [f"</{name}>" for name, _ in reversed(before[same:])]
        written += [_opening(tag) for tag in run.tags[same:]]
        written.append(escape(run.text, quote=False))
        before = run.tags
    return "".join(written)


def _opening(tag: Tag) -> str:
    name, address = tag
    return f'<a href="{escape(address)}">' if name == "a" else f"<{name}>"


def _cuts(text: str, limit: int) -> list[tuple[int, int]]:
    """Return where each part begins and ends; white space at its edges belongs to none."""
    cuts, start = [], 0
    while start < len(text):
        end = start + _fitting(text, start, limit)
        if end < len(text):
            end = _break_in(text, start, end)
        part = text[start:end].rstrip()
        if part:
            cuts.append((start, start + len(part)))
        start = end
        while start < len(text) and text[start].isspace():
            start += 1
    return cuts


def _fitting(text: str, start: int, limit: int) -> int:
    """Return how many characters from `start` on fit into the limit."""
    room, count = limit, 0
    for character in text[start : start + limit]:
        room -= length_of(character)
        if room < 0:
            break
        count += 1
    return count


def _break_in(text: str, start: int, end: int) -> int:
    """Return the last paragraph, line or word end in the second half, else the very end."""
    middle = start + (end - start) // 2
    for mark in ("\n\n", "\n", " "):
        found = text.rfind(mark, middle, end)
        if found > start:
            return found
    return end


def _slice(runs: list[Run], start: int, end: int) -> list[Run]:
    part, place = [], 0
    for run in runs:
        text = run.text[max(0, start - place) : max(0, end - place)]
        if text:
            part.append(Run(text, run.tags))
        place += len(run.text)
    return part
