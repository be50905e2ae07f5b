"""Messages: a rendered letter as the bytes that travel, with headers that nothing can break out of."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.utils import format_datetime
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Protocol

from domain.errors import Invalid
from domain.languages import Language
from domain.sites import ServiceSettings
from mailer import headers, quoted_printable
from mailer.envelopes import Envelope, Headers
from mailer.mail_settings import MailSettings
from mailer.quoted_printable import CRLF
from mailer.return_paths import ReturnPaths
from wording.texts import Texts

if TYPE_CHECKING:
    from mailer.signatures import Signers

_WIDEST = 8
"""More than the octets of any character, so that short lines need not be measured."""
_BOUNDARY = "=helixpost"
"""Quoted-printable never writes an equals sign before these characters."""


def _part_opening(subtype: str) -> bytes:
    return (
        f"--{_BOUNDARY}\r\n"
        f'Content-Type: text/{subtype}; charset="utf-8"\r\n'
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    ).encode()


_MIME = [("MIME-Version", "1.0"), ("Content-Type", f'multipart/alternative; boundary="{_BOUNDARY}"')]
_OPENING_PLAIN, _OPENING_HTML = _part_opening("plain"), _part_opening("html")
_CLOSING = f"--{_BOUNDARY}--\r\n".encode()


@dataclass(frozen=True)
class Stationery:
    """What every letter is written on: the words, who we are, and how we send."""

    texts: Texts
    service: ServiceSettings
    mail: MailSettings
    signers: "Signers | None" = None
    """Who vouches for the letters; None where no key is set."""
    return_paths: ReturnPaths | None = None
    """Where newsletters come back to; None where they come back to the sender's own address."""

    @cached_property
    def opening(self) -> Headers:
        """The headers that say whom every letter comes from."""
        mail = self.mail
        name = f"{headers.phrase(mail.sender_name)} " if mail.sender_name else ""
        lines = [("From", f"{name}<{mail.sender_address}>")]
        return [*lines, ("Reply-To", mail.reply_to)] if mail.reply_to else lines

    @cached_property
    def list_headers(self) -> Headers:
        """The headers of bulk mail (RFC 2369, RFC 2919) that every reader gets alike."""
        mail, service = self.mail, self.service
        return [
            ("List-Id", f"<newsletter.{mail.domain}>"),
            ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
            ("List-Archive", f"<{service.url('/archive')}>"),
            ("List-Owner", f"<mailto:{mail.contact}>"),
            ("List-Help", f"<mailto:{mail.contact}?subject=help>"),
        ]


class Written(Protocol):
    """A letter for one reader, its two parts made into the body of a message."""

    @property
    def subject(self) -> str:
        """What the header says."""

    @property
    def body(self) -> bytes:
        """Both parts, encoded."""

    @property
    def language(self) -> Language:
        """What it is written in."""


@dataclass(frozen=True, slots=True)
class Content:
    """A letter rendered for one reader."""

    subject: str
    html: str
    text: str
    language: Language

    @property
    def body(self) -> bytes:
        """Both parts, encoded."""
        text, html = (quoted_printable.encode_all([part]) for part in (self.text, self.html))
        return b"".join(body_pieces(text, html))


def body_pieces(text: Iterable[bytes], html: Iterable[bytes]) -> list[bytes]:
    """Return a message's body in pieces, from those of its two encoded parts."""
    return [_OPENING_PLAIN, *text, _OPENING_HTML, *html, _CLOSING]


def newsletter(
    stationery: Stationery, written: Written, recipient: str, *, message_id: str, token: str, now: datetime
) -> Envelope:
    """Return a campaign's letter to one reader; `token` is that of the reader's unsubscribe link.

    The headers are those that bulk mail must carry: RFC 2369, RFC 2919 and, for one click, RFC 8058.
    """
    leave = f"<{stationery.service.url(f'/unsubscribe/{token}')}>"
    if stationery.mail.reply_to:
        leave += f", <mailto:{stationery.mail.reply_to}?subject=unsubscribe>"
    letter = _envelope(stationery, written, recipient, message_id, now, [("List-Unsubscribe", leave)])
    letter.lines.extend(stationery.list_headers)
    return letter


def notice(
    stationery: Stationery, written: Written, recipient: str, *, message_id: str, now: datetime
) -> Envelope:
    """Return a single letter that an event in the service caused (RFC 3834: auto-generated)."""
    lines = [("Auto-Submitted", "auto-generated")]
    return _envelope(stationery, written, recipient, message_id, now, lines)


async def seal(stationery: Stationery, envelope: Envelope, now: datetime) -> Envelope:
    """Return the message signed by every key there is; nothing else of it changes any more."""
    if stationery.signers is None:
        return envelope
    signatures = await stationery.signers.sign(envelope.lines, envelope.body, now)
    return envelope._replace(signatures=signatures)


def verify(envelope: Envelope) -> None:
    """Parse the bytes as a mail program would; raises `Invalid` when a header was added or lost.

    Done once for every compiled letter: what differs between readers is checked header by header.
    """
    head = envelope.content.partition(b"\r\n\r\n")[0]
    written = re.findall(r"^([A-Za-z-]+):", head.decode(), re.MULTILINE)
    parsed = message_from_bytes(envelope.content, policy=policy.default)
    if parsed.keys() != written or parsed.defects or len(set(written)) != len(written):
        raise Invalid("letter", f"its headers come out as {', '.join(parsed.keys())}")
    if any(len(line) > headers.LONGEST_LINE for line in envelope.content.split(b"\r\n")):
        raise Invalid("letter", f"a line is longer than {headers.LONGEST_LINE} characters")


def _envelope(
    stationery: Stationery,
    written: Written,
    recipient: str,
    message_id: str,
    now: datetime,
    more: Headers,
) -> Envelope:
    mail = stationery.mail
    own = [
        ("To", headers.checked(recipient, field="recipient")),
        ("Subject", _subject(written.subject)),
        ("Date", _date(int(now.timestamp()))),
        ("Message-ID", f"<{message_id}@{mail.domain}>"),
        *more,
    ]
    for name, value in own:
        if len(value) * _WIDEST >= headers.LONGEST_LINE:
            _check_length(name, value)
    lines = [*stationery.opening, *own, ("Content-Language", written.language), *_MIME]
    return Envelope(mail.sender_address, recipient, lines, written.body)


@lru_cache(maxsize=512)
def _subject(text: str) -> str:
    """Return a subject as it stands in a header: many readers get the same."""
    return headers.words(headers.checked(text, field="subject"))


@lru_cache(maxsize=8)
def _date(second: int) -> str:
    """Return a moment as it stands in a header: many letters leave in the same second."""
    return format_datetime(datetime.fromtimestamp(second, UTC))


def _check_length(name: str, value: str) -> None:
    if any(len(piece.encode()) > headers.LONGEST_LINE for piece in f"{name}: {value}".split(CRLF)):
        raise Invalid(name, f"longer than {headers.LONGEST_LINE} characters")
