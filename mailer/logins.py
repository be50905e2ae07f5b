"""Logins: a mail server of somebody else's, and a password that never travels in clear text."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Port = Annotated[int, Field(ge=1, le=65535)]
Security = Literal["none", "starttls", "tls"]
_HERE = ("localhost", "127.0.0.1", "::1")


class LoginSettings(BaseModel):
    """What sections have in common that name a mail server to connect to."""

    model_config = ConfigDict(extra="forbid")

    host: str
    port: Port
    security: Security
    username: str = ""
    password: str = ""

    @model_validator(mode="after")
    def _keeps_its_password(self) -> Self:
        if bool(self.username) != bool(self.password):
            raise ValueError("give both username and password, or neither")
        if self.username and self.security == "none" and self.host not in _HERE:
            raise ValueError('a password needs an encrypted connection; set security = "starttls" or "tls"')
        return self
