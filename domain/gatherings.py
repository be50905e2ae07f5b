"""Gatherings: the rows of a roster in temporary tables of one connection, until the whole file is read.

They are sorted by address there: doubles come to stand together, and what is stored goes into the
databases' indexes in their own order, which is several times faster than in the order of the file.
"""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Column, Integer, MetaData, String, Table, cast, func, insert, literal, select, text
from sqlmodel.ext.asyncio.session import AsyncSession

from domain import roster_rows
from domain.columns import UtcDateTime
from domain.database import load
from domain.keys import Keyring
from domain.refusals import Refusal
from domain.roster_rows import Row

_TABLES = MetaData()


def _row_columns() -> list[Column[Any]]:
    words = ("email", "email_key", "name", "organisation", "target_group", "helix_group", "country")
    more = ("region", "language", "topics")
    return [
        Column("line", Integer),
        *(Column(name, String) for name in (*words, *more)),
        Column("consented_at", UtcDateTime),
        Column("address_hash", String),
        Column("organisation_key", String),
    ]


def _temporary(name: str, *columns: Column[Any]) -> Table:
    return Table(name, _TABLES, *columns, prefixes=["TEMPORARY"])


_read = _temporary("roster_read", *_row_columns())
rows = _temporary(
    "roster_row", Column("place", Integer, primary_key=True), Column("first_line", Integer), *_row_columns()
)
"""The good rows by address; `place` counts them without a gap."""
is_double = rows.c.line > rows.c.first_line
"""Whether the row's address stands on a line before."""
newcomers = _temporary(
    "roster_newcomer", Column("place", Integer, primary_key=True), Column("subscriber_id", Integer)
)
"""Those of some rows who are to become subscribers."""
_refusals = _temporary(
    "roster_refusal",
    Column("line", Integer),
    Column("field", String),
    Column("reason", String),
    Column("fields", String),
    Column("place", Integer),
)


async def prepare(session: AsyncSession) -> None:
    """Make the temporary tables; every step below is taken on the same connection."""
    connection = await session.connection()
    await connection.run_sync(_TABLES.create_all, checkfirst=False)


async def gather(session: AsyncSession, found: Sequence[Row | Refusal], keyring: Keyring) -> None:
    """Put rows of a roster aside, good ones and bad ones."""
    moment = await _moments(session)
    good = [_record_of(row, keyring, moment) for row in found if isinstance(row, Row)]
    await load(session, _read, good)
    bad = [(*row[:3], json.dumps(row.fields), None) for row in found if isinstance(row, Refusal)]
    await load(session, _refusals, bad)


async def sort(session: AsyncSession) -> None:
    """Sort all that is gathered, and refuse every row whose address stands on a line before."""
    connection = await session.connection()
    first = func.first_value(_read.c.line).over(partition_by=_read.c.email_key, order_by=_read.c.line)
    query = select(first, *_read.c).order_by(_read.c.email_key, _read.c.line)
    columns = [column.name for column in rows.c if column.name != "place"]
    await connection.execute(insert(rows).from_select(columns, query))
    await connection.run_sync(_read.drop, checkfirst=False)
    await _refuse_doubles(session)
    await connection.execute(text(f"ANALYZE {rows.name}"))


async def count(session: AsyncSession) -> tuple[int, int]:
    """Return how many rows are sorted, which is the last place, and how many are refused."""
    connection = await session.connection()
    last = await connection.scalar(select(func.max(rows.c.place))) or 0
    return last, await connection.scalar(select(func.count()).select_from(_refusals)) or 0


async def refusals(session: AsyncSession, names: Sequence[str]) -> AsyncIterator[Refusal]:
    """Yield the bad rows by line; `names` are the columns of the file."""
    connection = await session.connection()
    query = select(*list(_refusals.c)[:4], *(rows.c[name] for name in Row._fields))
    query = query.outerjoin_from(_refusals, rows, rows.c.place == _refusals.c.place)
    async for line, field, reason, fields, *row in await connection.stream(query.order_by(_refusals.c.line)):
        yield Refusal(line, field, reason, tuple(json.loads(fields)) if fields else _written(row, names))


async def _refuse_doubles(session: AsyncSession) -> None:
    told = (
        literal("the same address stands in line ") + cast(rows.c.first_line, String) + literal("; keep one")
    )
    doubles = select(rows.c.line, literal("email"), told, rows.c.place).where(is_double)
    columns = ["line", "field", "reason", "place"]
    await (await session.connection()).execute(insert(_refusals).from_select(columns, doubles))


def _written(record: Sequence[Any], names: Sequence[str]) -> tuple[str, ...]:
    values = dict(zip(Row._fields, record, strict=True))
    values["topics"] = tuple(json.loads(values["topics"] or "[]"))
    return roster_rows.written(Row(**values), names)


def _record_of(row: Row, keyring: Keyring, moment: Callable[[datetime | None], Any]) -> tuple[Any, ...]:
    *words, topics, consented_at = row
    return (
        *words,
        _json_of(topics),
        moment(consented_at),
        keyring.hash_address(row.email_key),
        row.organisation.casefold(),
    )


@lru_cache(1000)
def _json_of(topics: tuple[str, ...]) -> str | None:
    return json.dumps(topics) if topics else None


async def _moments(session: AsyncSession) -> Callable[[datetime | None], Any]:
    """Return how this database is handed a moment where no column's type does it."""
    dialect = (await session.connection()).dialect
    return UtcDateTime().dialect_impl(dialect).bind_processor(dialect) or (lambda moment: moment)
