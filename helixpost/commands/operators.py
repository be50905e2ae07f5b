"""Operators: people with access to the console."""

from typing import Annotated

import typer

from domain import operators
from domain.addresses import address_of
from domain.operators import Operator, Role
from domain.times import utc_now
from helixpost.commands.options import DEFAULT_CONFIG, AsJson, Config, read_settings, run
from helixpost.commands.printing import out, print_json, print_table
from helixpost.settings import Settings
from helixpost.wiring import opened

app = typer.Typer(no_args_is_help=True, help="People who run the service.")


@app.command()
def add(
    email: str,
    role: Annotated[Role, typer.Option(help="What the person may do.")] = Role.EDITOR,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Add an operator; questions for the team are mailed to every one."""
    run(_add(read_settings(config), email, role))
    out.print(f"{email} is an operator now ({role}).")


@app.command("list")
def list_(config: Config = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """List the operators."""
    found = run(_listing(read_settings(config)))
    if as_json:
        print_json([{"email": operator.email, "role": operator.role} for operator in found])
        return
    rows = [(operator.email, operator.role) for operator in found]
    print_table(("email", "role"), rows, empty="There is no operator yet: helixpost operators add EMAIL")


async def _add(settings: Settings, email: str, role: Role) -> None:
    async with opened(settings) as service, service.database.transaction() as session:
        await operators.add(session, address_of(email), role, utc_now())


async def _listing(settings: Settings) -> list[Operator]:
    async with opened(settings) as service, service.database.reading() as session:
        return await operators.listing(session)
