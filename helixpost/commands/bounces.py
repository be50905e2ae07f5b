"""Bounces: who does not get letters any more because they came back, why, and how to mend it."""

from typing import Annotated, Any

import typer

from domain import bounce_lists, bounces, campaigns, subscribers
from domain.addresses import address_of
from domain.bounce_lists import Entry
from domain.status_codes import Kind
from domain.times import utc_now
from helixpost.commands.options import DEFAULT_CONFIG, AsJson, Config, read_settings, run
from helixpost.commands.printing import out, print_json, print_table
from helixpost.settings import Settings
from helixpost.wiring import opened

_COLUMNS = ("email", "kind", "code", "reason", "at", "campaign", "written to")


def list_bounces(
    campaign: Annotated[int | None, typer.Option(min=1, max=2**31 - 1, help="Of this campaign only.")] = None,
    kind: Annotated[Kind | None, typer.Option(help="Of this kind only.")] = None,
    config: Config = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """List letters that came back or were complained about, newest first."""
    entries = run(_listing(read_settings(config), campaign, kind))
    if as_json:
        print_json([_as_dict(entry) for entry in entries])
        return
    print_table(_COLUMNS, [_row(entry) for entry in entries], empty="Nothing has come back.")


def restore(email: str, config: Config = DEFAULT_CONFIG) -> None:
    """Write again to an address that bounced and works now; nobody who left or complained comes back so."""
    run(_restore(read_settings(config), email))
    out.print(f"Letters go to {email} again.")


async def _listing(settings: Settings, campaign: int | None, kind: Kind | None) -> list[Entry]:
    async with opened(settings) as service, service.database.reading() as session:
        if campaign is not None:
            await campaigns.progress(session, campaign)  # raises when there is none
        return await bounce_lists.listing(session, campaign_id=campaign, kind=kind)


async def _restore(settings: Settings, email: str) -> None:
    keyring = settings.service.keyring
    async with opened(settings) as service, service.database.transaction() as session:
        subscriber = await subscribers.get(session, address_of(email))
        await bounces.restore(session, subscriber, keyring, utc_now())


def _row(entry: Entry) -> tuple[str, ...]:
    bounce, subscriber = entry.bounce, entry.subscriber
    return (
        (subscriber.email if subscriber else None) or "(erased)",
        bounce.kind,
        bounce.code,
        bounce.reason,
        bounce.at.isoformat(" ", "minutes"),
        f"{bounce.campaign_id} {entry.campaign}" if bounce.campaign_id else "",
        "yes" if entry.is_reachable else "no",
    )


def _as_dict(entry: Entry) -> dict[str, Any]:
    bounce = entry.bounce
    return {
        "email": entry.subscriber.email if entry.subscriber else None,
        "kind": bounce.kind,
        "code": bounce.code,
        "reason": bounce.reason,
        "source": bounce.source,
        "at": bounce.at.isoformat(),
        "campaign_id": bounce.campaign_id,
        "campaign": entry.campaign,
        "lifted_at": bounce.lifted_at.isoformat() if bounce.lifted_at else None,
        "reachable": entry.is_reachable,
    }
