"""Relays: the mail servers that take our letters."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

_HERE = ("localhost", "127.0.0.1", "::1")


class RelaySettings(BaseModel):
    """One section `[[relays]]`."""

    model_config = ConfigDict(extra="forbid")

    host: str = Field(min_length=1)
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["none", "starttls", "tls"] = "starttls"
    username: str = ""
    password: str = ""

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
