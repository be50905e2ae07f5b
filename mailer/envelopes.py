"""Envelopes: a message and the addresses it travels between, as SMTP wants them."""

import re
from dataclasses import dataclass

from mailer.results import UNDELIVERABLE_HERE, Permanent

Headers = list[tuple[str, str]]

UNSENDABLE = Permanent("unsendable_address")
_BREAKS_A_COMMAND = re.compile(r"[\x00-\x20\x7f<>]")


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is handed to a relay. The recipient is the stored address, byte for byte."""

    sender: str
    recipient: str
    lines: Headers
    body: bytes
    signatures: bytes = b""
    """The lines that vouch for the letter, before all others (RFC 6376, 5)."""

    @property
    def content(self) -> bytes:
        """The message as it travels, but for the dots at the beginnings of lines."""
        head = "".join(f"{name}: {value}\r\n" for name, value in self.lines)
        return b"".join((self.signatures, head.encode(), b"\r\n", self.body))

    @property
    def international(self) -> bool:
        """Whether the relay must know SMTPUTF8 (RFC 6531)."""
        return not self.recipient.isascii()


def unsendable(envelope: Envelope, *, international: bool) -> Permanent | None:
    """Return why a relay cannot be given this recipient; None when it can."""
    if _BREAKS_A_COMMAND.search(envelope.recipient):
        return UNSENDABLE
    return UNDELIVERABLE_HERE if envelope.international and not international else None


def mail_command(envelope: Envelope) -> bytes:
    """Return the command that names the sender (RFC 5321, 4.1.1.2), without its line end."""
    options = " SMTPUTF8 BODY=8BITMIME" if envelope.international else ""
    return f"MAIL FROM:<{envelope.sender}>{options}".encode()


def rcpt_command(envelope: Envelope) -> bytes:
    """Return the command that names the recipient, byte for byte, without its line end."""
    return f"RCPT TO:<{envelope.recipient}>".encode()


def stuffed(content: bytes) -> bytes:
    """Return a message with the dots at beginnings of lines doubled (RFC 5321, 4.5.2), and its end."""
    if b"\n." in content:
        content = content.replace(b"\r\n.", b"\r\n..")
    return content + b".\r\n"
