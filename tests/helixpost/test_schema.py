"""The migrations and the tables agree, and an old database is told what to run."""

import importlib
import pkgutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, delete, text
from sqlmodel import SQLModel, select

import domain
from domain.database import Database, DatabaseSettings
from domain.deliveries import Delivery
from domain.errors import NotAllowed
from domain.subscribers import Subscriber
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


def _begin_at(connection: Connection, revision: str) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    config = schema._config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


@pytest.fixture
async def old(database: Database, tmp_path: Path) -> AsyncIterator[Database]:
    """A database with the schema before the ledger's foreign keys went, and one delivery in it."""
    found = Database(DatabaseSettings(url=f"sqlite:///{tmp_path}/old.db")) if database.is_sqlite else database
    async with found.engine.begin() as connection:
        await connection.run_sync(_begin_at, "0003")
        for statement in _OLD_ROWS.split(";"):
            await connection.execute(text(statement))
    yield found
    await found.close()


_OLD_ROWS = """
INSERT INTO campaign (id, name, status, audience, channels, template, content_hash, created_at, zone)
VALUES (1, 'c', 'sending', '{}', '[]', 'newsletter', '', '2026-11-24 09:00:00', '');
INSERT INTO subscriber (id, name, region, language, created_at)
VALUES (7, '', '', 'en', '2026-11-24 09:00:00');
INSERT INTO delivery
(id, campaign_id, subscriber_id, channel, language, status, reason, attempts, refusals, due_at)
VALUES (3, 1, 7, 'email', 'en', 'queued', 'r', 2, 1, '2026-11-24 09:00:00')
"""


async def test_a_ledger_that_has_begun_comes_through_the_migration_and_keeps_its_promises(
    old: Database,
) -> None:
    await schema.migrate(old)
    async with old.transaction() as session:
        row = (await session.exec(select(Delivery))).one()
        told = (row.id, row.campaign_id, row.subscriber_id, row.reason, row.attempts, row.refusals)
        assert told == (3, 1, 7, "r", 2, 1)
        await session.exec(delete(Subscriber))
        await session.refresh(row)
        assert row.subscriber_id is None
