"""Resends: a campaign goes out again to those whose letter failed, or may not have arrived."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, func, literal, select, update
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from domain import campaigns
from domain.audiences import reachable
from domain.campaigns import Campaign
from domain.deliveries import CLOSED, DOUBT, Delivery, Status
from domain.errors import NotAllowed
from domain.subscribers import Channel, Subscriber

_ONCE = f"{DOUBT}1: "
"""An end that is uncertain does not say how many copies may have arrived: one at least."""


@dataclass(frozen=True, slots=True)
class Group:
    """Letters of a campaign that ended alike."""

    status: Status
    reason: str
    letters: int
    """How many go again."""
    left_out: int
    """How many do not, because their readers left, bounced or were erased."""


async def look(session: AsyncSession, campaign_id: int, *, uncertain: bool) -> list[Group]:
    """Return what `resend` would send again, most first, and what it would leave out; change nothing.

    Raises `NotAllowed` for a campaign that has not begun or is cancelled.
    """
    campaign = (await campaigns.progress(session, campaign_id)).campaign
    begun = (campaigns.Status.SENDING, campaigns.Status.SENT, campaigns.Status.PAUSED)
    campaigns.check_state(campaign, "resend", *begun)
    if campaign.started_at is None:
        raise NotAllowed(
            f"campaign {campaign_id} has not begun: there is nothing to send again", state=campaign.status
        )
    return await _groups(session, campaign_id, _asked_for(uncertain=uncertain))


async def resend(session: AsyncSession, campaign_id: int, now: datetime, *, uncertain: bool) -> list[Group]:
    """Queue again, due now, the letters that failed, and return what `look` does.

    With `uncertain` also those that may have arrived, as the same message: such a letter goes again even
    where doubtful ones are held, and never ends as failed or skipped. A campaign that was sent is being
    sent again until its sums balance; a paused one waits. Whoever leaves from here on is skipped as ever.

    E-mail only. In Telegram nothing tells a copy from the first, a letter of several messages that was
    refused may have arrived in part, and one that Telegram or its template refused is refused again.
    """
    campaign = await campaigns.get(session, campaign_id)
    groups = await look(session, campaign_id, uncertain=uncertain)
    if any(group.letters for group in groups):
        await _queue(session, campaign_id, _asked_for(uncertain=uncertain), now)
        _reopen(campaign, now)
    return groups


def _reopen(campaign: Campaign, now: datetime) -> None:
    campaign.resent_at = now
    if campaign.status is campaigns.Status.SENT:
        campaign.status, campaign.finished_at = campaigns.Status.SENDING, None


async def _groups(session: AsyncSession, campaign_id: int, asked: Iterable[Status]) -> list[Group]:
    status, reason = col(Delivery.status), col(Delivery.reason)
    letters = func.count().filter(reachable(Channel.EMAIL))
    query = (
        select(status, reason, letters, func.count() - letters)
        .outerjoin(Subscriber, col(Subscriber.id) == col(Delivery.subscriber_id))
        .where(_ended(campaign_id, asked))
        .group_by(status, reason)
        .order_by(status, letters.desc(), reason)
    )
    return [Group(*row) for row in await (await session.connection()).execute(query)]


async def _queue(session: AsyncSession, campaign_id: int, asked: Iterable[Status], now: datetime) -> None:
    """Open the rows again; the attempts go on counting, so that outcomes of earlier ones stay void."""
    readers = select(col(Subscriber.id)).where(reachable(Channel.EMAIL))
    doubt = (col(Delivery.status) == Status.UNCERTAIN, literal(_ONCE) + col(Delivery.reason))
    await session.exec(
        update(Delivery)
        .where(_ended(campaign_id, asked), col(Delivery.subscriber_id).in_(readers))
        .values(status=Status.QUEUED, reason=case(doubt, else_=""), refusals=0, due_at=now, finished_at=None)
        .execution_options(synchronize_session=False)
    )


def _asked_for(*, uncertain: bool) -> tuple[Status, ...]:
    return (Status.FAILED, Status.UNCERTAIN) if uncertain else (Status.FAILED,)


def _ended(campaign_id: int, asked: Iterable[Status]) -> ColumnElement[bool]:
    return and_(
        CLOSED,
        col(Delivery.campaign_id) == campaign_id,
        col(Delivery.channel) == Channel.EMAIL,
        col(Delivery.status).in_(asked),
    )
