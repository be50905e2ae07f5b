"""Reviews: claims that waited since they were taken, looked at again before they are sent."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from domain import campaigns
from domain.campaigns import Campaign
from domain.deliveries import Delivery, Skip, Status, obstacle
from domain.leases import Claim, Outcome
from domain.subscribers import Subscriber


async def review(
    session: AsyncSession,
    claims: Iterable[Claim],
    now: datetime,
    *,
    takes: timedelta = timedelta(0),
) -> list[Outcome]:
    """Return what becomes of those claims that may no longer be sent.

    For claims that waited since they were taken: readers leave, campaigns are paused, leases end. One
    whose lease would end while it is sent, which `takes` so long at most, is queued again.
    A claim that somebody else has taken over gets an outcome that its fence makes void.
    """
    taken = {claim.delivery_id: claim for claim in claims}
    query = (
        select(Delivery, Campaign.status, Subscriber)
        .join(Campaign, col(Campaign.id) == col(Delivery.campaign_id))
        .outerjoin(Subscriber, col(Subscriber.id) == col(Delivery.subscriber_id))
        .where(col(Delivery.id).in_(taken))
    )
    found = {row[0].id: row for row in (await session.exec(query)).all()}
    outcomes = (_outcome_of(claim, found.get(number), now + takes, now) for number, claim in taken.items())
    return [outcome for outcome in outcomes if outcome]


def _outcome_of(
    claim: Claim,
    found: tuple[Delivery, str, Subscriber | None] | None,
    until: datetime,
    now: datetime,
) -> Outcome | None:
    if found is None or found[1] == campaigns.Status.CANCELLED:
        return _skipped(claim, Skip.CANCELLED)
    delivery, status, subscriber = found
    if reason := obstacle(subscriber, delivery.channel):
        return _skipped(claim, reason)
    ours = (delivery.attempts, delivery.status) == (claim.attempt, Status.SENDING)
    if status != campaigns.Status.SENDING or not ours or delivery.due_at <= until:
        return Outcome(claim, Status.QUEUED, due_at=now)
    return None


def _skipped(claim: Claim, reason: Skip) -> Outcome:
    return Outcome(claim, Status.SKIPPED, reason)
