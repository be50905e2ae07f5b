"""Stores: a database taken hold of from outside, past the program: locked, looked at, checked."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from uuid import uuid4

from sqlalchemy import make_url

from tests.postgres import address_of, ask, connected, migrate

_SQLITE_PATIENCE = 30.0
_BUSY = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'
"""


@asynccontextmanager
async def fresh(kind: str, folder: Path) -> AsyncIterator[str]:
    """Make an empty, migrated database, `sqlite` or `postgresql`, and take it away afterwards."""
    name = f"helixpost_faults_{uuid4().hex[:12]}"
    url = f"sqlite:///{folder}/helixpost.db" if kind == "sqlite" else address_of(name)
    if kind != "sqlite":
        await ask(f'CREATE DATABASE "{name}"')
    try:
        await migrate(url)
        yield url
    finally:
        if kind != "sqlite":
            await ask(f'DROP DATABASE "{name}" WITH (FORCE)')


@asynccontextmanager
async def locked(url: str) -> AsyncIterator[None]:
    """Hold the ledger while the block runs: nobody else can claim or record, all can read."""
    if (path := _path_of(url)) is None:
        async with connected(url) as connection, connection.transaction():
            await connection.execute("LOCK TABLE delivery IN EXCLUSIVE MODE")
            yield
        return
    with _opened(path, _SQLITE_PATIENCE) as file:
        await asyncio.to_thread(file.execute, "BEGIN EXCLUSIVE")
        try:
            yield
        finally:
            file.execute("ROLLBACK")


async def is_free(url: str) -> bool:
    """Say whether nobody is in the middle of a transaction that would keep others waiting."""
    if (path := _path_of(url)) is None:
        async with connected(url) as connection:
            return int(await connection.fetchval(_BUSY)) == 0
    with _opened(path, 0) as file:
        try:
            file.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        file.execute("ROLLBACK")
        return True


def is_intact(url: str) -> bool:
    """Say whether SQLite finds its file in order."""
    path = _path_of(url)
    assert path is not None
    with _opened(path, _SQLITE_PATIENCE) as file:
        return bool(file.execute("PRAGMA integrity_check").fetchall() == [("ok",)])


@contextmanager
def _opened(path: str, timeout: float) -> Iterator[sqlite3.Connection]:
    file = sqlite3.connect(path, timeout=timeout, isolation_level=None, check_same_thread=False)
    try:
        yield file
    finally:
        file.close()


def _path_of(url: str) -> str | None:
    """Return the file of an SQLite database; None for PostgreSQL."""
    parsed = make_url(url)
    return parsed.database if parsed.get_backend_name() == "sqlite" else None
