"""Resends: a campaign again, for those whose letter failed."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from domain import resends
from domain.campaigns import Campaign, Status
from domain.resends import Group
from domain.times import utc_now
from helixpost.commands.options import DEFAULT_CONFIG, AsJson, Config, Number, read_settings, run
from helixpost.commands.printing import out, print_json, print_table
from helixpost.settings import Settings
from helixpost.wiring import opened

_COLUMNS = ("status", "reason", "again", "left out")


def resend(
    number: Number,
    uncertain: Annotated[
        bool, typer.Option("--uncertain", help="Also to those whose letter may have arrived.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say who would get it again.")] = False,
    config: Config = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Send a campaign again to those whose e-mail failed; --dry-run shows first how many, and why."""
    settings = read_settings(config)
    work = _look if dry_run else _resend
    campaign, groups = run(work(settings, number, uncertain=uncertain))
    if as_json:
        print_json(_as_dict(campaign, groups, dry_run=dry_run))
        return
    rows = [(group.status, group.reason, group.letters, group.left_out) for group in groups]
    which = "failed or is uncertain" if uncertain else "failed"
    print_table(_COLUMNS, rows, empty=f"Nothing to send again: no letter of campaign {number} {which}.")
    if groups:
        out.print(_told(campaign, groups, dry_run=dry_run))


async def _look(settings: Settings, number: int, *, uncertain: bool) -> tuple[Campaign, list[Group]]:
    async with opened(settings) as service, service.database.reading() as session:
        groups = await resends.look(session, number, uncertain=uncertain)
        return await session.get_one(Campaign, number), groups


async def _resend(settings: Settings, number: int, *, uncertain: bool) -> tuple[Campaign, list[Group]]:
    async with opened(settings) as service, service.database.transaction() as session:
        groups = await resends.resend(session, number, utc_now(), uncertain=uncertain)
        return await session.get_one(Campaign, number), groups


def _told(campaign: Campaign, groups: list[Group], *, dry_run: bool) -> str:
    """Return what happens, or would, and what the lead has to do for it."""
    letters, left_out = _sums(groups)
    if not letters:
        return "Nothing is sent again: these readers left, bounced or were erased."
    verb = "would go" if dry_run else "goes"
    told = f"Campaign {campaign.id} {verb} again to {letters}; {left_out} left, bounced or were erased."
    if campaign.status is Status.PAUSED:
        told += f" It is paused: `helixpost campaigns resume {campaign.id}` lets it go on."
    return told


def _as_dict(campaign: Campaign, groups: list[Group], *, dry_run: bool) -> dict[str, Any]:
    letters, left_out = _sums(groups)
    return {
        "id": campaign.id,
        "status": campaign.status,
        "dry_run": dry_run,
        "letters": letters,
        "left_out": left_out,
        "groups": [asdict(group) for group in groups],
    }


def _sums(groups: list[Group]) -> tuple[int, int]:
    return sum(group.letters for group in groups), sum(group.left_out for group in groups)
