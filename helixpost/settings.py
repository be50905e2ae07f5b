"""The settings: composed of each room's own, read from one TOML file and the environment."""

import os
import tomllib
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from bot.settings import TelegramSettings
from domain.database import DatabaseSettings
from domain.errors import Invalid, Problems
from domain.sites import ServiceSettings
from mailer.bounce_settings import BouncesSettings
from mailer.delays import ScheduleSettings
from mailer.mail_settings import MailSettings
from mailer.relays import DeliverySettings, RelaySettings
from mailer.signing_domains import DkimSettings
from web.settings import WebSettings

EXAMPLE = "config.example.toml"
_PREFIX = "HELIXPOST_"


class Settings(BaseSettings):
    """Everything that can be set. `HELIXPOST_<SECTION>__<KEY>` in the environment wins over the file."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, env_nested_delimiter="__", extra="forbid", case_sensitive=False
    )

    service: ServiceSettings
    database: DatabaseSettings = Field(default_factory=DatabaseSettings)
    telegram: TelegramSettings = Field(default_factory=TelegramSettings)
    mail: MailSettings | None = None
    relays: list[RelaySettings] = Field(default_factory=list)
    delivery: DeliverySettings = Field(default_factory=DeliverySettings)
    dkim: list[DkimSettings] = Field(default_factory=list)
    schedule: ScheduleSettings = Field(default_factory=ScheduleSettings)
    bounces: BouncesSettings = Field(default_factory=BouncesSettings)
    web: WebSettings = Field(default_factory=WebSettings)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is the library's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over what the file says."""
        return env_settings, init_settings

    def model_post_init(self, _context: object) -> None:
        """Let the address that letters are answered to stand for a contact that is not named."""
        if self.mail is not None:
            self.service.contact = self.service.contact or self.mail.contact

    @property
    def sending(self) -> tuple[MailSettings, list[RelaySettings]]:
        """What sending letters needs; raises `Invalid` naming the section that is missing."""
        if self.mail is None:
            raise Invalid("[mail]", f"this section is missing; copy it from {EXAMPLE}")
        if not self.relays:
            raise Invalid("[[relays]]", f"name at least one relay; copy the section from {EXAMPLE}")
        return self.mail, self.relays


def read(path: Path) -> Settings:
    """Return the settings of a file; raises `Problems` that name each key and its cure."""
    _check_environment()
    try:
        return Settings(**_parse(path))
    except SettingsError as error:
        key = str(error).split('"')[1]
        raise Invalid(f"{_PREFIX}{key.upper()}", "lists and sections are given there as JSON") from None
    except ValidationError as refusal:
        raise Problems([_problem(path, error) for error in refusal.errors()]) from None


def _check_environment() -> None:
    """Raise `Problems` for names that no section has: the library takes them for somebody else's."""
    named = (name.upper() for name in os.environ if "__" in name)
    ours = [name for name in named if name.startswith(_PREFIX)]
    unknown = [name for name in ours if _section_of(name) not in Settings.model_fields]
    if unknown:
        raise Problems([Invalid(name, f"unknown setting; {EXAMPLE} lists every one") for name in unknown])


def _section_of(name: str) -> str:
    return name.removeprefix(_PREFIX).partition("__")[0].lower()


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Invalid(str(path), "there is no such file; `helixpost init` writes one") from None
    except OSError as error:
        raise Invalid(str(path), f"cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise Invalid(str(path), "is not UTF-8; save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise Invalid(str(path), f"is not TOML: {error}") from None


def _problem(path: Path, error: Any) -> Invalid:
    place = f"{path}: {_key(error['loc'])}"
    if error["type"] == "extra_forbidden":
        return Invalid(place, f"unknown setting; {EXAMPLE} lists every one")
    if error["type"] == "missing":
        return Invalid(place, f"missing; {EXAMPLE} shows it")
    return Invalid(place, str(error["msg"]).removeprefix("Value error, "))


def _key(location: tuple[int | str, ...]) -> str:
    section, *rest = (str(part) for part in location)
    return f"[{section}] {'.'.join(rest)}" if rest else f"[{section}]"
