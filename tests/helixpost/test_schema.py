"""The migrations and the tables agree, and an old database is told what to run."""

import importlib
import pkgutil
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlmodel import SQLModel

import domain
from domain.database import Database, DatabaseSettings
from domain.errors import NotAllowed
from helixpost import schema
from helixpost.places import MIGRATIONS


def _differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, SQLModel.metadata))


async def test_the_migrated_database_has_exactly_the_tables(database: Database) -> None:
    for module in pkgutil.iter_modules(domain.__path__, "domain."):
        importlib.import_module(module.name)
    async with database.engine.connect() as connection:
        assert await connection.run_sync(_differences) == []


async def test_migrating_twice_changes_nothing(database: Database) -> None:
    await schema.migrate(database)
    await schema.check(database)


async def test_a_database_without_a_schema_is_told_what_to_run(tmp_path: Path) -> None:
    database = Database(DatabaseSettings(url=f"sqlite:///{tmp_path}/new.db"))
    with pytest.raises(NotAllowed, match="no schema yet: run `helixpost migrate`"):
        await schema.check(database)
    await database.close()


def test_the_newest_revision_is_known_by_its_files_name() -> None:
    script = ScriptDirectory(str(MIGRATIONS))
    assert script.get_current_head() == schema.newest()
