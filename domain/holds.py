"""Holds: campaigns that the service puts aside itself, and asks about, instead of sending them."""

from datetime import datetime

from sqlalchemy import ColumnElement, update
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.campaigns import Campaign, Reason, Status


async def hold(session: AsyncSession, campaign_id: int, reason: Reason) -> bool:
    """Hold a campaign that waits or runs; False when somebody else held or ended it first."""
    return bool(await _put(session, Status.PAUSED, reason, col(Campaign.id) == campaign_id, _OPEN))


async def hold_late(session: AsyncSession, before: datetime) -> list[int]:
    """Hold what should have started before that moment, and return the numbers."""
    waits = col(Campaign.status) == Status.SCHEDULED
    return await _put(session, Status.PAUSED, Reason.LATE, waits, col(Campaign.scheduled_at) < before)


async def hold_running(session: AsyncSession, reason: Reason) -> list[int]:
    """Hold what is being sent, and return the numbers."""
    return await _put(session, Status.PAUSED, reason, col(Campaign.status) == Status.SENDING)


async def hold_all(session: AsyncSession, reason: Reason) -> list[int]:
    """Hold what is being sent and what is scheduled for whenever, and return the numbers."""
    return await _put(session, Status.PAUSED, reason, _OPEN)


async def pass_over(session: AsyncSession, campaign_id: int, now: datetime) -> bool:
    """End a digest that has nothing to tell; False when it is not due any more."""
    due = (col(Campaign.status) == Status.SCHEDULED, col(Campaign.scheduled_at) <= now)
    end = {"finished_at": now, "audience_size": 0}
    return bool(
        await _put(
            session, Status.CANCELLED, Reason.NOTHING_NEW, col(Campaign.id) == campaign_id, *due, **end
        )
    )


_OPEN = col(Campaign.status).in_([Status.SCHEDULED, Status.SENDING])


async def _put(
    session: AsyncSession, status: Status, reason: Reason, *where: ColumnElement[bool], **values: object
) -> list[int]:
    moved = await session.exec(
        update(Campaign)
        .where(*where)
        .values(status=status, reason=reason, **values)
        .returning(col(Campaign.id))
        .execution_options(synchronize_session=False)
    )
    return sorted(moved.scalars().all())
