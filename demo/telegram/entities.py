"""Strict parsing of parse_mode=HTML, with the errors of Telegram's own parser."""

from dataclasses import dataclass

from demo.telegram.errors import bad_request
from demo.telegram.links import check_link
from demo.telegram.texts import Entity, FormattedText, cut, length_of

# https://core.telegram.org/bots/api#html-style
TYPES = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "blockquote": "blockquote",
}
NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
SPACES = frozenset(b" \t\r\n\0\v")
END = 0
LAST_CODE_POINT = 0x10FFFF
LANGUAGE_PREFIX = "language-"


@dataclass
class _Tag:
    """A start tag that waits for its end."""

    name: str
    opened: int
    argument: str = ""


def parse_html(text: str) -> FormattedText:
    """Return the text without its tags, and what the tags meant.

    Raises RefusedError (400) with the description of the real service; offsets in it count bytes.
    """
    return _Parser(text).parse()


class _Parser:
    """Reads UTF-8 bytes, because Telegram's messages name byte offsets."""

    def __init__(self, text: str) -> None:
        self.source = text.encode("utf-8", "surrogatepass")
        self.position = 0
        self.written: list[str] = []
        self.units = 0
        self.open: list[_Tag] = []
        self.found: list[Entity] = []

    def parse(self) -> FormattedText:
        while self.position < len(self.source):
            self._step()
        if self.open:
            raise _unparsable(f'Can\'t find end tag corresponding to start tag "{self.open[-1].name}"')
        ordered = sorted(self.found, key=lambda entity: (entity.offset, -entity.length))
        return FormattedText("".join(self.written), tuple(_without_inner_code(ordered)))

    def _step(self) -> None:
        if self._here() != ord("<"):
            self._write(self._character())
        elif self._here(1) == ord("/"):
            self._end_tag()
        else:
            self._start_tag()

    def _here(self, ahead: int = 0) -> int:
        place = self.position + ahead
        return self.source[place] if place < len(self.source) else END

    def _at_end(self) -> bool:
        return self.position >= len(self.source)

    def _write(self, character: str) -> None:
        self.written.append(character)
        self.units += length_of(character)

    def _character(self) -> str:
        if self._here() == ord("&") and (decoded := self._reference()):
            return decoded
        start = self.position
        self.position += 1
        while self._here() & 0xC0 == 0x80:
            self.position += 1
        return self.source[start : self.position].decode("utf-8", "surrogatepass")

    def _reference(self) -> str:
        """Return the character of a reference and step over it, or "" where it is none."""
        start = self.position + 1
        numeric = self._here(1) == ord("#")
        character, end = self._number(start + 1) if numeric else self._name(start)
        if not character:
            return ""
        self.position = end + (self.source[end : end + 1] == b";")
        return character

    def _name(self, start: int) -> tuple[str, int]:
        end = start
        while self.source[end : end + 1].isalpha():
            end += 1
        return NAMED.get(self.source[start:end].decode(), ""), end

    def _number(self, start: int) -> tuple[str, int]:
        hexadecimal = self.source[start : start + 1] == b"x"
        start += hexadecimal
        allowed = b"0123456789abcdefABCDEF" if hexadecimal else b"0123456789"
        end = start
        while end < len(self.source) and self.source[end] in allowed:
            end += 1
        digits = self.source[start:end] or b"0"
        return _code_point(int(digits, 16 if hexadecimal else 10)), end

    def _start_tag(self) -> None:
        begin = self.position
        self.position += 1
        name = self._word(stop=b">").lower()
        if self._at_end():
            raise _unparsable(f"Unclosed start tag at byte offset {begin}")
        if name not in TYPES:
            raise _unparsable(f'Unsupported start tag "{name}" at byte offset {begin}')
        tag = _Tag(name, self.units)
        while self._here() != ord(">"):
            self._attribute(tag, begin)
        self.position += 1
        if name == "span" and tag.argument != "tg-spoiler":
            raise _unparsable(f'Tag "span" must have class "tg-spoiler" at byte offset {begin}')
        self.open.append(tag)

    def _attribute(self, tag: _Tag, begin: int) -> None:
        self._skip_spaces()
        if self._here() == ord(">"):
            return
        name = self._word(stop=b"=>").lower()
        if not name:
            raise _unparsable(f'Empty attribute name in the tag "{tag.name}" at byte offset {begin}')
        self._skip_spaces()
        if self._here() == ord("="):
            self.position += 1
            self._keep(tag, name, self._value(tag, begin))
        elif (tag.name, name) != ("blockquote", "expandable"):
            raise _unparsable(
                "Expected equal sign in declaration of an attribute of the tag "
                f'"{tag.name}" at byte offset {begin}'
            )

    def _value(self, tag: _Tag, begin: int) -> str:
        self._skip_spaces()
        if self._at_end():
            raise _unparsable(f'Unclosed start tag "{tag.name}" at byte offset {begin}')
        quote = self._here()
        if quote not in b"\"'":
            return self._bare_value()
        self.position += 1
        value = []
        while self._here() != quote:
            if self._at_end():
                raise _unparsable(f"Unclosed start tag at byte offset {begin}")
            value.append(self._character())
        self.position += 1
        return "".join(value)

    def _bare_value(self) -> str:
        begin = self.position
        while chr(self._here()).isascii() and (chr(self._here()).isalnum() or self._here() in b".-"):
            self.position += 1
        if self._at_end() or (self._here() not in SPACES and self._here() != ord(">")):
            raise _unparsable(f"Unexpected end of name token at byte offset {begin}")
        return self.source[begin : self.position].decode().lower()

    @staticmethod
    def _keep(tag: _Tag, name: str, value: str) -> None:
        if (tag.name, name) in {("a", "href"), ("span", "class")}:
            tag.argument = value
        elif (tag.name, name) == ("code", "class") and value.startswith(LANGUAGE_PREFIX):
            tag.argument = value.removeprefix(LANGUAGE_PREFIX)

    def _end_tag(self) -> None:
        begin = self.position
        if not self.open:
            raise _unparsable(f"Unexpected end tag at byte offset {begin}")
        self.position += 2
        name = self._word(stop=b">").lower()
        self._skip_spaces()
        if self._here() != ord(">"):
            raise _unparsable(f"Unclosed end tag at byte offset {begin}")
        self.position += 1
        tag = self.open.pop()
        if name not in {"", tag.name}:
            raise _unparsable(
                f'Unmatched end tag at byte offset {begin}, expected "</{tag.name}>", found "</{name}>"'
            )
        self._close(tag)

    def _close(self, tag: _Tag) -> None:
        length = self.units - tag.opened
        entity = Entity(TYPES[tag.name], tag.opened, length)
        if tag.name == "a":
            entity = self._link(entity, tag.argument)
        elif tag.name == "code" and tag.argument:
            entity = Entity("code", tag.opened, length, language=tag.argument)
        if entity.length:
            # an outer tag closes later but comes first in the list
            self.found.insert(self._place(entity), entity)

    def _place(self, entity: Entity) -> int:
        inner = (place for place, other in enumerate(self.found) if other.offset >= entity.offset)
        return next(inner, len(self.found))

    def _link(self, entity: Entity, href: str) -> Entity:
        """Return the link; without a usable address Telegram shows plain text and says nothing."""
        shown = cut("".join(self.written), entity.offset, entity.end)
        try:
            return Entity("text_link", entity.offset, entity.length, url=check_link(href or shown))
        except ValueError:
            return Entity("text_link", entity.offset, 0)

    def _word(self, *, stop: bytes) -> str:
        begin = self.position
        while self._here() not in SPACES and self._here() not in stop:
            self.position += 1
        return self.source[begin : self.position].decode("utf-8", "replace")

    def _skip_spaces(self) -> None:
        while not self._at_end() and self._here() in SPACES:
            self.position += 1


def _code_point(number: int) -> str:
    if not 0 < number < LAST_CODE_POINT:
        return ""
    if 0xD800 <= number <= 0xDFFF:
        raise _unparsable(
            "Text contains invalid Unicode characters after decoding HTML entities, "
            "check for unmatched surrogate code units"
        )
    return chr(number)


def _without_inner_code(entities: list[Entity]) -> list[Entity]:
    """Merge <pre><code class="language-x"> into one entity, as Telegram does."""
    blocks = {(entity.offset, entity.length) for entity in entities if entity.type == "pre"}
    inner = {(entity.offset, entity.length): entity.language for entity in entities if entity.type == "code"}
    merged = []
    for entity in entities:
        place = (entity.offset, entity.length)
        if entity.type == "pre":
            merged.append(Entity("pre", *place, language=inner.get(place)))
        elif entity.type == "code":
            if place not in blocks:
                merged.append(Entity("code", *place))
        else:
            merged.append(entity)
    return merged


def _unparsable(reason: str) -> Exception:
    return bad_request(f"can't parse entities: {reason}")
