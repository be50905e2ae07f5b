"""Endings: deliveries that end otherwise than by their sender's word: cancelled, or come back."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, update
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.deliveries import OPEN, Delivery, Skip, Status, unsent_status
from domain.subscribers import Channel


async def bounce(
    session: AsyncSession, campaign_id: int, subscriber_id: int, reason: str, now: datetime
) -> bool:
    """End the e-mail that came back as bounced; False when it was refused, skipped or bounced before.

    A report can overtake the sender's own record: a letter still in `sending` ends here, and its outcome
    then comes too late.
    """
    ended = await session.exec(
        update(Delivery)
        .where(
            col(Delivery.campaign_id) == campaign_id,
            col(Delivery.subscriber_id) == subscriber_id,
            col(Delivery.channel) == Channel.EMAIL,
            col(Delivery.attempts) > 0,
            col(Delivery.status).in_([Status.SENT, Status.UNCERTAIN, Status.SENDING, Status.QUEUED]),
        )
        .values(
            status=Status.BOUNCED, reason=reason, finished_at=func.coalesce(col(Delivery.finished_at), now)
        )
        .execution_options(synchronize_session=False)
    )
    return ended.rowcount == 1


async def skip_queued(session: AsyncSession, campaign_id: int, reason: Skip, now: datetime) -> int:
    """Skip what has not begun; deliveries in `sending` end by themselves, and doubtful ones as uncertain."""
    return await _end_unsent(
        session, reason, now, col(Delivery.campaign_id) == campaign_id, col(Delivery.status) == Status.QUEUED
    )


async def settle_cancelled(session: AsyncSession, campaigns: Sequence[int], now: datetime) -> int:
    """End what cancelled campaigns left behind: put back by a sender, or held by one that died."""
    queued = col(Delivery.status) == Status.QUEUED
    dead = and_(col(Delivery.status) == Status.SENDING, col(Delivery.due_at) <= now)
    left = or_(queued, dead)
    return await _end_unsent(session, Skip.CANCELLED, now, col(Delivery.campaign_id).in_(campaigns), left)


async def _end_unsent(session: AsyncSession, reason: Skip, now: datetime, *where: ColumnElement[bool]) -> int:
    """End open deliveries that are not sent any more, and return how many there were."""
    ended = await session.exec(
        update(Delivery)
        .where(OPEN, *where)
        .values(status=unsent_status(), reason=reason, finished_at=now)
        .execution_options(synchronize_session=False)
    )
    return ended.rowcount
