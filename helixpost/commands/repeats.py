"""Repeats: campaigns that go out again and again by a rule."""

from typing import Annotated, Any

import typer

from domain import recurrences, schedules
from domain.campaigns import Campaign, Reason, Status
from domain.schedules import Schedule
from domain.times import utc_now, zone_of
from helixpost.commands import checks, options
from helixpost.commands.options import DEFAULT_CONFIG, AsJson, Config, read_settings, run
from helixpost.commands.printing import out, print_json, print_table
from helixpost.commands.reasons import local_time
from helixpost.settings import Settings
from helixpost.wiring import opened

SHOWN = 3
"""Dates that are shown ahead."""
app = typer.Typer(help="Campaigns that go out again and again.", invoke_without_command=True)
Number = Annotated[int, typer.Argument(metavar="N", min=1, max=2**31 - 1, help="The repeat's number.")]
_EXAMPLES = (
    "every first Tuesday 09:00 · every Monday 08:30 · monthly on day 15 10:00 · last Friday · 30 8 * * mon"
)


def repeat(
    number: options.Number,
    rule: Annotated[str, typer.Option("--rule", help=f"{_EXAMPLES} (minute hour day month weekday).")],
    zone: Annotated[str, typer.Option("--zone", help="IANA time zone; none = the project's.")] = "",
    config: Config = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Send copies of an approved campaign again and again, and show the next dates.

    What the pre-flight refuses is not repeated.
    """
    settings = read_settings(config)
    named = zone_of(zone or settings.service.time_zone)
    read = recurrences.parse(rule)
    run(checks.pass_or_refuse(settings, number))
    schedule = run(_create(settings, number, read, named.key))
    if as_json:
        print_json(_as_dict(schedule))
        return
    out.print(f"Repeat {schedule.id}: campaign {number} goes out {schedule.typed_rule.words} ({named.key}).")
    _print_next(schedule)


@app.callback()
def list_(context: typer.Context, config: Config = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """List every repeat, newest first, with its next dates."""
    if context.invoked_subcommand:
        return
    found = run(_listing(read_settings(config)))
    if as_json:
        print_json([_as_dict(schedule) | {"state": _state(schedule, c)} for schedule, c in found])
        return
    rows = [_row(schedule, campaign) for schedule, campaign in found]
    empty = 'Nothing repeats yet: helixpost campaigns repeat ID --rule "every first Tuesday 09:00"'
    print_table(("repeat", "campaign", "rule", "state", "next"), rows, empty=empty)
    for schedule, _ in found:
        if schedule.stopped_at and schedule.reason is Reason.RESTORED:
            out.print(
                f"\nRepeat {schedule.id} was stopped: this database is a restored copy. "
                f"`helixpost campaigns repeats start {schedule.id}` lets it go on here."
            )


@app.command()
def stop(number: Number, config: Config = DEFAULT_CONFIG) -> None:
    """Make no further campaigns by a rule; those that it has made are left alone."""
    run(_stop(read_settings(config), number))
    out.print(f"Repeat {number} is stopped.")


@app.command()
def start(number: Number, config: Config = DEFAULT_CONFIG) -> None:
    """Let a stopped rule go on with its next date from now."""
    schedule = run(_start(read_settings(config), number))
    out.print(f"Repeat {number} goes on.")
    _print_next(schedule)


def _print_next(schedule: Schedule) -> None:
    for moment in _upcoming(schedule):
        out.print(f"  {local_time(moment, zone_of(schedule.zone))}")


def _upcoming(schedule: Schedule) -> list[Any]:
    """Return the next dates: the one that is waited for, and those after it."""
    if schedule.stopped_at is not None:
        return []
    return [schedule.next_at, *schedule.upcoming(schedule.next_at, SHOWN - 1)]


def _row(schedule: Schedule, campaign: Campaign) -> tuple[object, ...]:
    zone = zone_of(schedule.zone)
    dates = [f"{moment.astimezone(zone):%Y-%m-%d %H:%M}" for moment in _upcoming(schedule)]
    rule = f"{schedule.typed_rule.words} ({schedule.zone})"
    return schedule.id, f"{campaign.id} {campaign.name}", rule, _state(schedule, campaign), ", ".join(dates)


def _state(schedule: Schedule, campaign: Campaign) -> str:
    if schedule.stopped_at is not None:
        return "stopped"
    return "cancelled" if campaign.status is Status.CANCELLED else "running"


def _as_dict(schedule: Schedule) -> dict[str, Any]:
    zone = zone_of(schedule.zone)
    return {
        "id": schedule.id,
        "campaign": schedule.campaign_id,
        "rule": schedule.typed_rule.words,
        "zone": schedule.zone,
        "next": [moment.astimezone(zone).isoformat() for moment in _upcoming(schedule)],
    }


async def _create(settings: Settings, number: int, rule: recurrences.Rule, zone: str) -> Schedule:
    async with opened(settings) as service, service.database.transaction() as session:
        return await schedules.create(session, number, rule, zone, utc_now())


async def _listing(settings: Settings) -> list[tuple[Schedule, Campaign]]:
    async with opened(settings) as service, service.database.reading() as session:
        return await schedules.listing(session)


async def _stop(settings: Settings, number: int) -> None:
    async with opened(settings) as service, service.database.transaction() as session:
        await schedules.stop(session, number, utc_now())


async def _start(settings: Settings, number: int) -> Schedule:
    async with opened(settings) as service, service.database.transaction() as session:
        return await schedules.start(session, number, utc_now())
