"""The section `[mail]`: who writes, and where answers go. Its reader loads nothing that letters need."""

import re
from functools import cached_property

from pydantic import BaseModel, ConfigDict, Field, field_validator

from domain.addresses import Address, address_of
from domain.errors import Invalid
from mailer import headers

_MAILBOX = re.compile(r'\s*"?(?P<name>[^<>"]*?)"?\s*<(?P<address>[^<>]+)>\s*')


class MailSettings(BaseModel):
    """The section `[mail]`."""

    model_config = ConfigDict(extra="forbid")

    sender: str
    """Whom letters come from: `INTRA <news@example.org>`."""
    reply_to: str = ""
    postal_address: str = Field(min_length=1)
    """Where the sender can be reached on paper; stands in the footer of every letter."""

    @field_validator("sender")
    @classmethod
    def _is_mailbox(cls, sender: str) -> str:
        _split(sender)
        return sender

    @field_validator("reply_to")
    @classmethod
    def _is_address(cls, reply_to: str) -> str:
        return _ascii_address(reply_to).email if reply_to else ""

    @field_validator("postal_address")
    @classmethod
    def _is_no_blank(cls, postal_address: str) -> str:
        if not postal_address.strip():
            raise ValueError("give a street and a town: readers must be able to see who writes")
        return postal_address.strip()

    @cached_property
    def sender_name(self) -> str:
        """The name before the sender's address; may be empty."""
        return _split(self.sender)[0]

    @cached_property
    def sender_address(self) -> str:
        """The address on the envelope and in From."""
        return _split(self.sender)[1].email

    @cached_property
    def domain(self) -> str:
        """The sender's domain, in which Message-IDs and the list are named."""
        return self.sender_address.rpartition("@")[2]

    @property
    def contact(self) -> str:
        """Where answers of readers arrive."""
        return self.reply_to or self.sender_address


def _split(sender: str) -> tuple[str, Address]:
    found = _MAILBOX.fullmatch(sender)
    if found is None:
        return "", _ascii_address(sender)
    try:
        return headers.checked(found["name"], field="sender"), _ascii_address(found["address"])
    except Invalid as error:
        raise ValueError(error.reason) from None


def _ascii_address(text: str) -> Address:
    try:
        address = address_of(text)
    except Invalid as error:
        raise ValueError(f"{error.reason}; write INTRA <news@example.org>") from None
    if not address.email.isascii():
        raise ValueError("use an address that every mail server can answer to: ASCII before the @")
    return address
