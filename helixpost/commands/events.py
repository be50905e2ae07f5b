"""Events: what the project's calendar holds."""

from datetime import date

import typer

from domain import events
from domain.events import Event, text_in
from domain.languages import FALLBACK
from domain.times import utc_now
from helixpost.commands.options import DEFAULT_CONFIG, AsJson, Config, read_settings, run
from helixpost.commands.printing import print_json, print_table
from helixpost.settings import Settings
from helixpost.wiring import opened

app = typer.Typer(no_args_is_help=True, help="The project's events.")


@app.callback(help=app.info.help)
def _events() -> None:
    """Group the commands, so that `list` keeps its name while it is alone."""


@app.command("list")
def list_(config: Config = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """List every event, by time."""
    settings = read_settings(config)
    found = run(_listing(settings))
    today = utc_now().astimezone(settings.service.zone).date()
    rows = [_row(event, today) for event in found]
    if as_json:
        print_json(rows)
        return
    empty = "There is no event yet: helixpost content import PATH brings a pack's events."
    print_table(("when", "event", "where"), [(r["when"], r["title"], r["place"]) for r in rows], empty=empty)


def _row(event: Event, today: date) -> dict[str, object]:
    first = event.starts_on.isoformat() if event.starts_on else event.period
    return {
        "key": event.key,
        "when": first,
        "until": event.ends_on,
        "title": text_in(event.title, FALLBACK),
        "place": text_in(event.place, FALLBACK),
        "access": event.access,
        "over": event.is_over(today),
    }


async def _listing(settings: Settings) -> list[Event]:
    async with opened(settings) as service, service.database.reading() as session:
        return await events.listing(session)
