"""SQLite cursors that change threads once for a statement and its rows, where the driver's do it four times.

A letter waits for its row of the ledger: each change costs more than what SQLite does in between.
"""

import sqlite3
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Self, TypeVar

import aiosqlite

_AT_ONCE = 500
"""Rows that come with their statement; more are fetched as they are asked for."""

T = TypeVar("T")
Row = tuple[Any, ...]


async def connect(path: str, **options: Any) -> "Connection":
    """Open a file; the options are those of `sqlite3.connect`."""
    connection = Connection(lambda: sqlite3.connect(path, **options), _AT_ONCE)
    connection._thread.daemon = True  # noqa: SLF001 - as SQLAlchemy does: no process waits for it to end
    await connection
    return connection


class Connection(aiosqlite.Connection):
    """The driver's connection with our cursors; a transaction begins with its first statement."""

    _opening: str | None = None

    def cursor(self) -> "Cursor":  # type: ignore[override] # what SQLAlchemy needs is all that it can do
        """Return a cursor; nothing is asked of SQLite yet."""
        return Cursor(self)

    def begin_with(self, opening: str) -> None:
        """Let the next statement open a transaction by these words first."""
        self._opening = opening

    async def commit(self) -> None:
        """Commit; what had no statement needs nothing."""
        if not self._was_never_opened():
            await super().commit()

    async def rollback(self) -> None:
        """Undo; what had no statement needs nothing."""
        if not self._was_never_opened():
            await super().rollback()

    def _was_never_opened(self) -> bool:
        opening, self._opening = self._opening, None
        return opening is not None

    async def run(self, work: Callable[..., T], *arguments: Any) -> T:
        """Run something in the connection's own thread."""
        result: T = await self._execute(work, *arguments)  # type: ignore[no-untyped-call]
        return result

    def begin(self, sql: str, parameters: Any) -> sqlite3.Cursor:
        """Execute a statement; in the connection's own thread."""
        self._open()
        return self._conn.execute(sql, parameters)

    def repeat(self, sql: str, rows: Iterable[Any]) -> sqlite3.Cursor:
        """Execute a statement for each of the rows; in the connection's own thread."""
        self._open()
        return self._conn.executemany(sql, rows)

    def _open(self) -> None:
        opening, self._opening = self._opening, None
        if opening:
            self._conn.execute(opening)


class Cursor:
    """One statement at a time, as SQLAlchemy's asyncio dialect uses it."""

    arraysize = 1

    def __init__(self, connection: Connection) -> None:
        """Belong to a connection."""
        self._connection = connection
        self._open: sqlite3.Cursor | None = None
        self._rows: deque[Row] = deque()
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> Self:
        """Be ready at once."""
        return self

    async def __aexit__(self, *_error: object) -> None:
        """End the statement."""
        await self.close()

    async def execute(self, sql: str, parameters: Any = ()) -> None:
        """Execute a statement and fetch its first rows."""
        await self._connection.run(self._begin, sql, parameters)

    async def executemany(self, sql: str, rows: Iterable[Any]) -> None:
        """Execute a statement for each of the rows."""
        await self._connection.run(self._repeat, sql, rows)

    async def fetchone(self) -> Row | None:
        """Return the next row; None after the last."""
        return next(iter(await self.fetchmany(1)), None)

    async def fetchmany(self, size: int | None = None) -> list[Row]:
        """Return so many of the next rows."""
        wanted = size or self.arraysize
        if len(self._rows) < wanted and self._open:
            await self._connection.run(self._fetch, wanted)
        return [self._rows.popleft() for _ in range(min(wanted, len(self._rows)))]

    async def fetchall(self) -> list[Row]:
        """Return all rows that are left."""
        if self._open:
            await self._connection.run(self._fetch, None)
        rows, self._rows = list(self._rows), deque()
        return rows

    async def close(self) -> None:
        """End the statement, if it has not ended with its last row."""
        if self._open:
            await self._connection.run(self._end)

    def _begin(self, sql: str, parameters: Any) -> None:
        self._open = self._connection.begin(sql, parameters)
        self.description = self._open.description
        self._fetch(_AT_ONCE)

    def _repeat(self, sql: str, rows: Iterable[Any]) -> None:
        self._open = self._connection.repeat(sql, rows)
        self._end()

    def _fetch(self, size: int | None) -> None:
        cursor = self._open
        assert cursor is not None
        rows = cursor.fetchall() if size is None else cursor.fetchmany(size)
        self._rows += rows
        if size is None or len(rows) < size:
            self._end()

    def _end(self) -> None:
        cursor, self._open = self._open, None
        assert cursor is not None
        self.rowcount, self.lastrowid = cursor.rowcount, cursor.lastrowid
        cursor.close()
