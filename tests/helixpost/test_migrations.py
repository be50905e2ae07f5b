"""Migrations bring an old database along with everything in it."""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlmodel import select

from domain.bounces import Bounce
from domain.database import Database, DatabaseSettings
from domain.subscribers import Subscriber
from helixpost import schema
from helixpost.places import MIGRATIONS


def _upgrade(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


@pytest.fixture
async def unmigrated(database: Database, tmp_path: Path) -> AsyncIterator[Database]:
    """A database of each kind in which there is nothing at all."""
    if database.is_sqlite:
        empty = Database(DatabaseSettings(url=f"sqlite:///{tmp_path}/old.db"))
        yield empty
        await empty.close()
        return
    async with database.engine.begin() as connection:
        await connection.execute(text("DROP SCHEMA public CASCADE"))
        await connection.execute(text("CREATE SCHEMA public"))
    yield database


async def test_readers_from_before_bounces_were_known_are_reachable_after(
    unmigrated: Database, now: datetime
) -> None:
    async with unmigrated.engine.begin() as connection:
        await connection.run_sync(_upgrade, "0001")
        await connection.execute(
            text(
                "INSERT INTO subscriber (email, email_key, name, region, language, created_at) "
                "VALUES ('ana@example.org', 'ana@example.org', 'Ana', '', 'sl', CURRENT_TIMESTAMP)"
            )
        )
    await schema.migrate(unmigrated)
    await schema.check(unmigrated)
    async with unmigrated.transaction() as session:
        reader = (await session.exec(select(Subscriber))).one()
        assert (reader.name, reader.email_bounced_at) == ("Ana", None)
        reader.email_bounced_at = now
        assert (await session.exec(select(Bounce))).all() == []
