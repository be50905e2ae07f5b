"""Messages as both sides of a chat see them."""

from dataclasses import dataclass, field
from typing import Any

from demo.telegram.keyboards import Button, Markup, inline_rows
from demo.telegram.rendering import render
from demo.telegram.texts import Entity, FormattedText


@dataclass(frozen=True)
class Document:
    """A file in a message."""

    file_id: str
    name: str
    mime_type: str
    content: bytes = field(repr=False)

    def to_api(self) -> dict[str, Any]:
        return {
            "file_id": self.file_id,
            "file_unique_id": f"u{self.file_id}",
            "file_name": self.name,
            "mime_type": self.mime_type,
            "file_size": len(self.content),
        }


@dataclass(frozen=True)
class Draft:
    """What is to be said, before it has a place in a chat."""

    said: FormattedText
    document: Document | None = None
    markup: Markup | None = None
    reply_to: int | None = None


@dataclass
class Message:
    """One bubble. `text` is the caption where there is a document."""

    message_id: int
    chat_id: int
    from_bot: bool
    date: int
    said: FormattedText
    document: Document | None = None
    markup: Markup | None = None
    reply_to: int | None = None
    edited_at: int | None = None
    revision: int = 0

    @property
    def text(self) -> str:
        return self.said.text

    @property
    def entities(self) -> tuple[Entity, ...]:
        return self.said.entities

    @property
    def html(self) -> str:
        """The text as the chat page shows it."""
        return render(self.said)

    @property
    def keyboard(self) -> list[list[Button]]:
        return inline_rows(self.markup)

    @property
    def buttons(self) -> list[Button]:
        return [button for row in self.keyboard for button in row]

    def to_api(self) -> dict[str, Any]:
        """Return the fields that need no chat around them."""
        found: dict[str, Any] = {"message_id": self.message_id, "date": self.date}
        words, entities = ("caption", "caption_entities") if self.document else ("text", "entities")
        if self.document:
            found["document"] = self.document.to_api()
        if self.text:
            found[words] = self.text
        if self.entities:
            found[entities] = [entity.to_api() for entity in self.entities]
        if self.markup and "inline_keyboard" in self.markup:
            found["reply_markup"] = self.markup
        if self.edited_at is not None:
            found["edit_date"] = self.edited_at
        return found
