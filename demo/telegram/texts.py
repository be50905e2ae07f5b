"""Text with its entities, measured as Telegram measures: in UTF-16 code units."""

from dataclasses import dataclass
from typing import Any


def length_of(text: str) -> int:
    """Return the length of `text` in UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def cut(text: str, start: int, end: int) -> str:
    """Return the part of `text` between two UTF-16 offsets."""
    return text.encode("utf-16-le")[2 * start : 2 * end].decode("utf-16-le", "replace")


@dataclass(frozen=True)
class Entity:
    """A stretch of text with a meaning: https://core.telegram.org/bots/api#messageentity."""

    type: str
    offset: int
    length: int
    url: str | None = None
    language: str | None = None

    @property
    def end(self) -> int:
        return self.offset + self.length

    def to_api(self) -> dict[str, Any]:
        found = {"type": self.type, "offset": self.offset, "length": self.length}
        options = {"url": self.url, "language": self.language}
        return found | {name: value for name, value in options.items() if value is not None}


@dataclass(frozen=True)
class FormattedText:
    """What a bubble says, and how."""

    text: str
    entities: tuple[Entity, ...] = ()

    @property
    def length(self) -> int:
        return length_of(self.text)

    def trimmed(self) -> "FormattedText":
        """Return the text without white space at its ends; entities move and shrink with it."""
        lead = length_of(self.text) - length_of(self.text.lstrip())
        text = self.text.strip()
        moved = (_clipped(entity, lead, length_of(text)) for entity in self.entities)
        return FormattedText(text, tuple(entity for entity in moved if entity.length > 0))


def _clipped(entity: Entity, lead: int, size: int) -> Entity:
    start = min(max(entity.offset - lead, 0), size)
    end = min(max(entity.end - lead, 0), size)
    return Entity(entity.type, start, end - start, entity.url, entity.language)
