"""Signing domains: in whose name letters are signed, as the sections `[[dkim]]` say it."""

import re
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, field_validator

from domain.addresses import address_of
from domain.errors import Invalid, Problems

_LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_SELECTOR = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_LONGEST_SELECTOR, _LONGEST_DOMAIN = 63, 178
"""Characters. With `._domainkey.` between them they fit a DNS name of 253 (RFC 1035, 2.3.4)."""


class Kind(StrEnum):
    """The kinds of keys that DKIM knows, as the tag `k=` writes them."""

    RSA = "rsa"
    ED25519 = "ed25519"


class DkimSettings(BaseModel):
    """One section `[[dkim]]`: one key that signs every letter."""

    model_config = ConfigDict(extra="forbid")

    domain: str
    """The domain that answers for the letter: the sender's own or one above it."""
    selector: str
    """The name under which the domain publishes this key."""
    key: Path
    """The file of the private key, in PEM; `helixpost dkim generate` writes one."""

    @field_validator("domain")
    @classmethod
    def _is_domain(cls, domain: str) -> str:
        try:
            return domain_of(domain)
        except Invalid as error:
            raise ValueError(error.reason) from None

    @field_validator("selector")
    @classmethod
    def _is_selector(cls, selector: str) -> str:
        try:
            return selector_of(selector)
        except Invalid as error:
            raise ValueError(error.reason) from None

    @property
    def place(self) -> str:
        """How errors call the section."""
        return f"[[dkim]] {self.selector} of {self.domain}"

    @property
    def record_name(self) -> str:
        """The DNS name of the public key (RFC 6376, 3.6.2.1)."""
        return f"{self.selector}._domainkey.{self.domain}"

    def covers(self, sender_domain: str) -> bool:
        """Whether a sender in that domain is aligned with ours, as DMARC wants it: the same or below."""
        return f".{sender_domain.lower()}".endswith(f".{self.domain}")


def domain_of(text: str, *, field: str = "domain") -> str:
    """Return a checked domain in its ASCII form (RFC 6376, 3.5), in lower case; raises `Invalid`."""
    try:
        domain = address_of(f"news@{text}", field=field).email.rpartition("@")[2].lower()
    except Invalid:
        reason = "not a domain; write what follows the @ of the sender, such as example.org"
        raise Invalid(field, reason) from None
    if len(domain) > _LONGEST_DOMAIN:
        raise Invalid(field, f"longer than {_LONGEST_DOMAIN} characters; sign for a domain above it")
    return domain


def selector_of(text: str, *, field: str = "selector") -> str:
    """Return a checked selector in lower case (RFC 6376, 3.1); raises `Invalid`."""
    selector = text.lower()
    if not _SELECTOR.fullmatch(selector) or len(selector) > _LONGEST_SELECTOR:
        raise Invalid(field, f"use up to {_LONGEST_SELECTOR} letters, digits and hyphens, such as helix1")
    return selector


def check(sections: Sequence[DkimSettings], sender_domain: str) -> None:
    """Raise `Problems` for sections that cannot sign for the sender, or that share one DNS record."""
    strangers = [
        Invalid(
            f"{section.place}: domain",
            f"[mail] sender is in {sender_domain}; name that domain or one above it",
        )
        for section in sections
        if not section.covers(sender_domain)
    ]
    names = [section.record_name for section in sections]
    twins = [
        Invalid(f"{section.place}: selector", "named twice; give every key a selector of its own")
        for number, section in enumerate(sections)
        if section.record_name in names[:number]
    ]
    if strangers or twins:
        raise Problems([*strangers, *twins])
