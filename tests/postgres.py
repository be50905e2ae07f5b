"""The PostgreSQL server of the tests: databases of their own on it, and who waits for whom there."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from sqlalchemy import make_url, text

from domain.database import Database, DatabaseSettings
from helixpost import schema

POSTGRES = os.environ.get("HELIXPOST_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")
_WAITING = text(
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
)


async def ask(*statements: str, at: str = POSTGRES) -> None:
    """Let a server do something, each statement by itself; that of the tests, or the one there."""
    async with connected(at) as connection:
        for statement in statements:
            await connection.execute(statement)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    """Connect to a database while the block runs, past the program."""
    connection = await asyncpg.connect(url, timeout=10)
    try:
        yield connection
    finally:
        await connection.close()


def address_of(name: str, at: str = POSTGRES) -> str:
    """Return the address of a database on a server."""
    return make_url(at).set(database=name).render_as_string(hide_password=False)


async def migrate(url: str) -> None:
    """Bring an empty database of either kind to the newest schema."""
    database = Database(DatabaseSettings(url=url))
    await schema.migrate(database)
    await database.close()


async def until_it_waits(database: Database, work: asyncio.Task[Any]) -> None:
    """Return once the work waits for another transaction, or is done; at once on SQLite."""
    while not database.is_sqlite and not work.done():
        async with database.engine.connect() as connection:
            if await connection.scalar(_WAITING):
                return
