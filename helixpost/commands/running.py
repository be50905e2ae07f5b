"""Running: the service, and the demo that needs nothing but this machine."""

from typing import Annotated

import typer

from helixpost import wiring
from helixpost.commands.options import DEFAULT_CONFIG, Config, read_settings, run
from helixpost.wiring import Role


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("run")(run_service)
    app.command()(demo)


def run_service(
    roles: Annotated[list[Role] | None, typer.Argument(help="web, bot, mailer; none named = all.")] = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Run the service until it is told to stop."""
    run(wiring.run(read_settings(config), roles or []))


def demo(
    port: Annotated[
        int, typer.Option(min=1024, max=65533, help="The landing page's port; the two above it are used too.")
    ] = 8020,
) -> None:
    """Run everything on this machine: stand-ins for Telegram and the mail relay, INTRA's content."""
    from helixpost import demonstration

    run(demonstration.run(port))
