"""Results: what a relay's answer to a letter means, as types."""

import re
from dataclasses import dataclass

from domain.status_codes import Kind, code_in, kind_of

_ENHANCED = re.compile(r"^([245]\.\d{1,3}\.\d{1,3})\b")


@dataclass(frozen=True, slots=True)
class Sent:
    """The relay has taken the letter."""


@dataclass(frozen=True, slots=True)
class Temporary:
    """Not now: worth another attempt later."""

    reason: str


@dataclass(frozen=True, slots=True)
class Permanent:
    """Never, for this letter."""

    reason: str


@dataclass(frozen=True, slots=True)
class Policy:
    """The relay or its rules refuse us, such as 5.7.x (RFC 3463): the next letter would fare no better."""

    reason: str


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """The connection was lost while or after the letter travelled: it may have been taken."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unreachable:
    """The relay itself cannot be used; nothing is wrong with the letter."""

    reason: str


Refusal = Temporary | Permanent | Policy | Ambiguous | Unreachable
Result = Sent | Refusal

LOST = "connection_lost"
"""Before the letter travelled: it was certainly not taken."""
LOST_IN_DATA = "connection_lost_in_data"
UNDELIVERABLE_HERE = Permanent("undeliverable_here")
"""The address needs SMTPUTF8 (RFC 6531), and the relay has none."""


def refusal(code: int, message: str) -> Refusal:
    """Return what a reply that is no success means for the letter it answers."""
    reason = reason_of(code, message)
    if not 500 <= code <= 599:
        return Temporary(reason)
    return Policy(reason) if kind_of(code_in(reason)) is Kind.POLICY else Permanent(reason)


def doubt(code: int, message: str) -> Refusal:
    """Return what it means that a letter was answered with anything but 250: neither yes nor no is doubt."""
    return refusal(code, message) if 400 <= code <= 599 else Ambiguous(reason_of(code, message))


def reason_of(code: int, message: str) -> str:
    """Return the codes alone: relays like to repeat the address in their words."""
    enhanced = _ENHANCED.match(message)
    return f"{code} {enhanced[1]}" if enhanced else str(code)
