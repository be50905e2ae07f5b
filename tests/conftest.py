"""What every test may use: an empty database of either kind, a moment, a keyring."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from hypothesis import settings

from domain.database import Database, DatabaseSettings
from domain.keys import Keyring
from tests.postgres import address_of, ask, migrate

# How long an example takes depends on the machine; a test is about what it finds.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def keyring() -> Keyring:
    return Keyring("a-key-for-the-tests-only-0123456789")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file that each test copies."""
    path = tmp_path_factory.mktemp("template") / "empty.db"
    asyncio.run(migrate(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def postgres_template() -> Iterator[str]:
    """A migrated PostgreSQL database that each test copies; dropped at the end."""
    name = f"helixpost_test_{uuid4().hex[:12]}"
    try:
        asyncio.run(ask(f'CREATE DATABASE "{name}"'))
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        if "HELIXPOST_TEST_POSTGRES" in os.environ:
            raise
        pytest.skip(f"SKIPPED ON POSTGRESQL: no server answers at 127.0.0.1:5432 ({error})")
    asyncio.run(migrate(address_of(name)))
    yield name
    asyncio.run(ask(f'DROP DATABASE "{name}" WITH (FORCE)'))


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty, migrated database of each kind."""
    if request.param == "sqlite":
        path = tmp_path / "helixpost.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    template = request.getfixturevalue("postgres_template")
    name = f"{template}_{uuid4().hex[:8]}"
    asyncio.run(ask(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'))
    yield address_of(name)
    asyncio.run(ask(f'DROP DATABASE "{name}" WITH (FORCE)'))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An empty, migrated database of each kind."""
    opened = Database(DatabaseSettings(url=database_url))
    yield opened
    await opened.close()
    shutil.rmtree(opened.folder, ignore_errors=True)
