"""Bounce settings: the address at which letters come back, and the ways in which they reach us."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from domain.addresses import address_of
from domain.errors import Invalid
from mailer.logins import LoginSettings, Port, Security
from mailer.return_paths import LONGEST_BASE


class MailboxSettings(LoginSettings):
    """The section `[bounces.mailbox]`: reports are fetched from there over IMAP; no host = not at all."""

    host: str = ""
    port: Port = 993
    security: Security = "tls"
    folder: str = Field(default="INBOX", min_length=1)

    @field_validator("folder")
    @classmethod
    def _is_plain(cls, folder: str) -> str:
        if not (folder.isascii() and folder.isprintable()):
            raise ValueError("use a folder whose name has ASCII characters only")
        return folder

    @model_validator(mode="after")
    def _can_log_in(self) -> Self:
        if self.host and not self.username:
            raise ValueError("a mailbox needs username and password")
        return self


class ReceiverSettings(BaseModel):
    """The section `[bounces.receiver]`: reports are handed to us there; no host = not at all."""

    model_config = ConfigDict(extra="forbid")

    host: str = ""
    port: Port = 8024
    protocol: Literal["smtp", "lmtp"] = "lmtp"


class BouncesSettings(BaseModel):
    """The section `[bounces]`. Without an address, letters that come back go to the sender's own."""

    model_config = ConfigDict(extra="forbid")

    address: str = ""
    mailbox: MailboxSettings = Field(default_factory=MailboxSettings)
    receiver: ReceiverSettings = Field(default_factory=ReceiverSettings)

    @field_validator("address")
    @classmethod
    def _takes_a_tag(cls, address: str) -> str:
        if not address:
            return ""
        try:
            email = address_of(address, field="address").email
        except Invalid as error:
            raise ValueError(f"{error.reason}; write bounces@news.example.org") from None
        local = email.rpartition("@")[0]
        if len(local) > LONGEST_BASE or not all(
            part.isalnum() and part.isascii() for part in local.split("-")
        ):
            raise ValueError(
                f"before the @ use letters, digits and hyphens, {LONGEST_BASE} at most: "
                "each letter's own mark is added there"
            )
        return email.lower()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        has_way_in = bool(self.mailbox.host or self.receiver.host)
        if has_way_in and not self.address:
            raise ValueError("set address, such as bounces@news.example.org: reports are known by it")
        if self.address and not has_way_in:
            raise ValueError("name a way in, mailbox.host or receiver.host: nobody would read the reports")
        return self
