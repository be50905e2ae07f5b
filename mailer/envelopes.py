"""Envelopes: a message and the addresses it travels between, as SMTP wants them."""

import re
from typing import NamedTuple

from mailer.results import UNDELIVERABLE_HERE, Permanent

Headers = list[tuple[str, str]]

UNSENDABLE = Permanent("unsendable_address")
_BREAKS_A_COMMAND = re.compile(r"[\x00-\x20\x7f<>]")


class Envelope(NamedTuple):
    """What is handed to a relay. The recipient is the stored address, byte for byte."""

    sender: str
    recipient: str
    lines: Headers
    body: bytes
    """Quoted-printable: no line of it begins with a dot, so none has to be doubled (RFC 5321, 4.5.2)."""
    signatures: bytes = b""
    """The lines that vouch for the letter, before all others (RFC 6376, 5)."""

    @property
    def head(self) -> bytes:
        """Everything before the body, the empty line included."""
        head = "".join([f"{name}: {value}\r\n" for name, value in self.lines])
        return self.signatures + f"{head}\r\n".encode()

    @property
    def content(self) -> bytes:
        """The message as it travels."""
        return self.head + self.body

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
