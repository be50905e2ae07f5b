"""Reports: what mail servers write when a letter came back (RFC 3464) or was marked as spam (RFC 5965).

Reading one proves nothing: anybody can write a report. Who may be believed is decided in `returns`.
"""

import re
from dataclasses import dataclass

from domain.bounces import Action, Finding
from domain.status_codes import UNKNOWN, code_in
from mailer import parts
from mailer.parts import Fields, Message, Part, values

LARGEST = 2**20
"""Octets that are read of a report; what follows is the rest of our own letter."""
MOST_RECIPIENTS = 50
_MOST_ARRIVALS = 50
_READ_OF_TEXT = 20_000

_BETWEEN_ADDRESSES = re.compile(r"[\s<>,;:\"'()\[\]]+")
_ACTIONS = {action.value: action for action in Action}
_ENVELOPE = (
    "delivered-to",
    "x-original-to",
    "envelope-to",
    "x-envelope-to",
    "x-delivered-to",
    "x-rcpt-to",
    "received",
    "to",
    "cc",
)
_TOKEN = re.compile(r"/unsubscribe/([0-9]{1,19}-[0-9a-f]{32})(?![0-9a-f])")
_MESSAGE_ID = re.compile(r"<([0-9a-f]{32})@")

_MAILER = re.compile(
    r"(?:^|[<\s\"])(?:mailer[-_]?daemon|mail[-_]daemon|postmaster|mdaemon)(?:@|[\s>\"]|$)", re.IGNORECASE
)
_AUTOMATIC = ("x-autoreply", "x-autorespond", "x-auto-reply")
_AUTO_PRECEDENCE = ("auto_reply", "auto-reply")
_AUTO_SUBJECT = re.compile(
    r"^\s*(?:out of (?:the )?office|automatic reply|auto(?:matic)?[- ]?reply|vacation)\b", re.IGNORECASE
)
_COPY = re.compile(
    r"^.*(?:copy of (?:the|your) message|original message|message headers follow|unsent message).*$"
    r"|^(?:return-path|received):",
    re.IGNORECASE | re.MULTILINE,
)
_TRIES_ON = re.compile(
    r"\b(?:warning|delayed|not yet been delivered|will (?:be retried|continue|keep)|need to resend)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What became of a letter, recipient by recipient."""

    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Complaint:
    """Somebody marked a letter as spam; what their provider quotes from it to tell which one."""

    return_paths: tuple[str, ...]
    tokens: tuple[str, ...]
    message_ids: tuple[str, ...]


Report = DeliveryReport | Complaint


def read(content: bytes) -> Report | None:
    """Return the report that a message is, or None for any other mail. Never raises.

    Receipts, automatic replies (RFC 3834) and letters from people are no reports.
    """
    message = parts.read(content[:LARGEST])
    feedback = message.first("message/feedback-report")
    if feedback is not None:
        return _complaint(message, feedback)
    status = message.first("message/delivery-status", "message/global-delivery-status")
    if status is not None:
        findings = _findings(status)
    elif message.first("message/disposition-notification") or not _is_from_mailer(message):
        return None
    else:
        findings = _guess(message)
    return DeliveryReport(findings) if findings else None


def arrivals(content: bytes) -> list[str]:
    """Return the addresses at which a message arrived, as its last mail servers noted; never raises."""
    message = parts.read(content[:LARGEST])
    found = (address for value in message.values(*_ENVELOPE) for address in _addresses(value))
    return list(dict.fromkeys(found))[:_MOST_ARRIVALS]


def _complaint(message: Message, feedback: Part) -> Complaint | None:
    told = parts.read_fields(feedback.body)
    if [kind.lower() for kind in values(told, "feedback-type")] != ["abuse"]:
        return None
    letter = message.first("message/rfc822", "text/rfc822-headers", "message/rfc822-headers")
    quoted: Fields = parts.read(letter.body).fields if letter else ()
    paths = values(told, "original-mail-from") + values(quoted, "return-path")
    leave = " ".join(values(quoted, "list-unsubscribe"))
    named = " ".join(values(quoted, "message-id"))
    return Complaint(
        tuple(address for path in paths for address in _addresses(path)),
        tuple(_TOKEN.findall(leave)),
        tuple(_MESSAGE_ID.findall(named)),
    )


def _findings(status: Part) -> tuple[Finding, ...]:
    groups = re.split(rb"\n[ \t]*\n", status.body, maxsplit=MOST_RECIPIENTS + 1)
    found = [_finding(parts.read_fields(group)) for group in groups[: MOST_RECIPIENTS + 1]]
    return tuple(finding for finding in found if finding is not None)


def _finding(group: Fields) -> Finding | None:
    """Return what one recipient's group says; None for one that says nothing, such as the first."""
    codes = " ".join(values(group, "status"))
    told = " ".join(values(group, "diagnostic-code"))
    code = _code(code_in(codes), code_in(told))
    action = _action(" ".join(values(group, "action")), code_in(codes))
    if action is None:
        return None
    named = values(group, "original-recipient", "final-recipient")
    return Finding(action, code, tuple(_recipient(name) for name in named))


def _action(word: str, code: str) -> Action | None:
    """Return the action; where its word is missing or broken, the class of the code tells (RFC 3463)."""
    first = "".join(word.lower().split(maxsplit=1)[:1])
    by_class = {"5": Action.FAILED, "4": Action.DELAYED}.get(code[:1])
    return _ACTIONS.get(first.strip("()<>;,."), by_class)


def _code(status: str, told: str) -> str:
    """Return the more telling one: many servers write `5.0.0` and leave it to the diagnosis."""
    if status[:1] not in ("4", "5"):
        return told if told[:1] in ("4", "5") else UNKNOWN
    is_vague = status.endswith(".0.0")
    return told if is_vague and told[:1] in ("4", "5") else status


def _recipient(value: str) -> str:
    """Return the address out of `rfc822; <ana@example.org>`."""
    return value.rpartition(";")[2].strip().strip("<>").lower()


def _addresses(value: str) -> list[str]:
    return [word for word in _BETWEEN_ADDRESSES.split(value) if "@" in word]


def _is_from_mailer(message: Message) -> bool:
    """Say whether a mail server wrote it, about mail that was not delivered."""
    if any(message.values(*_AUTOMATIC)):
        return False
    if any(value.lower() in _AUTO_PRECEDENCE for value in message.values("precedence")):
        return False
    if any(_AUTO_SUBJECT.search(value) for value in message.values("subject")):
        return False
    return bool(message.values("x-failed-recipients")) or any(
        _MAILER.search(value) for value in message.values("from")
    )


def _guess(message: Message) -> tuple[Finding, ...]:
    """Read a report without a form, or in a broken one: a code in its own words, if any."""
    text = message.first("text/plain") or message.first("text/html", "multipart/report", "multipart/mixed")
    if text is None:
        return ()
    words = text.text[:_READ_OF_TEXT]
    copy = _COPY.search(words)
    own = words[: copy.start()] if copy else words
    code = code_in(own)
    if code[:1] not in ("4", "5"):
        return ()
    tries_on = code.startswith("4") and _TRIES_ON.search(f"{' '.join(message.values('subject'))} {own}")
    return (Finding(Action.DELAYED if tries_on else Action.FAILED, code),)
