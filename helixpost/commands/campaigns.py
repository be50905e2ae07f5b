"""Campaigns: from files to approval, a time, and a ledger that balances."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlmodel.ext.asyncio.session import AsyncSession

from domain import audiences, campaigns, projects
from domain.addresses import address_of
from domain.campaigns import Campaign, Progress, Status
from domain.subscribers import Subscriber
from domain.times import moment_of, second_of, utc_now, zone_of
from helixpost.commands import checks, repeats, resends
from helixpost.commands.options import DEFAULT_CONFIG, AsJson, Config, Number, read_settings, run
from helixpost.commands.printing import err, out, print_json, print_table
from helixpost.commands.reasons import BRIEF, explain, local_time
from helixpost.places import TEMPLATES
from helixpost.settings import Settings
from helixpost.wiring import opened

app = typer.Typer(no_args_is_help=True, help="Newsletter issues and announcements.")
app.command()(checks.check)
app.command("repeat")(repeats.repeat)
app.command()(resends.resend)
app.add_typer(repeats.app, name="repeats")


@app.command()
def create(
    files: Annotated[list[Path], typer.Argument(help="One Markdown file per language: NAME.<language>.md.")],
    config: Config = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Create a draft out of its files and print its number."""
    number, readers, left_out = run(_create(read_settings(config), files))
    if as_json:
        print_json({"id": number, "audience": readers, "left_out": left_out})
        return
    print(number)
    err.print(f"It would reach {readers} now; {left_out} more match but may not be written to.")


@app.command("readers")
def list_readers(
    number: Number,
    limit: Annotated[int, typer.Option(help="How many to list.")] = 1000,
    config: Config = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """List who would get a campaign if it started now."""
    found = run(_readers(read_settings(config), number, limit))
    columns = ("email", "name", "language", "helix", "country")
    rows = [
        (r.email or "Telegram", r.name, r.language.value, r.helix_group or "", r.country or "") for r in found
    ]
    if as_json:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
        return
    print_table(columns, rows, empty="Nobody who may be written to matches its audience.")


@app.command()
def preview(
    number: Number,
    reader: Annotated[str, typer.Option("--for", help="The reader whose copy you want to see.")],
    out_file: Annotated[
        Path | None, typer.Option("--out", help="A file to write, such as letter.eml.")
    ] = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Write exactly the letter that a reader gets, as an .eml file that mail programs open."""
    letter = run(_preview(read_settings(config), number, reader))
    target = out_file or Path(f"campaign-{number}.eml")
    target.write_bytes(letter)
    out.print(f"{target} is written.")


@app.command("test")
def send_test(
    number: Number,
    to: Annotated[str, typer.Option("--to", help="Where to send the test.")],
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Send a test of the letter to an address of yours, now."""
    run(_test(read_settings(config), number, to))
    out.print(f"A test of campaign {number} is at the relay, for {to}.")


@app.command()
def approve(number: Number, config: Config = DEFAULT_CONFIG) -> None:
    """Approve a draft, so that it may be scheduled."""
    run(_change(read_settings(config), lambda session: campaigns.approve(session, number, utc_now())))
    out.print(f"Campaign {number} is approved.")


@app.command()
def schedule(
    number: Number,
    at: Annotated[str, typer.Option("--at", help="`now`, or a local time such as 2026-12-01 09:00.")],
    zone: Annotated[str, typer.Option("--zone", help="IANA time zone; none = the project's.")] = "",
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Set the time at which an approved campaign starts, unless its pre-flight finds an error."""
    settings, now = read_settings(config), utc_now()
    named = zone_of(zone or settings.service.time_zone)
    moment = now if at == "now" else moment_of(at, named)
    run(checks.pass_or_refuse(settings, number))
    run(_change(settings, lambda session: campaigns.schedule(session, number, moment, named.key, now)))
    out.print(f"Campaign {number} starts at {local_time(moment, named)}.")
    if second := second_of(moment, named):
        other = second.astimezone(named).isoformat("T", "minutes")
        out.print(f"The clocks repeat this hour: the first of the two is meant. For the second: --at {other}")


@app.command()
def pause(number: Number, config: Config = DEFAULT_CONFIG) -> None:
    """Hold a campaign; `resume` lets it go on where it stood."""
    run(_change(read_settings(config), lambda session: campaigns.pause(session, number)))
    out.print(f"Campaign {number} is paused.")


@app.command()
def resume(number: Number, config: Config = DEFAULT_CONFIG) -> None:
    """Let a paused campaign go on; one whose time has passed meanwhile starts now."""
    run(_change(read_settings(config), lambda session: campaigns.resume(session, number, utc_now())))
    out.print(f"Campaign {number} goes on.")


@app.command()
def cancel(number: Number, config: Config = DEFAULT_CONFIG) -> None:
    """End a campaign early; who has not been written to is skipped."""
    run(_change(read_settings(config), lambda session: campaigns.cancel(session, number, utc_now())))
    out.print(f"Campaign {number} is cancelled.")


@app.command()
def status(number: Number, config: Config = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Show where a campaign stands, and whether its sums balance."""
    progress = run(_status(read_settings(config), number))
    if as_json:
        print_json(_as_dict(progress))
        return
    sums = ", ".join(f"{count} {status}" for status, count in progress.counts.items() if count)
    out.print(f"Campaign {number} “{progress.campaign.name}” is {progress.campaign.status}.")
    out.print(f"Audience {progress.campaign.audience_size or 0}: {sums or 'nothing queued yet'}.")
    if progress.campaign.reason:
        out.print(explain(progress.campaign))


@app.command("list")
def list_(config: Config = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """List every campaign, newest first."""
    found = run(_listing(read_settings(config)))
    rows = [(c.id, c.name, c.status.value, c.scheduled_at, c.audience_size) for c in found]
    columns = ("id", "name", "status", "scheduled_at", "audience")
    if as_json:
        print_json(
            [dict(zip(columns, row, strict=True), **_why(c)) for row, c in zip(rows, found, strict=True)]
        )
        return
    notes = [BRIEF[c.reason] if c.reason else "" for c in found]
    shown = [(*row, note) for row, note in zip(rows, notes, strict=True)]
    empty = "There is no campaign yet: helixpost campaigns create FILE.en.md"
    print_table((*columns, "note"), shown, empty=empty)
    for campaign in found:
        if campaign.reason and campaign.status is Status.PAUSED:
            out.print(f"\nCampaign {campaign.id} waits for you. {explain(campaign)}")


async def _create(settings: Settings, files: list[Path]) -> tuple[int, int, int]:
    from mailer import campaign_files

    async with opened(settings) as service, service.database.transaction() as session:
        project = await projects.get(session)
        draft = campaign_files.read(files, topics=frozenset(project.topics), templates=TEMPLATES / "email")
        campaign = await campaigns.create(session, draft, utc_now())
        assert campaign.id is not None
        readers = await audiences.count(session, draft.audience, draft.channels)
        left_out = await audiences.count_left_out(session, draft.audience, draft.channels)
        return campaign.id, readers, left_out


async def _readers(settings: Settings, number: int, limit: int) -> list[Subscriber]:
    async with opened(settings) as service, service.database.reading() as session:
        campaign = (await campaigns.progress(session, number)).campaign
        audience, channels = campaign.typed_audience, campaign.typed_channels
        return await audiences.members(session, audience, channels, limit=limit)


async def _preview(settings: Settings, number: int, reader: str) -> bytes:
    from mailer import previews

    async with opened(settings) as service, service.database.reading() as session:
        return await previews.preview(
            session, service.stationery, number, address_of(reader), service.clock()
        )


async def _test(settings: Settings, number: int, to: str) -> None:
    from mailer import previews

    _, relays = settings.sending
    async with opened(settings) as service:
        async with service.database.reading() as session:
            letter = await previews.compose_test(
                session, service.stationery, number, address_of(to, field="--to"), service.clock()
            )
        await previews.send_test(service.stationery, relays[0], letter, service.clock())


async def _change(settings: Settings, verb: Callable[[AsyncSession], Awaitable[Campaign]]) -> None:
    async with opened(settings) as service, service.database.transaction() as session:
        await verb(session)


async def _status(settings: Settings, number: int) -> Progress:
    async with opened(settings) as service, service.database.reading() as session:
        return await campaigns.progress(session, number)


async def _listing(settings: Settings) -> list[Campaign]:
    async with opened(settings) as service, service.database.reading() as session:
        return await campaigns.listing(session)


def _why(campaign: Campaign) -> dict[str, str]:
    """Return the reason why the service put a campaign aside, and its words; nothing for all others."""
    return {"reason": campaign.reason.value, "why": explain(campaign)} if campaign.reason else {}


def _as_dict(progress: Progress) -> dict[str, Any]:
    campaign = progress.campaign
    return _why(campaign) | {
        "id": campaign.id,
        "status": campaign.status,
        "audience": campaign.audience_size or 0,
        "counts": {status.value: count for status, count in progress.counts.items()},
        "balanced": progress.balanced,
        "started_at": campaign.started_at.isoformat() if campaign.started_at else None,
        "finished_at": campaign.finished_at.isoformat() if campaign.finished_at else None,
    }
