"""Subscribers: import with evidence, and each person's right to see, take along and be forgotten."""

import json
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress

from domain import dossiers, projects, rosters, subscribers
from domain.addresses import address_of
from domain.errors import Invalid
from domain.rosters import Refusal, Row, Tally
from domain.times import utc_now
from helixpost.commands.options import (
    DEFAULT_CONFIG,
    AsJson,
    Config,
    err,
    out,
    print_json,
    read_settings,
    run,
)
from helixpost.settings import Settings
from helixpost.wiring import Service, opened

app = typer.Typer(no_args_is_help=True, help="The people we may write to.")


@app.command("import")
def import_(
    file: Annotated[
        Path, typer.Argument(readable=False, help="A CSV file, UTF-8; the first line names the columns.")
    ],
    consent: Annotated[str, typer.Option("--consent", help="The exact text that these people agreed to.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, change nothing.")] = False,
    config: Config = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Import subscribers: bad rows are listed, good rows are kept, nobody who left is revived."""
    if not consent.strip():
        raise Invalid("--consent", "give the exact text that these people agreed to")
    result = run(_import(read_settings(config), file, consent.strip(), dry_run=dry_run))
    if as_json:
        print_json(result)
    else:
        _report(result, dry_run=dry_run)


@app.command()
def show(email: str, config: Config = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Show everything we hold about a person (GDPR, Article 15)."""
    dossier = run(_collect(read_settings(config), email))
    if as_json:
        print_json(dossier)
        return
    for name, value in dossier.items():
        entries = value if isinstance(value, list) and value and isinstance(value[0], dict) else None
        out.print(f"{name}: {'' if entries else value if value not in (None, []) else '–'}")
        for entry in entries or []:
            out.print("  - " + ", ".join(f"{key} {text}" for key, text in entry.items() if text))


@app.command()
def export(
    email: str,
    out_file: Annotated[Path | None, typer.Option("--out", help="Where to; none = standard output.")] = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Hand a person's data over as JSON (GDPR, Article 20)."""
    dossier = run(_collect(read_settings(config), email))
    text = json.dumps(dossier, ensure_ascii=False, indent=2, default=str)
    if out_file is None:
        print(text)
        return
    out_file.write_text(text + "\n", encoding="utf-8")
    out.print(f"{out_file} is written.")


@app.command()
def erase(
    email: str,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Erase a person (GDPR, Article 17); the address stays known by a keyed hash, so no import revives it."""
    settings = read_settings(config)
    if not yes:
        typer.confirm(f"Erase {email} for good?", abort=True, err=True)
    run(_erase(settings, email))
    out.print(f"{email} is erased.")


async def _import(settings: Settings, file: Path, consent: str, *, dry_run: bool) -> dict[str, Any]:
    async with opened(settings) as service:
        async with service.database.reading() as session:
            project = await projects.find(session)
        topics = frozenset(project.topics) if project else frozenset()
        now = service.clock()
        # Read to the end before anything is stored: a file that breaks off late is refused whole.
        refusals = [row for row in rosters.read(file, topics, now) if isinstance(row, Refusal)]
        total = Tally()
        rows = (row for row in rosters.read(file, topics, now) if isinstance(row, Row))
        with Progress(console=err, transient=True, disable=not err.is_terminal) as progress:
            task = progress.add_task("Importing", total=None)
            while batch := list(islice(rows, rosters.BATCH)):
                tally = await _add(service, batch, consent, file.name, dry_run=dry_run)
                total = total + tally
                progress.update(task, advance=len(batch), description=f"{total.added} added")
    return {
        "added": total.added,
        "known": total.known,
        "left": total.left,
        "refused": [{"line": refusal.line, "reason": refusal.reason} for refusal in refusals],
        "dry_run": dry_run,
    }


async def _add(service: Service, batch: list[Row], consent: str, origin: str, *, dry_run: bool) -> Tally:
    keyring = service.settings.service.keyring
    if dry_run:
        async with service.database.reading() as session:
            return await rosters.compare(session, batch, keyring)
    async with service.database.transaction() as session:
        return await rosters.add(session, batch, consent, keyring, origin, service.clock())


def _report(result: dict[str, Any], *, dry_run: bool) -> None:
    verb = "would be added" if dry_run else "added"
    out.print(f"{result['added']} {verb}, {result['known']} known already, {result['left']} left before.")
    for refusal in result["refused"]:
        err.print(f"line {refusal['line']}: {refusal['reason']}")
    if result["refused"]:
        err.print(f"{len(result['refused'])} rows were refused; mend them and import the file again.")


async def _collect(settings: Settings, email: str) -> dict[str, Any]:
    async with opened(settings) as service, service.database.reading() as session:
        return await dossiers.collect(session, await subscribers.get(session, address_of(email)))


async def _erase(settings: Settings, email: str) -> None:
    keyring = settings.service.keyring
    async with opened(settings) as service, service.database.transaction() as session:
        subscriber = await subscribers.get(session, address_of(email))
        await dossiers.erase(session, subscriber, keyring, utc_now())
