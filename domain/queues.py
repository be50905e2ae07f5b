"""Queues: a campaign's rows of the ledger, written by the million when it starts."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import case, insert, literal, select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.audiences import Audience, reachable
from domain.columns import UtcDateTime, word_of
from domain.database import hold
from domain.deliveries import Delivery, Status
from domain.languages import Language
from domain.subscribers import Channel, Subscriber

_LEDGER = "ledger"
"""What is held while rows are written for subscribers; the database holds it while it forgets one."""


async def fill(
    session: AsyncSession,
    campaign_id: int,
    audience: Audience,
    channel: Channel,
    languages: Sequence[Language],
    now: datetime,
) -> int:
    """Insert one row per reachable reader in one statement and return how many there are.

    `languages` are those of the campaign, its fallback first: readers of other languages get that.
    """
    await hold(session, _LEDGER)
    spoken = case(
        (col(Subscriber.language).in_(languages), col(Subscriber.language)),
        else_=literal(languages[0], type_=word_of(Language)),
    )
    values = {
        "campaign_id": literal(campaign_id),
        "subscriber_id": col(Subscriber.id),
        "channel": literal(channel, type_=word_of(Channel)),
        "language": spoken,
        "status": literal(Status.QUEUED, type_=word_of(Status)),
        "reason": literal(""),
        "attempts": literal(0),
        "refusals": literal(0),
        "due_at": literal(now, type_=UtcDateTime),
    }
    readers = select(*values.values()).where(audience.condition(), reachable(channel))
    connection = await session.connection()
    return (await connection.execute(insert(Delivery).from_select(list(values), readers))).rowcount
