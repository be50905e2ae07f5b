"""The ledger: one row per campaign, subscriber and channel; its status column is the queue."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    ColumnElement,
    Index,
    UniqueConstraint,
    and_,
    case,
    column,
    func,
    literal,
    or_,
    table,
    text,
    union_all,
)
from sqlalchemy import (
    select as sa_select,
)
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.columns import BigKey, UtcDateTime, word_of
from domain.languages import Language
from domain.subscribers import Channel, Subscriber


class Status(StrEnum):
    """Where a delivery stands."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    BOUNCED = "bounced"
    SKIPPED = "skipped"
    UNCERTAIN = "uncertain"


FINAL = (Status.SENT, Status.FAILED, Status.BOUNCED, Status.SKIPPED, Status.UNCERTAIN)


OPEN = text("status IN ('queued', 'sending')")
"""Written out, so that both databases see that the partial index over open rows answers the claim."""


CLOSED = text("status IN ('sent', 'failed', 'bounced', 'skipped', 'uncertain')")
"""The same for the index over closed rows, which costs nothing while a ledger is filled."""

DOUBT = "in_doubt "
"""Begins the reason of a queued row that may have arrived already; the number of such attempts follows."""


class Skip(StrEnum):
    """Why a reader was passed over."""

    LEFT = "left"
    BOUNCED = "bounced"
    ERASED = "erased"
    CANCELLED = "cancelled"


class Delivery(SQLModel, table=True):
    """One campaign to one subscriber over one channel.

    Triggers do what foreign keys would at the price of as much work again for each row: a campaign that
    has deliveries stays, and a subscriber's number goes from the ledger when the subscriber does.
    """

    __table_args__ = (
        UniqueConstraint("campaign_id", "subscriber_id", "channel"),
        # Each over the rows that its name says; a dialect's own words would load the dialect.
        Index("ix_delivery_due", "campaign_id", "channel", "due_at", "id"),
        Index("ix_delivery_final", "campaign_id", "status"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigKey)
    campaign_id: int
    subscriber_id: int | None = None
    channel: Channel = Field(sa_type=word_of(Channel))
    language: Language = Field(sa_type=word_of(Language))
    status: Status = Field(default=Status.QUEUED, sa_type=word_of(Status))
    reason: str = ""
    attempts: int = 0
    """How often it was claimed: the fence of its outcomes."""
    refusals: int = 0
    """How often it was refused for now: what the next wait is counted by."""
    due_at: datetime = Field(sa_type=UtcDateTime)
    """When it may be claimed: for a row in `sending`, the end of its lease."""
    claimed_by: str | None = Field(default=None, max_length=32)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


def of_subscriber(subscriber_id: int | None) -> ColumnElement[bool]:
    """Return the condition that a row is that subscriber's: found by campaign, as the unique key begins."""
    campaigns = sa_select(table("campaign", column("id")).c.id)
    return and_(col(Delivery.campaign_id).in_(campaigns), col(Delivery.subscriber_id) == subscriber_id)


def obstacle(subscriber: Subscriber | None, channel: Channel) -> Skip | None:
    """Return why a reader may not be written to any more; None when they may."""
    if subscriber is None:
        return Skip.ERASED
    if subscriber.consented_at(channel) is None:
        return Skip.LEFT
    return Skip.BOUNCED if channel is Channel.EMAIL and subscriber.email_bounced_at else None


async def has_open(session: AsyncSession, campaign_id: int) -> bool:
    """Say whether a delivery of the campaign is not in a final state yet; cheap for any list size."""
    query = select(col(Delivery.id)).where(OPEN, col(Delivery.campaign_id) == campaign_id)
    return (await session.exec(query.limit(1))).first() is not None


async def counts(session: AsyncSession, campaign_id: int) -> dict[Status, int]:
    """Return how many deliveries of a campaign stand where; every status is named."""
    standing = sa_select(col(Delivery.status), func.count()).group_by(col(Delivery.status))
    mine = standing.where(col(Delivery.campaign_id) == campaign_id)
    query = union_all(mine.where(OPEN), mine.where(CLOSED))
    found = {row[0]: row[1] for row in await (await session.connection()).execute(query)}
    return {status: found.get(status, 0) for status in Status}


def unsent_status() -> ColumnElement[Status]:
    """Return the end of rows that are not sent any more, by whether they may have arrived already."""
    doubtful = or_(
        col(Delivery.status) == Status.SENDING, col(Delivery.reason).startswith(DOUBT, autoescape=True)
    )
    return case((doubtful, literal(Status.UNCERTAIN)), else_=literal(Status.SKIPPED))
