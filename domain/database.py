"""The database: one engine, transactions that write, readings that do not."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator
from sqlalchemy import Connection, Select, Table, event, func, insert, make_url, select
from sqlalchemy.engine import URL, Dialect
from sqlalchemy.exc import ArgumentError, DisconnectionError, OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.errors import Invalid

OUTAGES: tuple[type[Exception], ...] = (SQLAlchemyError, OSError)
"""What is raised while a database is down, full or unreachable: loops wait and try again."""

_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
REST = 5.0
"""Seconds after which a connection to a server may have been closed unseen."""
_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # a reported "sent" survives a power cut
    "PRAGMA foreign_keys=ON",
    "PRAGMA busy_timeout=30000",
    "PRAGMA cache_size=-500",  # KB for each connection; the system keeps the file's pages anyway
    "PRAGMA temp_store=FILE",  # what is only gathered, such as a roster, stays out of memory
)


class DatabaseSettings(BaseModel):
    """The section `[database]`."""

    model_config = ConfigDict(extra="forbid")

    url: str = "sqlite:///var/helixpost.db"

    @field_validator("url")
    @classmethod
    def _is_known(cls, url: str) -> str:
        scheme = url.partition(":")[0]
        if scheme not in _DRIVERS or not url.removeprefix(scheme).startswith("://"):
            raise ValueError("use sqlite:///path/to/file.db or postgresql://user@host/name")
        try:
            named = make_url(url).database
        except (ArgumentError, ValueError):
            raise ValueError(
                "not an address; write sqlite:///file.db or postgresql://user@host/name"
            ) from None
        if not named:
            raise ValueError("names no database; write sqlite:///file.db or postgresql://user@host/name")
        return url


def reason_of(error: Exception) -> str:
    """Return the first line of what the driver says, for the person at the terminal; logs never get it."""
    told = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
    return told.rpartition(">: ")[2] or type(error).__name__


class Database:
    """Opens transactions on SQLite or PostgreSQL; the edge owns each one, the domain never commits."""

    def __init__(self, settings: DatabaseSettings) -> None:
        """Prepare the engine; nothing is opened yet but the folder of an SQLite file."""
        url = _async_url(settings.url)
        self.is_sqlite = url.get_backend_name() == "sqlite"
        if self.is_sqlite and url.database:
            _make_folder(Path(url.database).parent)
        self.folder = _folder_of(url)
        """Where the processes of this machine keep files about this database and no other."""
        # Parameters carry addresses and questions: they stay out of error messages.
        # Each step on SQLite is a change of threads, which letters wait for: no steps for nothing. A file
        # closes no connection by itself, and every transaction here ends by a commit or a rollback.
        self.engine: AsyncEngine = create_async_engine(
            url,
            hide_parameters=True,
            pool_reset_on_return=None if self.is_sqlite else "rollback",
            connect_args={"async_creator_fn": _connect_sqlite if self.is_sqlite else _connect_postgresql},
        )
        one_moment = {"helixpost_reads": True} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        self._reader = self.engine.execution_options(**one_moment)
        # SQLite has one writer. Queueing for it here is fair; its own waiting is a sleep.
        self._writer = asyncio.Lock() if self.is_sqlite else None
        if self.is_sqlite:
            event.listen(self.engine.sync_engine, "connect", _prepare_sqlite)
            event.listen(self.engine.sync_engine, "begin", _begin_sqlite)
        else:
            event.listen(self.engine.sync_engine, "checkin", _note_rest)
            event.listen(self.engine.sync_engine, "checkout", partial(_wake, self.engine.dialect))

    @asynccontextmanager
    async def transaction(self, on: AsyncConnection | None = None) -> AsyncIterator[AsyncSession]:
        """Open a transaction that may write; it commits at the end, or undoes all on an error."""
        async with AsyncExitStack() as stack:
            if self._writer is not None:
                await stack.enter_async_context(self._writer)
            session = await stack.enter_async_context(AsyncSession(on or self.engine, expire_on_commit=False))
            async with session.begin():
                yield session

    @asynccontextmanager
    async def workbench(self) -> AsyncIterator[AsyncConnection]:
        """Hold one connection: its temporary tables last over several transactions, and end with it."""
        async with self.engine.connect() as connection:
            try:
                yield connection
            finally:
                await connection.invalidate()

    @asynccontextmanager
    async def aside(self, workbench: AsyncConnection) -> AsyncIterator[AsyncSession]:
        """Open a transaction that writes to temporary tables and no other: nobody waits for it."""
        await workbench.execution_options(helixpost_reads=True)
        try:
            async with AsyncSession(workbench, expire_on_commit=False) as session, session.begin():
                yield session
        finally:
            await workbench.execution_options(helixpost_reads=False)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction that only reads: it sees one moment and never waits for a writer."""
        async with AsyncSession(self._reader, expire_on_commit=False) as session:
            yield session

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


async def hold(session: AsyncSession, name: str) -> None:
    """Wait until no other transaction holds that name, and hold it until this one ends.

    What is read after it stays true: SQLite has one writer already, PostgreSQL takes a lock for it.
    """
    connection = await session.connection()
    if connection.dialect.name == "postgresql":
        await connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


async def add_if_new(
    session: AsyncSession,
    table: type[SQLModel],
    values: dict[str, Any] | list[dict[str, Any]],
    *returning: Any,
) -> list[Any]:
    """Insert rows whose key is not there, also when another transaction inserts it at this moment.

    Returns the columns in `returning` of those that were new.
    """
    connection = await session.connection()
    statement = _insert(connection)(table).on_conflict_do_nothing()
    if not returning:
        await connection.execute(statement, values)
        return []
    return list((await connection.execute(statement.returning(*returning), values)).all())


async def add_set_if_new(
    session: AsyncSession, table: type[SQLModel], columns: Sequence[str], found: Select[Any]
) -> int:
    """Insert a row for each that is found, unless its key is there; return how many are new."""
    connection = await session.connection()
    added = _insert(connection)(table).from_select(columns, found).on_conflict_do_nothing()
    return (await connection.execute(added)).rowcount


async def load(session: AsyncSession, table: Table, records: Sequence[tuple[Any, ...]]) -> None:
    """Insert many records of plain values, one for each column, by the fastest way that the driver has."""
    connection = await session.connection()
    if records and connection.dialect.name == "sqlite":
        statement = insert(table).compile(dialect=connection.dialect)
        await connection.exec_driver_sql(str(statement), list(records))
    elif records:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        with _translated():
            await driver.copy_records_to_table(table.name, records=records)


# Whoever uses one database has no memory to spare for the dialect and the driver of the other.


def _insert(connection: AsyncConnection) -> Any:
    if connection.dialect.name == "sqlite":
        from sqlalchemy.dialects import sqlite

        return sqlite.insert
    from sqlalchemy.dialects import postgresql

    return postgresql.insert


async def _connect_sqlite(path: str, **options: Any) -> Any:
    from domain import sqlite_cursors

    return await sqlite_cursors.connect(path, **options)


async def _connect_postgresql(*arguments: Any, **options: Any) -> Any:
    import asyncpg

    with _translated():
        return await asyncpg.connect(*arguments, **options)


@contextmanager
def _translated() -> Iterator[None]:
    """Raise what PostgreSQL says to the driver itself as it is raised of any other statement."""
    import asyncpg

    try:
        yield
    except asyncpg.PostgresError as error:
        raise OperationalError(None, None, error) from error


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Invalid("[database] url", f"the folder {folder} cannot be made ({error.strerror})") from None


def _folder_of(url: URL) -> Path:
    if url.get_backend_name() == "sqlite":
        return Path(f"{url.database}.d")
    return Path("var") / f"{url.host or 'local'}-{url.port or 5432}-{url.database}.d"


def _async_url(url: str) -> URL:
    parsed = make_url(url)
    return parsed.set(drivername=_DRIVERS[parsed.get_backend_name()])


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # SQLAlchemy's own BEGIN below, not the driver's late one
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _note_rest(_connection: object, record: ConnectionPoolEntry) -> None:
    record.info["rests_since"] = time.monotonic()


def _wake(dialect: Dialect, connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
    """Ask a connection that has rested whether it still is one; the pool replaces it when it is not.

    The library's own asking, before every transaction, would cost each batch of letters two round trips.
    """
    if time.monotonic() - record.info.get("rests_since", time.monotonic()) < REST:
        return
    try:
        alive = dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error:
        alive = False
    if not alive:
        raise DisconnectionError("the server closed it")


def _begin_sqlite(connection: Connection) -> None:
    reads = connection.get_execution_options().get("helixpost_reads", False)
    driver: Any = connection.connection.driver_connection
    driver.begin_with("BEGIN" if reads else "BEGIN IMMEDIATE")
