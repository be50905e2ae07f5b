"""Stages: a prepared installation with INTRA's content, its readers and one approved campaign."""

import json
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import insert
from sqlmodel import col, select

from benchmarks import databases, letters, processes
from benchmarks.databases import Original
from domain.database import Database, DatabaseSettings
from domain.helixes import HelixGroup
from domain.organisations import Organisation
from domain.subscribers import Subscriber
from domain.times import utc_now
from helixpost.places import CONTENT, ROOT

ZONE = "Europe/Ljubljana"
_ORGANISATIONS = 200
_BATCH = 10_000
_NAMES = ("Ana Novak", "Žiga Kovač", "Ángela Pérez", "João Costa", "Chiara Rossi", "Emma Smith")
_COUNTRIES = ("SI", "ES", "PT", "IT", "BG", "GB")
_SETTINGS = """\
[service]
name = "INTRA"
base_url = "https://news.example.org"
time_zone = "{zone}"
secret = "b3nchmarksOnlyAndNowhereElse"
operator = "Benchmark agency"
contact = "team@example.org"

[database]
url = "{database}"

[telegram]
mode = "off"

[mail]
sender = "INTRA <news@example.org>"
reply_to = "team@example.org"
postal_address = "Street 1, Maribor"

[[relays]]
host = "127.0.0.1"
port = {port}
security = "none"
{connections}

{more}
"""


@dataclass(frozen=True, slots=True)
class Setup:
    """What a measure sets differently from the product's own defaults."""

    connections: int | None = None
    window: int | None = None
    dkim_key: Path | None = None

    def settings(self, database: str, port: int) -> str:
        """Return the text of a settings file."""
        more = [f"[delivery]\nwindow = {self.window}\n"] if self.window else []
        if self.dkim_key:
            more.append(f'[[dkim]]\ndomain = "example.org"\nselector = "news"\nkey = "{self.dkim_key}"\n')
        return _SETTINGS.format(
            zone=ZONE,
            database=database,
            port=port,
            connections=f"connections = {self.connections}" if self.connections else "",
            more="\n".join(more),
        )


@dataclass(frozen=True, slots=True)
class Stage:
    """An installation on a prepared database; the campaign waits for its time."""

    original: Original
    folder: Path
    readers: int
    campaign: int
    letter: bytes
    """What one reader gets."""


@asynccontextmanager
async def prepared(kind: str, readers: int, folder: Path) -> AsyncIterator[Stage]:
    """Prepare a stage; raises `Missing` without the database's server."""
    async with databases.original(kind, folder / "database") as original:
        config = folder / "prepare.toml"
        config.write_text(Setup().settings(original.url, port=25), encoding="utf-8")
        command(config, "migrate")
        command(config, "content", "import", CONTENT / "intra")
        await _add_readers(original.url, readers)
        created = command(config, "campaigns", "create", *letters.write(folder), "--json")
        campaign = json.loads(created)["id"]
        command(config, "campaigns", "approve", str(campaign))
        sample = folder / "letter.eml"
        command(config, "campaigns", "preview", str(campaign), "--for", _address(0), "--out", sample)
        yield Stage(original, folder, readers, campaign, sample.read_bytes())


def command(config: Path, *words: str | Path) -> str:
    """Run a command of the product to its end and return what it said; raises `Failed`."""
    log = config.with_name("command.log")
    processes.run(helixpost(*words, "--config", config), log, **options(config.parent))
    return log.read_text(encoding="utf-8")


def helixpost(*words: str | Path) -> list[str | Path]:
    """Return the words that start the product."""
    return [sys.executable, "-m", "helixpost", *words]


def options(folder: Path) -> dict[str, Any]:
    """Return where and under which environment the product runs: nothing of ours overrides its settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HELIXPOST_")}
    return {"cwd": folder, "env": kept | {"PYTHONPATH": str(ROOT)}}


async def _add_readers(url: str, count: int) -> None:
    """Insert readers by the thousands: how they are imported is another measure."""
    database = Database(DatabaseSettings(url=url))
    try:
        async with database.transaction() as session:
            connection = await session.connection()
            await connection.execute(insert(Organisation), list(_organisations()))
            numbers = list((await session.exec(select(col(Organisation.id)))).all())
            for first in range(0, count, _BATCH):
                batch = range(first, min(first + _BATCH, count))
                await connection.execute(insert(Subscriber), [_reader(each, numbers) for each in batch])
        async with database.engine.connect() as connection:
            plain = await connection.execution_options(isolation_level="AUTOCOMMIT")
            await plain.exec_driver_sql("ANALYZE")  # which the server would do by itself, some time later
    finally:
        await database.close()


def _organisations() -> Iterator[dict[str, Any]]:
    for number in range(_ORGANISATIONS):
        name = f"Chamber of Commerce {number}"
        yield {"name": name, "name_key": name.casefold(), "target_group": None, "helix_group": None}


def _reader(number: int, organisations: list[int | None]) -> dict[str, Any]:
    now, helixes = utc_now(), list(HelixGroup)
    return {
        "email": _address(number),
        "email_key": _address(number),
        "name": _NAMES[number % len(_NAMES)],
        "organisation_id": organisations[number % len(organisations)],
        "helix_group": helixes[number % len(helixes)],
        "country": _COUNTRIES[number % len(_COUNTRIES)],
        "language": letters.LANGUAGES[number % len(letters.LANGUAGES)],
        "region": "",
        "email_consented_at": now,
        "created_at": now,
    }


def _address(number: int) -> str:
    return f"reader{number}@town{number % 1000}.example.org"
