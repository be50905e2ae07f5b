"""The database's schema: brought to the newest revision, or found to be older."""

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from domain.database import Database
from domain.errors import NotAllowed
from helixpost.places import MIGRATIONS


async def migrate(database: Database) -> None:
    """Bring the database to the newest schema, in one transaction where the database can do that."""
    async with database.engine.begin() as connection:
        await connection.run_sync(_upgrade)


async def check(database: Database) -> None:
    """Raise `NotAllowed` with the cure when the schema is not the one this program needs."""
    async with database.engine.connect() as connection:
        current = await connection.run_sync(_current)
    newest = ScriptDirectory.from_config(_config()).get_current_head()
    if current != newest:
        found = f"schema {current}" if current else "no schema yet"
        raise NotAllowed(f"the database has {found}: run `helixpost migrate`", state=current or "empty")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def _upgrade(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
