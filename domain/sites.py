"""Who we are to the outside: the service's name, address, zone, languages and secret."""

from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, TypeAdapter, field_validator

from domain.errors import Invalid
from domain.keys import Keyring
from domain.languages import Language
from domain.times import zone_of

SHORTEST_SECRET = 16
WEBHOOK_PATH = "/telegram/webhook"
"""Where Telegram pushes updates: the bot tells it, the web pages take them in."""
_PLACEHOLDERS = ("change-me", "change_me", "changeme", "replace", "placeholder", "your-secret", "<")


class ServiceSettings(BaseModel):
    """The section `[service]`."""

    model_config = ConfigDict(extra="forbid")

    name: str = "Helixpost"
    base_url: str = "http://127.0.0.1:8080"
    time_zone: str = "Europe/Brussels"
    languages: list[Language] = Field(default_factory=lambda: list(Language), min_length=1)
    secret: str
    content: Path = Path("content/intra")
    operator: str = ""
    """The organisation that answers for the data (GDPR, Article 4(7)); left out = the service's name."""
    contact: str = ""
    """Where people write about privacy or access; left out = the address that letters are answered to."""

    @field_validator("base_url")
    @classmethod
    def _is_web_address(cls, url: str) -> str:
        TypeAdapter(HttpUrl).validate_python(url)
        return url.rstrip("/")

    @field_validator("time_zone")
    @classmethod
    def _is_zone(cls, name: str) -> str:
        try:
            zone_of(name)
        except Invalid as error:
            raise ValueError(error.reason) from None
        return name

    @field_validator("secret")
    @classmethod
    def _is_secret(cls, secret: str) -> str:
        if any(word in secret.lower() for word in _PLACEHOLDERS):
            raise ValueError("this is a placeholder; `helixpost init` writes a fresh secret")
        if len(secret) < SHORTEST_SECRET:
            raise ValueError(f"use at least {SHORTEST_SECRET} random characters; `helixpost init` does")
        return secret

    def model_post_init(self, _context: object) -> None:
        """Let the service's name stand for an operator that is not named."""
        self.operator = self.operator or self.name

    @property
    def zone(self) -> ZoneInfo:
        """The project's own time zone."""
        return zone_of(self.time_zone)

    @cached_property
    def keyring(self) -> Keyring:
        """The keys derived from the secret."""
        return Keyring(self.secret)

    def url(self, path: str) -> str:
        """Return the public address of a path that begins with a slash."""
        return f"{self.base_url}{path}"
