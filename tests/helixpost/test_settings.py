"""Settings: every one is documented, every mistake names its key and the cure."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from domain.errors import DomainError
from helixpost import settings
from helixpost.commands.setup import PLACEHOLDER
from helixpost.settings import Settings

ROOT = Path(__file__).parents[2]
EXAMPLE = (ROOT / "config.example.toml").read_text(encoding="utf-8")
SWITCHED_ON = re.sub(r"^#(?=\[|\w+ = )", "", EXAMPLE, flags=re.MULTILINE)
"""The example with the sections that one may leave out."""
GOOD = EXAMPLE.replace(PLACEHOLDER, "k3yF0rTh3T3stsOnlyAndNowhereElse")


def _read(tmp_path: Path, text: str) -> Settings:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    return settings.read(path)


def _keys(value: Any, prefix: str = "") -> set[str]:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        value = value[0]
    if not isinstance(value, dict) or not value:
        return {prefix}
    return {key for name, inner in value.items() for key in _keys(inner, f"{prefix}.{name}".strip("."))}


def _fields(model: type[BaseModel], prefix: str = "") -> set[str]:
    found = set()
    for name, field in model.model_fields.items():
        kinds = [field.annotation, *getattr(field.annotation, "__args__", ())]
        inner = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
        key = f"{prefix}.{name}".strip(".")
        found |= _fields(inner[0], key) if inner else {key}
    return found


def test_the_example_and_the_settings_name_the_same_keys() -> None:
    assert _keys(tomllib.loads(SWITCHED_ON)) == _fields(Settings)


def test_the_example_is_right_but_for_its_placeholder(tmp_path: Path) -> None:
    assert _read(tmp_path, GOOD).service.name == "INTRA"
    with pytest.raises(DomainError, match=r"\[service\] secret: this is a placeholder; .*init"):
        _read(tmp_path, EXAMPLE)


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELIXPOST_SERVICE__NAME", "Other")
    read = _read(tmp_path, GOOD)
    assert read.service.name == "Other"
    assert read.service.time_zone == "Europe/Ljubljana"


def test_a_misspelt_section_in_the_environment_is_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELIXPOST_MIAL__SENDER", "news@example.org")
    with pytest.raises(DomainError, match="HELIXPOST_MIAL__SENDER: unknown setting"):
        _read(tmp_path, GOOD)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[web]", "[web", r"is not TOML: .*line \d+"),
        ("port = 8080", "prot = 8080", r"\[web\] prot: unknown setting; config.example.toml lists every one"),
        ('url = "sqlite:///var/helixpost.db"', 'url = "sqlite://"', r"\[database\] url: names no database"),
        ("[web]", "[webb]", r"\[webb\]: unknown setting"),
        ("port = 8080", 'port = "many"', r"\[web\] port: "),
        ('time_zone = "Europe/Ljubljana"', 'time_zone = "Mars"', r"\[service\] time_zone: unknown time zone"),
        ('base_url = "https://news', 'base_url = "news', r"\[service\] base_url: "),
        ("sqlite:///var/helixpost.db", "mysql://x/y", r"\[database\] url: use sqlite"),
        ('mode = "off"', 'mode = "polling"', r"\[telegram\]"),
        ('sender = "INTRA <news@example.org>"', 'sender = "INTRA"', r"\[mail\] sender: "),
        ('postal_address = "Example', 'postal_address = ""  # "Example', r"\[mail\] postal_address: "),
        ('security = "starttls"', 'security = "ssl"', r"\[relays\] 0.security: "),
        ('address = ""', 'address = "bounces@x.org"', r"\[bounces\].*: name a way in"),
        ('host = ""  ', 'host = "imap.x.org"', r"\[bounces\] mailbox: a mailbox needs username"),
        ('languages = ["en"', 'languages = ["de"', r"\[service\] languages"),
    ],
)
def test_a_mistake_names_its_key(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    with pytest.raises(DomainError) as refusal:
        _read(tmp_path, GOOD.replace(old, new, 1))
    assert re.search(message, str(refusal.value))


def test_a_missing_file_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(DomainError, match="no such file; `helixpost init` writes one"):
        settings.read(tmp_path / "config.toml")
