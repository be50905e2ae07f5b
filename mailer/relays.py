"""Relays: the mail servers that take our letters."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

_HERE = ("localhost", "127.0.0.1", "::1")


class RelaySettings(BaseModel):
    """One section `[[relays]]`."""

    model_config = ConfigDict(extra="forbid")

    host: str = Field(min_length=1)
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["none", "starttls", "tls"] = "starttls"
    username: str = ""
    password: str = ""
    connections: int = Field(default=10, ge=1, le=500)
    """Open at once."""
    per_connection: int = Field(default=0, ge=0)
    """Letters over one connection before it is opened anew; 0 = any number."""
    per_second: float = Field(default=0, ge=0)
    """Letters a second; 0 = no limit. Limits hold for each mailer process."""
    per_hour: int = Field(default=0, ge=0)
    weight: int = Field(default=1, ge=0, le=100)
    """The share of letters among several relays; 0 = used only when no other can be."""

    @model_validator(mode="after")
    def _keeps_its_password(self) -> Self:
        if bool(self.username) != bool(self.password):
            raise ValueError("give both username and password, or neither")
        if self.username and self.security == "none" and self.host not in _HERE:
            raise ValueError('a password needs an encrypted connection; set security = "starttls" or "tls"')
        return self

    @property
    def name(self) -> str:
        """How logs and errors call the relay."""
        return f"{self.host}:{self.port}"


class DeliverySettings(BaseModel):
    """The section `[delivery]`."""

    model_config = ConfigDict(extra="forbid")

    window: int = Field(default=50, ge=1, le=10_000)
    """Letters handed to a relay and not yet recorded, at most: so many could be sent twice by a crash."""
    ambiguous: Literal["resend", "hold"] = "resend"
    """What becomes of a letter that may have been taken: sent again with the same Message-ID, or held as
    `uncertain` for the lead to decide."""
    per_domain: dict[str, float] = Field(default_factory=dict)
    """Letters a second to the recipients of a domain."""

    @field_validator("per_domain")
    @classmethod
    def _are_rates(cls, rates: dict[str, float]) -> dict[str, float]:
        for domain, rate in rates.items():
            if rate <= 0:
                raise ValueError(f"{domain}: give a number of letters a second above 0")
        return {domain.lower(): rate for domain, rate in rates.items()}
