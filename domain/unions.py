"""Unions: the record of a chat and the record of an address become one, for they are one person's."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from domain import consents, deliveries, subscribers
from domain.deliveries import Delivery, Skip, Status
from domain.subscribers import Channel, Subscriber


async def may_join(session: AsyncSession, subscriber: Subscriber, chat_id: int) -> bool:
    """Say whether that chat can become this subscriber's: neither belongs to anything else yet."""
    owner = await subscribers.find_by_chat(session, chat_id)
    return subscriber.chat_id is None and (owner is None or owner.email_key is None)


async def join(
    session: AsyncSession, subscriber: Subscriber, chat_id: int, *, evidence: str, now: datetime
) -> None:
    """Give the chat to the subscriber, with all that the chat's own record holds; that record goes.

    Only the holder of the address may ask for this: the chat can then see and erase what we know.
    """
    old = await subscribers.find_by_chat(session, chat_id)
    if old is not None:
        await consents.bring_over(session, old, subscriber, evidence)
        await _bring_deliveries(session, old, subscriber, now)
        subscriber.set_consented_at(Channel.TELEGRAM, old.telegram_consented_at)
        await session.delete(old)
        await session.flush()
    subscriber.chat_id = chat_id
    await session.flush()


async def _bring_deliveries(session: AsyncSession, old: Subscriber, new: Subscriber, now: datetime) -> None:
    """Re-point the ledger; what the other record has a row for already is not sent a second time."""
    theirs = aliased(Delivery)
    doubled = (
        select(theirs.id)
        .where(
            col(theirs.subscriber_id) == new.id,
            col(theirs.campaign_id) == col(Delivery.campaign_id),
            col(theirs.channel) == col(Delivery.channel),
        )
        .exists()
    )
    mine = deliveries.of_subscriber(old.id)
    await session.exec(update(Delivery).where(mine, ~doubled).values(subscriber_id=new.id))
    await session.exec(
        update(Delivery)
        .where(mine, col(Delivery.status) == Status.QUEUED)
        .values(status=Status.SKIPPED, reason=Skip.ERASED, finished_at=now)
    )
