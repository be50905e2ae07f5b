"""Bounce lists: what came back, for the people who want to see it."""

from dataclasses import dataclass

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from domain import deliveries
from domain.bounces import Bounce
from domain.campaigns import Campaign
from domain.status_codes import Kind
from domain.subscribers import Channel, Subscriber


@dataclass(frozen=True, slots=True)
class Entry:
    """One bounce with what a person wants to see beside it."""

    bounce: Bounce
    campaign: str | None
    subscriber: Subscriber | None

    @property
    def is_reachable(self) -> bool:
        """Whether letters go to this reader's address now."""
        return deliveries.obstacle(self.subscriber, Channel.EMAIL) is None


async def listing(
    session: AsyncSession, *, campaign_id: int | None = None, kind: Kind | None = None
) -> list[Entry]:
    """Return what came back, newest first; erased readers have no address."""
    query = (
        select(Bounce, Campaign.name, Subscriber)
        .outerjoin(Campaign, col(Campaign.id) == col(Bounce.campaign_id))
        .outerjoin(Subscriber, col(Subscriber.id) == col(Bounce.subscriber_id))
        .order_by(col(Bounce.id).desc())
    )
    if campaign_id is not None:
        query = query.where(col(Bounce.campaign_id) == campaign_id)
    if kind is not None:
        query = query.where(col(Bounce.kind) == kind)
    return [Entry(*found) for found in (await session.exec(query)).all()]


async def history(session: AsyncSession, subscriber: Subscriber) -> list[Entry]:
    """Return everything that came back from one reader, oldest first."""
    query = (
        select(Bounce, Campaign.name)
        .outerjoin(Campaign, col(Campaign.id) == col(Bounce.campaign_id))
        .where(col(Bounce.subscriber_id) == subscriber.id)
        .order_by(col(Bounce.id))
    )
    return [Entry(bounce, name, subscriber) for bounce, name in (await session.exec(query)).all()]
