"""Enrolments: the rows of a roster wait in temporary tables, and are stored slice by slice as sets.

Only one connection sees the temporary tables, and they end with it: a crash leaves nothing but the slices
that are stored, and importing the same file again stores the rest.
"""

import json
from functools import lru_cache
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Integer,
    MetaData,
    String,
    Table,
    and_,
    case,
    cast,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    true,
)
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from domain import consents
from domain.columns import UtcDateTime, word_of
from domain.consents import Action, Consent, Method
from domain.database import add_set_if_new
from domain.keys import Keyring
from domain.languages import FALLBACK
from domain.organisations import Organisation
from domain.rosters import Refusal, Row
from domain.subscribers import Channel, Subscriber, SubscriberTopic
from domain.suppressions import Suppression

SLICE = 50_000
"""Rows that are stored in one transaction; other writers wait for it some tenths of a second."""

_TEMPORARY = MetaData()
_rows = Table(
    "roster_row",
    _TEMPORARY,
    Column("line", Integer, primary_key=True),
    Column("email", String),
    Column("email_key", String),
    Column("name", String),
    Column("organisation", String),
    Column("target_group", String),
    Column("helix_group", String),
    Column("country", String),
    Column("region", String),
    Column("language", String),
    Column("topics", String),
    Column("consented_at", UtcDateTime),
    Column("address_hash", String),
    Column("organisation_key", String),
    prefixes=["TEMPORARY"],
)
_refusals = Table(
    "roster_refusal",
    _TEMPORARY,
    Column("line", Integer, primary_key=True),
    Column("reason", String),
    prefixes=["TEMPORARY"],
)


@dataclass(frozen=True, slots=True)
class Tally:
    """What an import did, or would do."""

    added: int = 0
    known: int = 0
    left: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        """Return the sums of two imports."""
        return Tally(self.added + other.added, self.known + other.known, self.left + other.left)


async def prepare(session: AsyncSession) -> None:
    """Make the temporary tables; every step below is taken on the same connection."""
    connection = await session.connection()
    await connection.run_sync(_TEMPORARY.create_all, checkfirst=False)


async def gather(session: AsyncSession, found: Sequence[Row | Refusal], keyring: Keyring) -> None:
    """Let rows of a roster wait, good ones and bad ones."""
    rows = [row for row in found if isinstance(row, Row)]
    moment = await _moments(session)
    await _load(session, _rows, [_record_of(row, keyring, moment) for row in rows])
    await _load(session, _refusals, [row for row in found if isinstance(row, Refusal)])


async def refuse_doubles(session: AsyncSession) -> None:
    """Refuse every row whose address stands in a line before, and name that line."""
    first = select(_rows.c.email_key, func.min(_rows.c.line).label("line")).group_by(_rows.c.email_key)
    twice = first.having(func.count() > 1).subquery()
    reason = (
        literal("email: the same address stands in line ") + cast(twice.c.line, String) + literal("; keep one")
    )
    doubles = select(_rows.c.line, reason).join(twice, twice.c.email_key == _rows.c.email_key)
    doubles = doubles.where(_rows.c.line > twice.c.line)
    connection = await session.connection()
    await connection.execute(insert(_refusals).from_select(["line", "reason"], doubles))
    await connection.execute(delete(_rows).where(_rows.c.line.in_(select(_refusals.c.line))))


async def count_refusals(session: AsyncSession) -> int:
    """Return how many rows are bad."""
    return await (await session.connection()).scalar(select(func.count()).select_from(_refusals)) or 0


async def refusals(session: AsyncSession, *, limit: int | None = None) -> AsyncIterator[Refusal]:
    """Yield the bad rows by line, all of them or the first."""
    query = select(_refusals).order_by(_refusals.c.line).limit(limit)
    async for refusal in await (await session.connection()).stream(query):
        yield Refusal(*refusal)


async def compare(session: AsyncSession) -> Tally:
    """Return what `add` would do with all that wait, changing no one."""
    known, left = await _sort_out(session, true())
    connection = await session.connection()
    return Tally(await connection.scalar(select(func.count()).select_from(_rows)) or 0, known, left)


async def add(
    session: AsyncSession, consent_text: str, origin: str, now: datetime, *, size: int = SLICE
) -> Tally | None:
    """Add the next rows that wait, with their consents; None when none waits any more.

    Nobody is overwritten, nobody who left is revived. `origin` names the file in the register, next to
    the line number.
    """
    connection = await session.connection()
    first = select(_rows.c.line).order_by(_rows.c.line).limit(size).subquery()
    last = await connection.scalar(select(func.max(first.c.line)))
    if last is None:
        return None
    chosen = _rows.c.line <= last
    known, left = await _sort_out(session, chosen)
    await _add_organisations(session, chosen)
    added = await _add_subscribers(session, chosen, now)
    text_id = await consents.keep_text(session, consent_text, FALLBACK)
    await _add_topics(session, chosen)
    await _add_consents(session, chosen, text_id, origin, now)
    left_over = (await connection.execute(delete(_rows).where(chosen))).rowcount
    return Tally(added, known + left_over - added, left)


async def _load(session: AsyncSession, table: Table, records: Sequence[tuple[Any, ...]]) -> None:
    """Insert many plain records by the fastest way that the driver has."""
    if not records:
        return
    connection = await session.connection()
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(table.columns))
        await connection.exec_driver_sql(f"INSERT INTO {table.name} VALUES ({marks})", list(records))
        return
    raw = await connection.get_raw_connection()
    await raw.driver_connection.copy_records_to_table(table.name, records=records)


def _record_of(row: Row, keyring: Keyring, moment: Any) -> tuple[Any, ...]:
    target, helix, language = row.target_group, row.helix_group, row.language
    return (
        row.line,
        row.email,
        row.email_key,
        row.name,
        row.organisation,
        target and str(target),
        helix and str(helix),
        row.country,
        row.region,
        str(language),
        row.topics and _json_of(row.topics) or None,
        moment(row.consented_at),
        keyring.hash_address(row.email_key),
        row.organisation.casefold(),
    )

_json_of = lru_cache(json.dumps)

async def _moments(session):
    dialect = (await session.connection()).dialect
    return UtcDateTime().dialect_impl(dialect).bind_processor(dialect) or (lambda x: x)


async def _sort_out(session: AsyncSession, chosen: ColumnElement[bool]) -> tuple[int, int]:
    """Drop whom we know and who left before from those who wait, and return how many they were."""
    known = exists().where(col(Subscriber.email_key) == _rows.c.email_key)
    left = exists().where(col(Suppression.address_hash) == _rows.c.address_hash)
    connection = await session.connection()
    return (
        (await connection.execute(delete(_rows).where(chosen, known))).rowcount,
        (await connection.execute(delete(_rows).where(chosen, left))).rowcount,
    )


async def _add_organisations(session: AsyncSession, chosen: ColumnElement[bool]) -> None:
    named = and_(chosen, _rows.c.organisation_key != "")
    first = select(func.min(_rows.c.line)).where(named).group_by(_rows.c.organisation_key)
    values = {
        "name": _rows.c.organisation,
        "name_key": _rows.c.organisation_key,
        "target_group": _rows.c.target_group,
        "helix_group": _rows.c.helix_group,
    }
    await add_set_if_new(session, Organisation, values, _rows.c.line.in_(first))


async def _add_subscribers(session: AsyncSession, chosen: ColumnElement[bool], now: datetime) -> int:
    organisation = select(Organisation.id).where(col(Organisation.name_key) == _rows.c.organisation_key)
    values = {
        "email": _rows.c.email,
        "email_key": _rows.c.email_key,
        "name": _rows.c.name,
        "organisation_id": organisation.scalar_subquery(),
        "target_group": _rows.c.target_group,
        "helix_group": _rows.c.helix_group,
        "country": _rows.c.country,
        "region": _rows.c.region,
        "language": _rows.c.language,
        "email_consented_at": func.coalesce(_rows.c.consented_at, literal(now, UtcDateTime)),
        "created_at": literal(now, UtcDateTime),
    }
    return await add_set_if_new(session, Subscriber, values, chosen)


async def _add_topics(session: AsyncSession, chosen: ColumnElement[bool]) -> None:
    connection = await session.connection()
    split = func.json_each if connection.dialect.name == "sqlite" else func.json_array_elements_text
    topics = _rows.c.topics if connection.dialect.name == "sqlite" else cast(_rows.c.topics, JSON)
    each = split(topics).table_valued("value", joins_implicitly=True)
    query = _newcomers(select(col(Subscriber.id), each.c.value), chosen)
    await connection.execute(insert(SubscriberTopic).from_select(["subscriber_id", "topic"], query))


async def _add_consents(
    session: AsyncSession, chosen: ColumnElement[bool], text_id: str, origin: str, now: datetime
) -> None:
    undated = literal("; the file gives no date, so the day of the import stands")
    values = {
        "subscriber_id": col(Subscriber.id),
        "purpose": literal("newsletter"),
        "channel": literal(Channel.EMAIL, word_of(Channel)),
        "action": literal(Action.GRANTED, word_of(Action)),
        "text_id": literal(text_id),
        "at": func.coalesce(_rows.c.consented_at, literal(now, UtcDateTime)),
        "method": literal(Method.IMPORT, word_of(Method)),
        "evidence": literal(f"{origin}, line ")
        + cast(_rows.c.line, String)
        + case((_rows.c.consented_at.is_(None), undated), else_=literal("")),
    }
    query = _newcomers(select(*values.values()), chosen)
    await (await session.connection()).execute(insert(Consent).from_select(list(values), query))


def _newcomers(query: Any, chosen: ColumnElement[bool]) -> Any:
    """Join the rows to the subscribers they became.

    Who subscribed by themselves at this very moment has a line in the register already, and is not ours.
    """
    spoken_for = exists().where(col(Consent.subscriber_id) == col(Subscriber.id))
    query = query.join_from(_rows, Subscriber, col(Subscriber.email_key) == _rows.c.email_key)
    return query.where(chosen, ~spoken_for)
