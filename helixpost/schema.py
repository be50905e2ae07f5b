"""The database's schema: brought to the newest revision, or found to be older."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from domain.database import OUTAGES, Database, reason_of
from domain.errors import Invalid, NotAllowed
from helixpost.places import MIGRATIONS

if TYPE_CHECKING:
    from alembic.config import Config


async def migrate(database: Database) -> None:
    """Bring the database to the newest schema, in one transaction where the database can do that."""
    with _saying_where():
        async with database.engine.begin() as connection:
            await connection.run_sync(_upgrade)


async def check(database: Database) -> None:
    """Raise `NotAllowed` with the cure when the schema is not the one this program needs."""
    with _saying_where():
        async with database.engine.connect() as connection:
            current = await connection.run_sync(_current)
    if current != newest():
        found = f"schema {current}" if current else "no schema yet"
        raise NotAllowed(f"the database has {found}: run `helixpost migrate`", state=current or "empty")


def newest() -> str:
    """Return the newest revision: files are named by their numbers, so no migration tool is needed."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("*_*.py"))


@contextmanager
def _saying_where() -> Iterator[None]:
    """Turn an outage at the door into a sentence that names the setting."""
    try:
        yield
    except OUTAGES as error:
        what = f"the database cannot be opened ({reason_of(error)})"
        raise Invalid("[database] url", f"{what}; is it there, running, and ours to write?") from None


def _config() -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def _upgrade(connection: Connection) -> None:
    from alembic import command

    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
