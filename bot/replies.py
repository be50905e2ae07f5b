"""Replies: what handling an update decided to do in the chat, as rows that outlive a crash."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

LONGEST_DATA = 64
"""Bytes that a button may carry back to us (Bot API, InlineKeyboardButton)."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Button(_Part):
    """A button under a message: `data` comes back to us, `url` opens a page."""

    text: str
    data: str | None = None
    url: str | None = None

    def model_post_init(self, _context: Any) -> None:
        """Refuse what Telegram would refuse without saying which button it was."""
        if (self.data is None) == (self.url is None):
            raise ValueError("a button carries either data or an address")
        if self.data is not None and len(self.data.encode()) > LONGEST_DATA:
            raise ValueError(f"a button carries at most {LONGEST_DATA} bytes")


Rows = tuple[tuple[Button, ...], ...]


class SendText(_Part):
    """A new message, in Telegram's HTML."""

    kind: Literal["text"] = "text"
    chat_id: int
    html: str
    buttons: Rows = ()
    answers: int | None = None
    """The message it answers; used in groups, where it would not be clear."""


class EditText(_Part):
    """A new face for a message that the bot sent before."""

    kind: Literal["edit"] = "edit"
    chat_id: int
    message_id: int
    html: str
    buttons: Rows = ()


class SendFile(_Part):
    """A small file that we made, as text."""

    kind: Literal["file"] = "file"
    chat_id: int
    name: str
    content: str
    html: str = ""


class AnswerButton(_Part):
    """Ends the waiting sign on a pressed button, with a short word or without."""

    kind: Literal["button"] = "button"
    query_id: str
    text: str = ""


class SetCommands(_Part):
    """The menu of one chat, when its person chose a language that is not the app's."""

    kind: Literal["commands"] = "commands"
    chat_id: int
    commands: tuple[tuple[str, str], ...]


Reply = Annotated[SendText | EditText | SendFile | AnswerButton | SetCommands, Field(discriminator="kind")]
_REPLIES: TypeAdapter[list[Reply]] = TypeAdapter(list[Reply])


def to_rows(replies: list[Reply]) -> list[dict[str, Any]]:
    """Return replies as plain data for the update's row."""
    rows: list[dict[str, Any]] = _REPLIES.dump_python(replies, mode="json", exclude_defaults=True)
    return [row | {"kind": reply.kind} for row, reply in zip(rows, replies, strict=True)]


def from_rows(rows: list[dict[str, Any]]) -> list[Reply]:
    """Return the replies of an update's row."""
    return _REPLIES.validate_python(rows)


def in_rows(buttons: list[Button], *, width: int) -> Rows:
    """Return buttons side by side, `width` to a row."""
    return tuple(tuple(buttons[start : start + width]) for start in range(0, len(buttons), width))
