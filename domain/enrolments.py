"""Enrolments: gathered rows of a roster become subscribers with their consents, slice by slice as sets.

Each slice is one transaction of its own. A crash leaves the slices that are stored, and importing the
same file again stores the rest.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Select,
    Sequence,
    String,
    and_,
    case,
    cast,
    column,
    delete,
    exists,
    func,
    insert,
    literal,
    null,
    select,
    table,
    text,
    true,
)
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from domain import consents
from domain.columns import UtcDateTime, word_of
from domain.consents import Action, Consent, Method
from domain.database import add_set_if_new
from domain.gatherings import is_double, newcomers, rows
from domain.languages import FALLBACK
from domain.organisations import Organisation
from domain.subscribers import Channel, Subscriber, SubscriberTopic
from domain.suppressions import Suppression

SLICE = 50_000
"""Rows that are stored in one transaction: on SQLite other writers wait for it about half a second."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What an import did, or would do."""

    added: int = 0
    known: int = 0
    left: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        """Return the sums of two imports."""
        return Tally(self.added + other.added, self.known + other.known, self.left + other.left)


@dataclass(frozen=True, slots=True)
class Source:
    """Where consents come from: the exact text that was agreed to, and the file's name for the register."""

    consent_text: str
    origin: str


async def compare(session: AsyncSession) -> Tally:
    """Return what enrolling all gathered rows would do, changing no one."""
    return await _sort_out(session, true(), null())


async def enrol(session: AsyncSession, places: range, source: Source, now: datetime) -> Tally:
    """Add who is new among the gathered rows of those places, with their consents.

    Nobody is overwritten, nobody who left is revived.
    """
    await _plan_by_index(session)
    here = and_(rows.c.place >= places.start, rows.c.place < places.stop)
    found = await _sort_out(session, here, await _next_number(session))
    await _add_organisations(session, here)
    added = await _add_subscribers(session, here, now)
    await _add_topics(session, here)
    await _add_consents(session, here, source, now)
    # Whoever subscribed by themselves at this very moment is known.
    return Tally(added, found.known + found.added - added, found.left)


async def _sort_out(session: AsyncSession, here: ColumnElement[bool], number: ColumnElement[Any]) -> Tally:
    """Find the newcomers among those rows, and give each that number; the tally is what is to be done."""
    connection = await session.connection()
    known = exists().where(col(Subscriber.email_key) == rows.c.email_key)
    hashes = select(rows.c.place).join(Suppression, col(Suppression.address_hash) == rows.c.address_hash)
    await connection.execute(delete(newcomers))
    good = await connection.scalar(select(func.count()).select_from(rows).where(here, ~is_double)) or 0
    new = select(rows.c.place, number).where(here, ~is_double, ~known)
    unknown = (
        await connection.execute(insert(newcomers).from_select(["place", "subscriber_id"], new))
    ).rowcount
    gone = delete(newcomers).where(newcomers.c.place.in_(hashes.where(here)))
    left = (await connection.execute(gone)).rowcount
    return Tally(unknown - left, good - unknown, left)


async def _next_number(session: AsyncSession) -> ColumnElement[Any]:
    """Return the numbers of subscribers to come: known beforehand, they spare a look-up for each."""
    connection = await session.connection()
    if connection.dialect.name == "postgresql":
        return Sequence("subscriber_id_seq").next_value()
    sequences = table("sqlite_sequence", column("name"), column("seq"))
    last = select(sequences.c.seq).where(sequences.c.name == Subscriber.__tablename__)
    return func.row_number().over(order_by=rows.c.place) + (await connection.scalar(last) or 0)


async def _plan_by_index(session: AsyncSession) -> None:
    """Keep PostgreSQL, which has no statistics of a growing table, from reading all of it for each slice."""
    connection = await session.connection()
    if connection.dialect.name == "postgresql":
        for way in ("hashjoin", "mergejoin"):
            await connection.execute(text(f"SET LOCAL enable_{way} = off"))


async def _add_organisations(session: AsyncSession, here: ColumnElement[bool]) -> None:
    known = exists().where(col(Organisation.name_key) == rows.c.organisation_key)
    named = _newcomers(func.min(rows.c.place), here=here).where(rows.c.organisation_key != "", ~known)
    values = {
        "name": rows.c.organisation,
        "name_key": rows.c.organisation_key,
        "target_group": rows.c.target_group,
        "helix_group": rows.c.helix_group,
    }
    first = rows.c.place.in_(named.group_by(rows.c.organisation_key))
    # In order, so that two imports at once wait for each other's names and not in a circle.
    found = select(*values.values()).where(first).order_by(rows.c.organisation_key)
    await add_set_if_new(session, Organisation, list(values), found)


async def _add_subscribers(session: AsyncSession, here: ColumnElement[bool], now: datetime) -> int:
    organisation = select(col(Organisation.id)).where(col(Organisation.name_key) == rows.c.organisation_key)
    values = {
        "id": newcomers.c.subscriber_id,
        "email": rows.c.email,
        "email_key": rows.c.email_key,
        "name": rows.c.name,
        "organisation_id": organisation.scalar_subquery(),
        "target_group": rows.c.target_group,
        "helix_group": rows.c.helix_group,
        "country": rows.c.country,
        "region": rows.c.region,
        "language": rows.c.language,
        "email_consented_at": _consented_at(now),
        "created_at": literal(now, UtcDateTime),
    }
    return await add_set_if_new(session, Subscriber, list(values), _newcomers(*values.values(), here=here))


async def _add_topics(session: AsyncSession, here: ColumnElement[bool]) -> None:
    connection = await session.connection()
    is_sqlite = connection.dialect.name == "sqlite"
    topics = rows.c.topics if is_sqlite else cast(rows.c.topics, JSON)
    split = func.json_each if is_sqlite else func.json_array_elements_text
    each = split(topics).table_valued("value", joins_implicitly=True)
    query = _added(newcomers.c.subscriber_id, each.c.value, here=here)
    await connection.execute(insert(SubscriberTopic).from_select(["subscriber_id", "topic"], query))


async def _add_consents(
    session: AsyncSession, here: ColumnElement[bool], source: Source, now: datetime
) -> None:
    text_id = await consents.keep_text(session, source.consent_text, FALLBACK)
    undated = literal("; the file gives no date, so the day of the import stands")
    values = {
        "subscriber_id": newcomers.c.subscriber_id,
        "purpose": literal("newsletter"),
        "channel": literal(Channel.EMAIL, word_of(Channel)),
        "action": literal(Action.GRANTED, word_of(Action)),
        "text_id": literal(text_id),
        "at": _consented_at(now),
        "method": literal(Method.IMPORT, word_of(Method)),
        "evidence": literal(f"{source.origin}, line ")
        + cast(rows.c.line, String)
        + case((rows.c.consented_at.is_(None), undated), else_=literal("")),
    }
    query = _added(*values.values(), here=here)
    await (await session.connection()).execute(insert(Consent).from_select(list(values), query))


def _consented_at(now: datetime) -> ColumnElement[datetime]:
    return func.coalesce(rows.c.consented_at, literal(now, UtcDateTime))


def _newcomers(*values: Any, here: ColumnElement[bool]) -> Select[Any]:
    query = select(*values).join_from(newcomers, rows, rows.c.place == newcomers.c.place)
    return query.where(here)


def _added(*values: Any, here: ColumnElement[bool]) -> Select[Any]:
    """Leave out those who subscribed by themselves at this very moment: they have another number."""
    return _newcomers(*values, here=here).join(Subscriber, col(Subscriber.id) == newcomers.c.subscriber_id)
