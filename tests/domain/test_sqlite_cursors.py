"""SQLite cursors: what they return is what SQLite returns, however many rows there are."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domain import sqlite_cursors
from domain.sqlite_cursors import Connection

MANY = 1_234
"""More rows than come with their statement, and not a multiple of them."""


@pytest.fixture
async def connection(tmp_path: Path) -> AsyncIterator[Connection]:
    opened = await sqlite_cursors.connect(str(tmp_path / "file.db"), isolation_level=None)
    async with opened.cursor() as cursor:
        await cursor.execute("CREATE TABLE numbers (number INTEGER PRIMARY KEY)")
        await cursor.executemany("INSERT INTO numbers VALUES (?)", [(number,) for number in range(MANY)])
        assert cursor.rowcount == MANY
    yield opened
    await opened.close()


async def test_all_rows_come_in_their_order(connection: Connection) -> None:
    async with connection.cursor() as cursor:
        await cursor.execute("SELECT number FROM numbers ORDER BY number")
        assert [column[0] for column in cursor.description] == ["number"]
        assert await cursor.fetchone() == (0,)
        assert await cursor.fetchmany(700) == [(number,) for number in range(1, 701)]
        assert await cursor.fetchall() == [(number,) for number in range(701, MANY)]
        assert await cursor.fetchone() is None
        assert await cursor.fetchall() == []


async def test_a_cursor_closed_in_between_stands_in_nobody_s_way(connection: Connection) -> None:
    async with connection.cursor() as cursor:
        await cursor.execute("SELECT number FROM numbers")
    async with connection.cursor() as cursor:
        await cursor.execute("DROP TABLE numbers")  # locked while a statement reads it


async def test_changes_are_counted_and_returned(connection: Connection) -> None:
    async with connection.cursor() as cursor:
        await cursor.execute("UPDATE numbers SET number = -number WHERE number > ?", (MANY - 6,))
        assert (cursor.rowcount, cursor.description) == (5, None)
        await cursor.execute("INSERT INTO numbers VALUES (?) RETURNING number", (MANY,))
        assert (cursor.lastrowid, await cursor.fetchall()) == (MANY, [(MANY,)])


async def test_an_error_is_the_driver_s_and_ends_nothing(connection: Connection) -> None:
    async with connection.cursor() as cursor:
        with pytest.raises(sqlite3.IntegrityError):
            await cursor.execute("INSERT INTO numbers VALUES (1)")
        await cursor.execute("SELECT count(*) FROM numbers")
        assert await cursor.fetchall() == [(MANY,)]


async def test_no_thread_outlives_its_connection(connection: Connection) -> None:
    await connection.close()
    with pytest.raises(ValueError, match="closed"):
        await asyncio.wait_for(connection.cursor().execute("SELECT 1"), timeout=5)


async def test_a_transaction_begins_with_its_first_statement_and_ends_with_its_last(
    connection: Connection, tmp_path: Path
) -> None:
    other = sqlite3.connect(tmp_path / "file.db", timeout=0, isolation_level=None)
    connection.begin_with("BEGIN IMMEDIATE")
    other.execute("INSERT INTO numbers VALUES (-1)")
    async with connection.cursor() as cursor:
        await cursor.execute("INSERT INTO numbers VALUES (-2)")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("INSERT INTO numbers VALUES (-3)")
        await connection.rollback()
    assert other.execute("SELECT number FROM numbers WHERE number < 0").fetchall() == [(-1,)]
    other.close()


async def test_a_transaction_without_a_statement_opens_nothing(connection: Connection) -> None:
    connection.begin_with("BEGIN IMMEDIATE")
    await connection.commit()
    async with connection.cursor() as cursor:
        await cursor.execute("SELECT 1")
    assert not connection.in_transaction
