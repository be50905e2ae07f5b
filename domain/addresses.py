"""E-mail addresses: what we accept, how we compare them, how we show them to others."""

import re
from dataclasses import dataclass
from string import ascii_lowercase, ascii_uppercase

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email
from email_validator.rfc_constants import CASE_INSENSITIVE_MAILBOX_NAMES

from domain.errors import Invalid

LONGEST = 254
"""Octets of an address that fits an SMTP path (RFC 5321, 4.5.3.1.3)."""
_SAME = str.maketrans(ascii_uppercase, ascii_lowercase)
"""Only these differ in nothing but case: folding more would make one of ß and ss, which are two people."""

_EVERYDAY = re.compile(
    r"[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*@(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+[a-z]{2,}", re.ASCII | re.IGNORECASE
)
_EVERYDAY_LENGTH = 64
"""Shorter than every limit on an address or a part of one, so none needs to be looked at."""
_NOT_EVERYDAY = tuple(f".{name}" for name in SPECIAL_USE_DOMAIN_NAMES)


@dataclass(frozen=True, slots=True)
class Address:
    """A checked address: `email` goes on the envelope, `key` says whether two are the same."""

    email: str
    key: str

    @property
    def masked(self) -> str:
        """The address as it may be shown where others could look on: `a***@example.org`."""
        local, _, domain = self.email.rpartition("@")
        return f"{local[:1]}***@{domain}"


def address_of(text: str, *, field: str = "email") -> Address:
    """Return the checked address; raises `Invalid` with the reason.

    Internationalised domains are stored in their ASCII form (RFC 5891), so that every relay can be
    given the stored address byte for byte; a non-ASCII local part is kept (RFC 6531) and whether the
    relay can take it is decided when sending.
    """
    return _everyday(text) or _checked(text, field)


def _everyday(text: str) -> Address | None:
    """Return what `_checked` would, twenty times sooner, for the plain addresses that most people have."""
    if len(text) > _EVERYDAY_LENGTH or not _EVERYDAY.fullmatch(text):
        return None
    key = text.lower()
    if key.endswith(_NOT_EVERYDAY):
        return None
    if key == text:
        return Address(text, key)
    at = text.index("@")
    if key[:at] in CASE_INSENSITIVE_MAILBOX_NAMES:  # the one local part whose case is not the person's own
        return None
    return Address(text[:at] + key[at:], key)


def _checked(text: str, field: str) -> Address:
    if not text.isprintable():  # neither are the halves of a byte that is not UTF-8
        raise Invalid(field, "an address has no control characters")
    if len(text.encode()) > LONGEST:
        raise Invalid(field, f"an address has at most {LONGEST} characters")
    try:
        checked = validate_email(text.strip(), check_deliverability=False, test_environment=True, strict=True)
    except EmailNotValidError as refusal:
        raise Invalid(field, f"not an e-mail address ({str(refusal).rstrip('.')})") from None
    email = f"{checked.local_part}@{checked.ascii_domain}"
    return Address(email=email, key=email.translate(_SAME))
