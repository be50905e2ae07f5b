"""Content: a project pack into the database."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from domain.times import utc_now
from helixpost.commands.options import DEFAULT_CONFIG, AsJson, Config, read_settings, run
from helixpost.commands.printing import out, print_json
from helixpost.settings import Settings
from helixpost.wiring import opened

if TYPE_CHECKING:
    from knowledge.imports import Report

app = typer.Typer(no_args_is_help=True, help="Project packs: facts, questions, events, documents.")


@app.callback(help=app.info.help)
def _content() -> None:
    """Group the commands, so that `import` keeps its name while it is alone."""


@app.command("import")
def import_(
    path: Annotated[
        Path | None,
        typer.Argument(
            readable=False, help="The pack's folder; none = [service] content.", show_default=False
        ),
    ] = None,
    config: Config = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Bring a project pack into the database and print what changed; twice is the same as once."""
    settings = read_settings(config)
    report = run(_import(settings, path or settings.service.content))
    if as_json:
        print_json(report.as_dict())
    else:
        out.print(str(report))


async def _import(settings: Settings, path: Path) -> "Report":
    from knowledge import imports, packs

    pack = packs.read(path)
    async with opened(settings) as service, service.database.transaction() as session:
        return await imports.import_pack(session, pack, utc_now())
