"""Subscribers: import with evidence, and each person's right to see, take along and be forgotten."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress

from domain import dossiers, subscribers
from domain.addresses import address_of
from domain.enrolments import Tally
from domain.errors import Invalid
from domain.refusals import Refusal, RefusalFile
from domain.times import utc_now
from helixpost import importing
from helixpost.commands import bounces
from helixpost.commands.options import DEFAULT_CONFIG, AsJson, Config, read_settings, run
from helixpost.commands.printing import err, out, print_json
from helixpost.importing import Import, Tell
from helixpost.settings import Settings
from helixpost.wiring import opened

app = typer.Typer(no_args_is_help=True, help="The people we may write to.")
app.command("bounces")(bounces.list_bounces)
app.command()(bounces.restore)


@app.command("import")
def import_(
    file: Annotated[
        Path, typer.Argument(readable=False, help="A CSV file, UTF-8; the first line names the columns.")
    ],
    consent: Annotated[str, typer.Option("--consent", help="The exact text that these people agreed to.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, change nothing.")] = False,
    refused: Annotated[
        Path | None,
        typer.Option("--refused", help="A new CSV file for the bad rows, to be mended and imported."),
    ] = None,
    config: Config = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Import subscribers: bad rows are listed, good rows are kept, nobody who left is revived."""
    if not consent.strip():
        raise Invalid("--consent", "give the exact text that these people agreed to")
    order = _Order(file, consent.strip(), dry_run, refused)
    bad = _BadRows(listed=as_json)
    tally = run(_import(read_settings(config), order, bad))
    if as_json:
        print_json({**asdict(tally), "refused": bad.rows, "dry_run": dry_run})
    else:
        _report(order, tally, bad.count)


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


@dataclass(frozen=True, slots=True)
class _Order:
    """What an import was asked to do."""

    file: Path
    consent: str
    dry_run: bool
    refused: Path | None


class _BadRows:
    """Where bad rows go: into a file, into what is printed as JSON, or onto the terminal."""

    def __init__(self, *, listed: bool) -> None:
        self.file: RefusalFile | None = None
        self.rows: list[dict[str, Any]] = []
        self.count = 0
        self._listed = listed

    def __call__(self, refusal: Refusal) -> None:
        self.count += 1
        if self.file is not None:
            self.file.write(refusal)
        if self._listed:
            self.rows.append({"line": refusal.line, "reason": refusal.sentence})
        elif self.file is None:
            err.print(f"line {refusal.line}: {refusal.sentence}")


async def _import(settings: Settings, order: _Order, bad: _BadRows) -> Tally:
    async with opened(settings) as service:
        roster = await importing.open_roster(service, order.file)
        with ExitStack() as stack:
            if order.refused is not None:
                bad.file = stack.enter_context(RefusalFile(order.refused, roster))
            job = Import(service, roster, bad, stack.enter_context(_progress()))
            return await (job.rehearse() if order.dry_run else job.run(order.consent))


@contextmanager
def _progress() -> Iterator[Tell]:
    """Show a bar on a terminal; elsewhere a line for every slice but the last, which the result tells."""
    with Progress(console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("Reading", total=None)

        def tell(step: str, done: int, total: int) -> None:
            bar.update(task, description=step, completed=done, total=total or None)
            if step == importing.STORING and done < total and not err.is_terminal:
                err.print(f"{done:,} of {total:,} rows are stored.")

        yield tell


def _report(order: _Order, tally: Tally, refused: int) -> None:
    verb = "would be added" if order.dry_run else "added"
    out.print(f"{tally.added} {verb}, {tally.known} known already, {tally.left} left before.")
    if refused and order.refused is not None:
        err.print(f"{refused} rows were refused: mend them in {order.refused} and import that file.")
    elif refused:
        err.print(f"{refused} rows were refused; mend them and import the file again.")


async def _collect(settings: Settings, email: str) -> dict[str, Any]:
    async with opened(settings) as service, service.database.reading() as session:
        return await dossiers.collect(session, await subscribers.get(session, address_of(email)))


async def _erase(settings: Settings, email: str) -> None:
    keyring = settings.service.keyring
    async with opened(settings) as service, service.database.transaction() as session:
        subscriber = await subscribers.get(session, address_of(email))
        await dossiers.erase(session, subscriber, keyring, utc_now())
