"""Status codes: what the numbers say with which mail servers refuse a letter, and about whom.

The numbers are those of RFC 3463 and of IANA's registry of them (RFC 5248). What a server writes beside
them is never kept: it likes to repeat the address.
"""

import re
from enum import StrEnum

UNKNOWN = "5.0.0"
"""A refusal that says nothing."""

_ENHANCED = re.compile(r"(?<![\w.])([245])\.(\d{1,3})\.(\d{1,3})(?!\w|\.\d)")
_BASIC = re.compile(r"(?<![\w.])([45])(\d\d)(?!\w|\.\d)")
_TOLD_BY_BASIC = {
    "552": "5.2.2",  # RFC 5321, 4.2.3: exceeded storage allocation
    "556": "5.1.10",  # RFC 7504: the domain takes no mail
}


class Kind(StrEnum):
    """What a refusal is about."""

    HARD = "hard"
    SOFT = "soft"
    POLICY = "policy"
    COMPLAINT = "complaint"


# RFC 3463, 3.2, 3.3 and 3.5; 1.10: RFC 7505 (null MX).
_HARD = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1", "5.4.4"})
_ABOUT_US = frozenset({"5.1.7", "5.1.8"})
_POLICY = "7"
_MEANINGS = {
    "1.1": "there is no such mailbox",
    "1.2": "there is no such mail domain",
    "1.3": "the address is not well formed",
    "1.4": "the address could mean several mailboxes",
    "1.6": "the mailbox has moved and nothing is forwarded",
    "1.7": "our sender's address is not accepted",
    "1.8": "our sender's domain is not accepted",
    "1.10": "the domain takes no mail at all",
    "1": "something is wrong with the address",
    "2.1": "the mailbox is switched off",
    "2.2": "the mailbox is full",
    "2.3": "the letter is too big for the mailbox",
    "2": "something is wrong with the mailbox",
    "3.1": "the mail system is full",
    "3.4": "the letter is too big for the mail system",
    "3": "the reader's mail system has a problem",
    "4.1": "the mail server does not answer",
    "4.4": "no way leads to the mail domain",
    "4.6": "the letter went round in circles",
    "4.7": "it could not be delivered in time",
    "4": "the mail server could not be reached",
    "5": "the mail servers did not understand each other",
    "6": "the mail server does not take such a letter",
    "7": "the mail server's rules refuse us or the letter",
    "0": "the mail server gave no reason",
}


def kind_of(code: str) -> Kind:
    """Return what a code is about: the address for good, its state now, or us.

    Policy and security (X.7) judge the sender, whatever their class: no reader is to blame.
    """
    if code in _HARD:
        return Kind.HARD
    if code in _ABOUT_US or code.split(".")[1:2] == [_POLICY]:
        return Kind.POLICY
    return Kind.SOFT


def meaning_of(code: str) -> str:
    """Return what a code means, in words; one that is unknown is told by its subject."""
    _, _, detail = code.partition(".")
    subject = detail.partition(".")[0]
    return _MEANINGS.get(detail) or _MEANINGS.get(subject) or _MEANINGS["0"]


def code_in(text: str) -> str:
    """Return the code in a server's words, such as `550 5.1.1` or `550`; empty when there is none."""
    enhanced = _ENHANCED.search(text)
    if enhanced:
        return ".".join(str(int(number)) for number in enhanced.groups())
    basic = _BASIC.search(text)
    if basic is None:
        return ""
    return _TOLD_BY_BASIC.get(basic[0], f"{basic[1]}.0.0")
