"""One received letter: its envelope, its bytes and what a mail program reads from them."""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from email.parser import BytesHeaderParser
from functools import cached_property

HEADERS_END = re.compile(rb"\r?\n\r?\n")
LANGUAGE_HEADER = re.compile(rb"^content-language:[ \t]*([a-z]{2,3})\b", re.IGNORECASE | re.MULTILINE)
LANGUAGE_OF_HTML = re.compile(rb"<html\b[^>]*?\slang=(?:3D)?[\"']?([a-z]{2,3})\b", re.IGNORECASE)
ADDRESS_IN_LIST_HEADER = re.compile(r"<([^>]*)>")
UNPARSABLE = (ValueError, IndexError, AttributeError, TypeError, LookupError)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a letter."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True)
class Letter:
    """A letter as the relay accepted it; `id` counts from 1 in the order of arrival."""

    id: int
    envelope_from: str
    envelope_to: tuple[str, ...]
    raw: bytes
    received_at: datetime

    def is_for(self, address: str) -> bool:
        return address.casefold() in (to.casefold() for to in self.envelope_to)

    @cached_property
    def headers(self) -> EmailMessage:
        """The headers alone: cheap enough for lists of thousands."""
        head = HEADERS_END.split(self.raw, maxsplit=1)[0]
        return BytesHeaderParser(policy=policy.default).parsebytes(head + b"\r\n\r\n")

    @cached_property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.raw, policy=policy.default)

    @cached_property
    def subject(self) -> str:
        return self.header("Subject")

    @cached_property
    def language(self) -> str:
        """The lower-case language the letter names (Content-Language, else `<html lang>`), or ''."""
        found = LANGUAGE_HEADER.search(self.raw) or LANGUAGE_OF_HTML.search(self.raw)
        return found[1].decode("ascii").lower() if found else ""

    def header(self, name: str) -> str:
        """Decode a header: '' when it is missing, its bare source when it cannot be parsed."""
        try:
            return str(self.headers.get(name, ""))
        except UNPARSABLE:
            return self.raw_header(name)

    def raw_header(self, name: str) -> str:
        """Return the header as it travelled, unfolded: encoded words are left encoded."""
        wanted = name.casefold()
        found = (value for key, value in self.headers.raw_items() if key.casefold() == wanted)
        return re.sub(r"\r?\n", "", str(next(found, "")))

    def all_headers(self) -> list[tuple[str, str]]:
        return [(name, re.sub(r"\r?\n", "", str(value))) for name, value in self.headers.raw_items()]

    @property
    def html(self) -> str:
        """The HTML part with its inline pictures put in place, or ''."""
        found = _text_of(self.message, "html")
        for content_id, picture in _inline_pictures(self.message):
            found = found.replace(f"cid:{content_id}", picture)
        return found

    @property
    def text(self) -> str:
        return _text_of(self.message, "plain")

    @property
    def attachments(self) -> list[Attachment]:
        return [
            Attachment(part.get_filename() or "unnamed", part.get_content_type(), _bytes_of(part))
            for part in self.message.walk()
            if part.get_content_disposition() == "attachment"
        ]

    @property
    def one_click_url(self) -> str | None:
        """Where RFC 8058 lets a mail program unsubscribe; None unless both headers say so.

        The bare header is read, as mail programs do: one that was turned into encoded words does not count.
        """
        if self.raw_header("List-Unsubscribe-Post").strip().casefold() != "list-unsubscribe=one-click":
            return None
        listed = ADDRESS_IN_LIST_HEADER.findall(self.raw_header("List-Unsubscribe"))
        addresses = (re.sub(r"\s", "", address) for address in listed)
        return next((a for a in addresses if a.lower().startswith(("https://", "http://"))), None)


def _text_of(message: EmailMessage, subtype: str) -> str:
    part = message.get_body((subtype,))
    if part is None:
        return ""
    try:
        return str(part.get_content())
    except UNPARSABLE:
        return _bytes_of(part).decode("utf-8", "replace")


def _bytes_of(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _inline_pictures(message: EmailMessage) -> Iterator[tuple[str, str]]:
    for part in message.walk():
        content_id = str(part.get("Content-ID", "")).strip().strip("<>")
        if content_id and part.get_content_maintype() == "image":
            content = base64.b64encode(_bytes_of(part)).decode("ascii")
            yield content_id, f"data:{part.get_content_type()};base64,{content}"
