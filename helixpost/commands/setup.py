"""Setting up: the first settings, the database's schema."""

import secrets
from pathlib import Path
from typing import Annotated

import typer

from domain import operators
from domain.addresses import address_of
from domain.database import Database
from domain.errors import Invalid
from domain.operators import Role
from domain.times import utc_now
from helixpost import schema
from helixpost.commands.options import DEFAULT_CONFIG, Config, read_settings, run
from helixpost.commands.printing import out
from helixpost.places import ROOT
from helixpost.settings import EXAMPLE, Settings

PLACEHOLDER = "change-me: `helixpost init` writes a fresh one"


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(init)
    app.command()(migrate)


def init(
    operator: Annotated[str, typer.Option("--operator", help="The first operator's e-mail address.")] = "",
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Write the settings file with fresh secrets, create the database and the first operator."""
    address = address_of(operator or typer.prompt("E-mail address of the first operator"), field="operator")
    _write(config)
    try:
        run(_prepare(read_settings(config), operator=address.email))
    except BaseException:
        config.unlink()  # nothing half done: after the cure the same command works
        raise
    out.print(f"{config} is written and the database is ready; {address.email} is its first operator.")
    out.print("Next: fill in [service], [mail] and [[relays]], then run `helixpost content import PATH`.")


def migrate(config: Config = DEFAULT_CONFIG) -> None:
    """Bring the database to the newest schema."""
    run(_prepare(read_settings(config)))
    out.print("The database has the newest schema.")


def _write(config: Path) -> None:
    if config.exists():
        raise Invalid(str(config), "this file exists; move it away first, nothing is overwritten")
    example = (ROOT / EXAMPLE).read_text(encoding="utf-8")
    fresh = example.replace(PLACEHOLDER, secrets.token_urlsafe(32))
    config.touch(mode=0o600)
    config.write_text(fresh, encoding="utf-8")


async def _prepare(settings: Settings, operator: str = "") -> None:
    database = Database(settings.database)
    try:
        await schema.migrate(database)
        if operator:
            async with database.transaction() as session:
                await operators.add(session, address_of(operator), Role.LEAD, utc_now())
    finally:
        await database.close()
