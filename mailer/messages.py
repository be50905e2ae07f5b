"""Messages: a rendered letter as the bytes that travel, with headers that nothing can break out of."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from email import message_from_bytes, policy
from email.utils import format_datetime
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


_OPENING_PLAIN, _OPENING_HTML = _part_opening("plain"), _part_opening("html")
_CLOSING = f"--{_BOUNDARY}--\r\n".encode()


@dataclass(frozen=True, slots=True)
class Stationery:
    """What every letter is written on: the words, who we are, and how we send."""

    texts: Texts
    service: ServiceSettings
    mail: MailSettings
    signers: "Signers | None" = None
    """Who vouches for the letters; None where no key is set."""
    return_paths: ReturnPaths | None = None
    """Where newsletters come back to; None where they come back to the sender's own address."""


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
        return body_of([self.text], [self.html], {})


def body_of(text: Iterable[str], html: Iterable[str], known: Mapping[str, bytes]) -> bytes:
    """Return both parts as a message's body, from their pieces; `known` are pieces encoded before."""
    return b"".join(
        (
            _OPENING_PLAIN,
            quoted_printable.encode_all(text, known),
            _OPENING_HTML,
            quoted_printable.encode_all(html, known),
            _CLOSING,
        )
    )


def newsletter(
    stationery: Stationery, written: Written, recipient: str, *, message_id: str, token: str, now: datetime
) -> Envelope:
    """Return a campaign's letter to one reader; `token` is that of the reader's unsubscribe link.

    The headers are those that bulk mail must carry: RFC 2369, RFC 2919 and, for one click, RFC 8058.
    """
    service, mail = stationery.service, stationery.mail
    leave = [f"<{service.url(f'/unsubscribe/{token}')}>"]
    if mail.reply_to:
        leave.append(f"<mailto:{mail.reply_to}?subject=unsubscribe>")
    lines = _opening(mail, written, recipient, message_id, now)
    lines += [
        ("List-Id", f"<newsletter.{mail.domain}>"),
        ("List-Unsubscribe", ", ".join(leave)),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("List-Archive", f"<{service.url('/archive')}>"),
        ("List-Owner", f"<mailto:{mail.contact}>"),
        ("List-Help", f"<mailto:{mail.contact}?subject=help>"),
    ]
    return _envelope(mail, lines, written, recipient)


def notice(
    stationery: Stationery, written: Written, recipient: str, *, message_id: str, now: datetime
) -> Envelope:
    """Return a single letter that an event in the service caused (RFC 3834: auto-generated)."""
    mail = stationery.mail
    lines = [*_opening(mail, written, recipient, message_id, now), ("Auto-Submitted", "auto-generated")]
    return _envelope(mail, lines, written, recipient)


async def seal(stationery: Stationery, envelope: Envelope, now: datetime) -> Envelope:
    """Return the message signed by every key there is; nothing else of it changes any more."""
    if stationery.signers is None:
        return envelope
    signatures = await stationery.signers.sign(envelope.lines, envelope.body, now)
    return replace(envelope, signatures=signatures)


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


def _opening(mail: MailSettings, written: Written, recipient: str, message_id: str, now: datetime) -> Headers:
    name = f"{headers.phrase(mail.sender_name)} " if mail.sender_name else ""
    lines = [("From", f"{name}<{mail.sender_address}>")]
    if mail.reply_to:
        lines.append(("Reply-To", mail.reply_to))
    return [
        *lines,
        ("To", headers.checked(recipient, field="recipient")),
        ("Subject", headers.words(headers.checked(written.subject, field="subject"))),
        ("Date", format_datetime(now)),
        ("Message-ID", f"<{message_id}@{mail.domain}>"),
        ("Content-Language", written.language),
    ]


def _envelope(mail: MailSettings, lines: Headers, written: Written, recipient: str) -> Envelope:
    lines += [
        ("MIME-Version", "1.0"),
        ("Content-Type", f'multipart/alternative; boundary="{_BOUNDARY}"'),
    ]
    for name, value in lines:
        _check_length(name, value)
    return Envelope(mail.sender_address, recipient, lines, written.body)


def _check_length(name: str, value: str) -> None:
    if len(value) * _WIDEST < headers.LONGEST_LINE:
        return
    if any(len(piece.encode()) > headers.LONGEST_LINE for piece in f"{name}: {value}".split(CRLF)):
        raise Invalid(name, f"longer than {headers.LONGEST_LINE} characters")
