"""The pre-flight on the command line: `campaigns check`, and the look that comes before scheduling."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import Progress
from rich.table import Table
from sqlmodel.ext.asyncio.session import AsyncSession

from domain import campaigns, projects
from domain.addressees import Addressee
from domain.campaigns import Campaign, Status
from domain.errors import Invalid
from domain.languages import Language
from domain.leases import Claim
from domain.subscribers import Channel
from helixpost.commands.options import DEFAULT_CONFIG, AsJson, Config, Number, read_settings, run
from helixpost.commands.printing import err, out, print_json
from helixpost.settings import Settings
from helixpost.wiring import Service, opened

if TYPE_CHECKING:
    from mailer.checks import Preflight, Report, Told
    from mailer.findings import Finding
    from mailer.reader_checks import Way

_TOLD_EVERY = 50_000
"""Copies after which a line is printed where there is no terminal for a progress bar."""
BEFORE_SCHEDULING = 2_000
"""Readers whose copies are made before scheduling, which must not keep the lead waiting."""


def check(
    number: Number,
    fetch: Annotated[
        bool, typer.Option("--fetch", help="Also ask for every page that the letters link to.")
    ] = False,
    config: Config = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Look for what would go wrong if a campaign went out now; exit code 1 when something must be mended."""
    report = run(_check(read_settings(config), number, fetch=fetch))
    if as_json:
        print_json(_as_dict(report))
    else:
        _print(report)
    if report.errors:
        raise typer.Exit(1)


async def pass_or_refuse(settings: Settings, number: int) -> None:
    """Show the warnings about a campaign that is to be scheduled; raises `Invalid` with its first error.

    One that may not be scheduled at all is left to `campaigns.schedule` to refuse.
    """
    async with opened(settings) as service:
        preflight = await _preflight(service, number, only=(Status.APPROVED, Status.SCHEDULED, Status.PAUSED))
        if preflight is None:
            return
        with _progress() as tell:
            report = await preflight.check(number, at_most=BEFORE_SCHEDULING, tell=tell)
    for finding in report.warnings:
        err.print(f"warning: {finding}")
    if report.tally.checked < report.size:
        err.print(f"{report.tally.checked:,} of {report.size:,} readers' copies were made, spread evenly.")
    for finding in report.errors:
        told = f"{finding.message}; {finding.cure} (helixpost campaigns check {number} shows all)"
        raise Invalid(str(finding.place), told)


async def _check(settings: Settings, number: int, *, fetch: bool) -> "Report":
    from mailer.fetches import PublicDoor
    from mailer.link_checks import LinkChecker

    async with opened(settings) as service:
        preflight = await _preflight(service, number)
        assert preflight is not None
        agent = f"Helixpost (+{settings.service.base_url})"
        links = LinkChecker(PublicDoor(), agent=agent) if fetch else None
        with _progress() as tell:
            return await preflight.check(number, links=links, tell=tell)


async def _preflight(
    service: Service, number: int, *, only: Collection[Status] = tuple(Status)
) -> "Preflight | None":
    """Return what looks at a campaign; None when it is in none of the states named."""
    from mailer.checks import Preflight

    async with service.database.reading() as session:
        campaign = (await campaigns.progress(session, number)).campaign
        if campaign.status not in only:
            return None
        in_chat = Channel.TELEGRAM in campaign.typed_channels
        others = {Channel.TELEGRAM: await _chat_way(session, service, campaign)} if in_chat else {}
    return Preflight(service.database, service.stationery, service.clock, others)


async def _chat_way(session: AsyncSession, service: Service, campaign: Campaign) -> "Way":
    """Return how the bot makes a reader's copy; its name does not matter to whether that works."""
    from bot import letters
    from mailer import digests

    assert campaign.id is not None
    site, project, number = service.settings.service, await projects.get(session), campaign.id
    texts = (await digests.write(session, service.stationery, campaign, service.clock())).texts
    written = {language: letters.Letter(text.subject, text.body) for language, text in texts.items()}

    def make(language: Language, addressee: Addressee) -> object:
        claim = Claim(0, 0, number, language, addressee)
        return written[language].render(letters.values_for(claim, project, site, "bot"))

    return make


@contextmanager
def _progress() -> Iterator["Told"]:
    if not err.is_terminal:
        yield _tell_line
        return
    with Progress(console=err, transient=True) as progress:
        task = progress.add_task("Making every reader's copy", total=None)
        yield lambda done, of: progress.update(task, completed=done, total=of)


def _tell_line(done: int, of: int) -> None:
    if done % _TOLD_EVERY == 0:
        err.print(f"{done:,} of {of:,} readers' copies are made.")


def _as_dict(report: "Report") -> dict[str, Any]:
    return {
        "id": report.campaign.id,
        "errors": len(report.errors),
        "warnings": len(report.warnings),
        "findings": [
            {
                "severity": finding.severity,
                "code": finding.code,
                "language": finding.place.language,
                "part": finding.place.part,
                "message": finding.message,
                "cure": finding.cure,
            }
            for finding in report.findings
        ],
        "readers": {"checked": report.tally.checked, "unfit": report.tally.unfit},
    }


def _print(report: "Report") -> None:
    named = f"Campaign {report.campaign.id} “{report.campaign.name}”:"
    if not report.findings:
        out.print(f"{named} nothing to mend. {_copies(report)}")
        return
    out.print(f"{named} {len(report.errors)} to mend, {len(report.warnings)} to look at. {_copies(report)}")
    for language, found in groupby(report.findings, lambda finding: finding.place.language):
        out.print()
        out.print(language.endonym if language else "The campaign as a whole", style="bold")
        _print_group(list(found))
    for unfit in report.named:
        out.print(f"Subscriber {unfit.subscriber_id} is {unfit.email or 'reached in Telegram only'}.")


def _copies(report: "Report") -> str:
    checked, unfit = report.tally.checked, report.tally.unfit
    return f"{checked - unfit:,} of {checked:,} readers' copies can be sent."


def _print_group(found: list["Finding"]) -> None:
    rows = [
        (finding.severity, finding.place.part, _sentence(finding.message), _sentence(finding.cure))
        for finding in found
    ]
    if not out.is_terminal:
        for row in rows:
            out.print("  ".join(row))
        return
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(style="dim")
    for row in rows:
        table.add_row(*row)
    out.print(table, soft_wrap=False)


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."
