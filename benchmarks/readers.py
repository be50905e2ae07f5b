"""Readers: a list of any size, put straight into the database or imported as a lead would."""

import csv
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import insert as sql_insert
from sqlmodel import col, select

from benchmarks import letters, processes, products
from benchmarks.processes import Ended
from domain.database import Database, DatabaseSettings
from domain.helixes import HelixGroup
from domain.organisations import Organisation
from domain.subscribers import Subscriber
from domain.times import utc_now

_ORGANISATIONS = 200
_PEOPLE = 10_000
_BATCH = 10_000
_FIRST = ("Ana", "Žiga", "Ángela", "João", "Chiara", "Emma", "Петър", "Maja", "Nuno", "José", "Luca", "Inês")
_LAST = ("Novak", "Kovač", "Pérez", "Costa", "Rossi", "Smith", "Иванова", "Silva", "García", "Bianchi")
_COUNTRIES = ("SI", "ES", "PT", "IT", "BG", "GB")
_COLUMNS = ("email", "name", "organisation", "helix", "country", "language")
_TOPICS = ("", "events;policy")
_CONSENT = "I agree to receive the newsletter."


def address_of(number: int) -> str:
    """Return the address of one of them, counted from 0."""
    return f"reader{number}@town{number % 1000}.example.org"


async def insert(url: str, count: int) -> None:
    """Put them into the database by the thousands: how they are imported is another measure."""
    database = Database(DatabaseSettings(url=url))
    try:
        async with database.transaction() as session:
            connection = await session.connection()
            await connection.execute(sql_insert(Organisation), list(_organisations()))
            numbers = list((await session.exec(select(col(Organisation.id)))).all())
            for first in range(0, count, _BATCH):
                rows = [_row(number, numbers) for number in range(first, min(first + _BATCH, count))]
                await connection.execute(sql_insert(Subscriber), rows)
        async with database.engine.connect() as connection:
            plain = await connection.execution_options(isolation_level="AUTOCOMMIT")
            await plain.exec_driver_sql("ANALYZE")  # which the server would do by itself, some time later
    finally:
        await database.close()


def import_file(config: Path, count: int) -> float:
    """Import them from a CSV file by the product's own command, and return how many seconds that took."""
    path = config.with_name("readers.csv")
    write_file(path, count)
    return import_from(path, config)[0].seconds


def write_file(path: Path, count: int) -> None:
    """Write them as a CSV file whose addresses stand in no order, as they came."""
    stride = next(prime for prime in (7919, 7927) if count % prime)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*_COLUMNS, "topics", "consented_at"])
        for number in range(count):
            shuffled = number * stride % count
            topics, date = _TOPICS[shuffled % len(_TOPICS)], f"2026-01-{1 + shuffled % 28:02d}"
            writer.writerow([*_fields(shuffled), topics, date])


def import_from(path: Path, config: Path) -> tuple[Ended, float]:
    """Import such a file by the product's own command; return what that took, and its peak memory in MB."""
    command = products.helixpost("subscribers", "import", path, "--consent", _CONSENT, "--config", config)
    log = config.with_name("import.log")
    return processes.watch(command, log, **products.options(config.parent))


def _organisations() -> Iterator[dict[str, Any]]:
    for number in range(_ORGANISATIONS):
        name = _organisation(number)
        yield {"name": name, "name_key": name.casefold(), "target_group": None, "helix_group": None}


def _row(number: int, organisations: list[int | None]) -> dict[str, Any]:
    address, name, _, helix, country, language = _fields(number)
    now = utc_now()
    return {
        "email": address,
        "email_key": address,
        "name": name,
        "organisation_id": organisations[number % len(organisations)],
        "helix_group": helix,
        "country": country,
        "language": language,
        "region": "",
        "email_consented_at": now,
        "created_at": now,
    }


def _fields(number: int) -> tuple[str, str, str, str, str, str]:
    return (
        address_of(number),
        f"{_first_names()[number % _PEOPLE]} {_LAST[number % len(_LAST)]}",
        _organisation(number),
        list(HelixGroup)[number % len(HelixGroup)],
        _COUNTRIES[number % len(_COUNTRIES)],
        letters.LANGUAGES[number % len(letters.LANGUAGES)],
    )


@cache
def _first_names() -> list[str]:
    """Return first names as they are spread among people: a few often, hundreds seldom (Zipf's law)."""
    names = [*_FIRST, *(f"{one}-{other}" for one in _FIRST for other in _FIRST)]
    often = [1 / rank for rank in range(1, len(names) + 1)]
    return Random(20261124).choices(names, often, k=_PEOPLE)  # the same list for every run


def _organisation(number: int) -> str:
    return f"Chamber of Commerce {number % _ORGANISATIONS}"
