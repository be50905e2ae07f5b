"""Relays: the mail servers that take our letters."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from mailer.logins import LoginSettings, Port, Security


class RelaySettings(LoginSettings):
    """One section `[[relays]]`."""

    host: str = Field(min_length=1)
    port: Port = 587
    security: Security = "starttls"
    connections: int = Field(default=10, ge=1, le=500)
    """Open at once."""
    per_connection: int = Field(default=0, ge=0)
    """Letters over one connection before it is opened anew; 0 = any number."""
    per_second: float = Field(default=0, ge=0)
    """Letters a second; 0 = no limit. Limits hold for each mailer process."""
    per_hour: int = Field(default=0, ge=0)
    weight: int = Field(default=1, ge=0, le=100)
    """The share of letters among several relays; 0 = used only when no other can be."""

    @property
    def name(self) -> str:
        """How logs and errors call the relay."""
        return f"{self.host}:{self.port}"


class DeliverySettings(BaseModel):
    """The section `[delivery]`."""

    model_config = ConfigDict(extra="forbid")

    window: int = Field(default=200, ge=1, le=10_000)
    """Letters handed to a relay and not yet recorded, at most: so many could be sent twice by a crash."""
    ambiguous: Literal["resend", "hold"] = "resend"
    """What becomes of a letter that may have been taken: sent again with the same Message-ID, or held as
    `uncertain` for the lead to decide. What the lead sends again is not held for the doubt before."""
    per_domain: dict[str, float] = Field(default_factory=dict)
    """Letters a second to the recipients of a domain."""

    @field_validator("per_domain")
    @classmethod
    def _are_rates(cls, rates: dict[str, float]) -> dict[str, float]:
        for domain, rate in rates.items():
            if rate <= 0:
                raise ValueError(f"{domain}: give a number of letters a second above 0")
        return {domain.lower(): rate for domain, rate in rates.items()}
