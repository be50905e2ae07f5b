"""Databases: one that is prepared once, and a fresh copy of it for every run."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import asyncpg
from sqlalchemy import make_url

from benchmarks import processes
from benchmarks.processes import Missing

POSTGRES = os.environ.get("HELIXPOST_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")


class Original(Protocol):
    """A prepared database, and what is to be known about the work of its server."""

    kind: str
    url: str

    def copy(self) -> AbstractAsyncContextManager[str, bool | None]:
        """Return a fresh copy's address for the time of a block; nobody may be using the original."""
        ...

    async def server_cpu(self, url: str) -> float | None:
        """Return the seconds of CPU that a copy's server processes have used; None where there are none."""
        ...


class Sqlite:
    """A file, copied."""

    kind = "sqlite"

    def __init__(self, folder: Path) -> None:
        """Name the file that is to be prepared."""
        self._path = folder / "prepared.db"
        self.url = f"sqlite:///{self._path}"

    @asynccontextmanager
    async def copy(self) -> AsyncIterator[str]:
        """Copy the file to where it is on the disk before the run begins, and delete it afterwards."""
        path = self._path.with_name("run.db")
        shutil.copyfile(self._path, path)
        with path.open("rb+") as file:
            os.fsync(file.fileno())
        try:
            yield f"sqlite:///{path}"
        finally:
            for left in path.parent.glob(f"{path.name}*"):
                shutil.rmtree(left) if left.is_dir() else left.unlink()

    async def server_cpu(self, url: str) -> float | None:  # noqa: ARG002 - the other kind needs it
        """Return None: the database works in our own process."""
        return None


class Postgres:
    """A database of its own name on a server, copied as a template."""

    kind = "postgresql"

    def __init__(self) -> None:
        """Choose a name."""
        self._name = f"helixpost_bench_{uuid4().hex[:8]}"
        self.url = _url_of(self._name)

    @asynccontextmanager
    async def copy(self) -> AsyncIterator[str]:
        """Copy the database, let the server put it on the disk, and drop it afterwards."""
        name = f"{self._name}_run"
        await _ask(f'CREATE DATABASE "{name}" TEMPLATE "{self._name}"', "CHECKPOINT")
        try:
            yield _url_of(name)
        finally:
            await _ask(f'DROP DATABASE "{name}" WITH (FORCE)')

    async def server_cpu(self, url: str) -> float | None:
        """Return what the sessions with a copy have used; None for a server on another machine."""
        query = "SELECT pid FROM pg_stat_activity WHERE datname = $1"
        connection = await asyncpg.connect(POSTGRES, timeout=5)
        try:
            sessions = await connection.fetch(query, make_url(url).database)
        finally:
            await connection.close()
        try:
            return sum(processes.cpu_of(session["pid"]) for session in sessions)
        except OSError:
            return None


@asynccontextmanager
async def original(kind: str, folder: Path) -> AsyncIterator[Original]:
    """Offer an empty database of that kind; raises `Missing` when its server is not there or not durable."""
    if kind == Sqlite.kind:
        folder.mkdir(parents=True)
        yield Sqlite(folder)
        return
    database = Postgres()
    name = make_url(database.url).database
    try:
        await _check_durable()
        await _ask(f'CREATE DATABASE "{name}"')
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise Missing(
            f"PostgreSQL cannot be used ({reason}): start a server at 127.0.0.1:5432, or name one in "
            "HELIXPOST_TEST_POSTGRES, whose user may create databases"
        ) from None
    try:
        yield database
    finally:
        await _ask(f'DROP DATABASE "{name}" WITH (FORCE)')


async def _check_durable() -> None:
    """Raise `Missing` when the server reports as written what a power cut would take away."""
    connection = await asyncpg.connect(POSTGRES, timeout=5)
    try:
        for setting in ("fsync", "synchronous_commit"):
            if await connection.fetchval(f"SHOW {setting}") == "off":
                raise Missing(f"PostgreSQL runs with {setting} = off, which measures nothing: set it to on")
    finally:
        await connection.close()


async def _ask(*statements: str) -> None:
    connection = await asyncpg.connect(POSTGRES, timeout=5)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def _url_of(name: str) -> str:
    return make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
