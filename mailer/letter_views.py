"""Letter views: what a mail program shows of a letter's HTML: its words with their colours, links, images."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser

from wording import colours

OWN_WORDS = "letter"
"""The class under which a template shows what the lead wrote."""
_VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "wbr"})
_UNSEEN = frozenset({"head", "script", "style", "title", "noscript"})
_BOLD = frozenset({"b", "strong", "th", "h1", "h2", "h3", "h4", "h5", "h6"})
_BOLD_FROM = 700
_IMPORTANT = "!important"
_LARGE, _LARGE_BOLD = 24.0, 18.66
"""Pixels from which text counts as large: 18 points, or 14 in bold (WCAG 2.1, 1.4.3)."""


@dataclass(frozen=True, slots=True)
class Look:
    """How words look at one place of a letter; a colour is None where it cannot be told."""

    ink: str | None
    ground: str | None
    size: float = 16.0
    is_bold: bool = False
    is_hidden: bool = False
    is_own: bool = False

    @property
    def is_large(self) -> bool:
        """Whether a lower contrast is enough."""
        return self.size >= (_LARGE_BOLD if self.is_bold else _LARGE)


LIGHT = Look(ink="#000000", ground="#ffffff")
"""What a mail program shows where a letter names no colours."""
UNTOLD = Look(ink=None, ground=None)
"""The same in the dark scheme: every program has colours of its own there."""


@dataclass(frozen=True, slots=True)
class Words:
    """A run of text as it is seen."""

    text: str
    look: Look


@dataclass(frozen=True, slots=True)
class Image:
    """An image; `alt` is None where the attribute is missing."""

    source: str
    alt: str | None
    is_in_link: bool

    @property
    def is_silent(self) -> bool:
        """Whether it says nothing to those who do not see it."""
        return not (self.alt or "").strip()


@dataclass(slots=True)
class Link:
    """A link, the words that can be clicked, and the images among them; no target = it leads nowhere."""

    target: str
    words: str = ""
    images: list[Image] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What the link is called: its words and what its images say."""
        said = [self.words, *(image.alt or "" for image in self.images)]
        return " ".join(" ".join(said).split())


@dataclass(frozen=True, slots=True)
class View:
    """What is seen of a letter, in its order."""

    words: tuple[Words, ...]
    links: tuple[Link, ...]
    images: tuple[Image, ...]
    sets_apart: bool
    """Whether the template says which words are the lead's own."""

    @property
    def text(self) -> str:
        """All words on one line."""
        return " ".join(" ".join(words.text for words in self.words).split())

    @property
    def own_text(self) -> str:
        """What the lead wrote, on one line; everything where the template does not set it apart."""
        own = [words.text for words in self.words if words.look.is_own or not self.sets_apart]
        return " ".join(" ".join(own).split())


def read(html: str, first: Look = LIGHT) -> View:
    """Return what is seen of a letter whose styles stand at its elements."""
    reader = _Reader(first)
    reader.feed(html)
    reader.close()
    return View(tuple(reader.words), tuple(reader.links), tuple(reader.images), reader.sets_apart)


class _Reader(HTMLParser):
    def __init__(self, first: Look) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[Words] = []
        self.links: list[Link] = []
        self.images: list[Image] = []
        self.sets_apart = False
        self._open: list[tuple[str, Look]] = [("", first)]
        self._link: Link | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        look = _look(self._open[-1][1], tag, attributes)
        self.sets_apart = self.sets_apart or look.is_own
        if tag == "img" and not look.is_hidden:
            self._show(attributes)
        if tag in _VOID:
            return
        self._open.append((tag, look))
        if tag == "a" and not attributes.keys() & {"name", "id"} and not look.is_hidden:
            self._link = Link(attributes.get("href", "").strip())
            self.links.append(self._link)

    def handle_endtag(self, tag: str) -> None:
        if tag not in [name for name, _ in self._open]:
            return
        while self._open.pop()[0] != tag:
            pass
        if tag == "a":
            self._link = None

    def handle_data(self, data: str) -> None:
        look = self._open[-1][1]
        if look.is_hidden or not data.strip():
            return
        self.words.append(Words(" ".join(data.split()), look))
        if self._link is not None:
            self._link.words += f" {data}"

    def _show(self, attributes: Mapping[str, str]) -> None:
        image = Image(attributes.get("src", "").strip(), attributes.get("alt"), self._link is not None)
        self.images.append(image)
        if self._link is not None:
            self._link.images.append(image)


def _look(parent: Look, tag: str, attributes: Mapping[str, str]) -> Look:
    style = _declarations(attributes.get("style", ""))
    ground = style.get("background-color", attributes.get("bgcolor", "").lower())
    return replace(
        parent,
        ink=_ink(parent.ink, style.get("color", "")),
        ground=_ground(parent.ground, ground, style.get("background-image", "")),
        size=_size(parent.size, style.get("font-size", "")),
        is_bold=_is_bold(style.get("font-weight", ""), parent.is_bold or tag in _BOLD),
        is_hidden=parent.is_hidden or tag in _UNSEEN or style.get("display") == "none",
        is_own=parent.is_own or OWN_WORDS in attributes.get("class", "").split(),
    )


def _declarations(style: str) -> dict[str, str]:
    """Return what a style attribute says in the end: the last word, `!important` ones after all others."""
    pairs = [declaration.partition(":")[::2] for declaration in style.lower().split(";")]
    pairs.sort(key=lambda pair: pair[1].rstrip().endswith(_IMPORTANT))
    said: dict[str, str] = {}
    for name, value in pairs:
        plain = value.replace(_IMPORTANT, "").strip()
        said[name.strip()] = plain
        if name.strip() == "background":
            said["background-color"] = plain
    return said


def _ink(inherited: str | None, said: str) -> str | None:
    return inherited if said in ("", "inherit") else colours.parse(said)


def _ground(inherited: str | None, said: str, image: str) -> str | None:
    if image not in ("", "none") or "url(" in said or "gradient" in said:
        return None
    if said in ("", "none", "transparent", "inherit", "initial"):
        return inherited
    named = (found for token in said.split() if (found := colours.parse(token)))
    return colours.parse(said) or next(named, None)


def _size(inherited: float, said: str) -> float:
    try:
        return float(said.removesuffix("px"))
    except ValueError:
        return inherited


def _is_bold(said: str, otherwise: bool) -> bool:
    if said.isdecimal():
        return int(said) >= _BOLD_FROM
    return {"bold": True, "bolder": True, "normal": False}.get(said, otherwise)
