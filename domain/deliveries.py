"""The ledger: one row per campaign, subscriber and channel; its status column is the queue."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import (
    ColumnElement,
    Index,
    UniqueConstraint,
    and_,
    bindparam,
    case,
    func,
    insert,
    literal,
    or_,
    text,
    update,
)
from sqlalchemy import (
    select as sa_select,
)
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from domain.audiences import Audience, reachable
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


_OPEN = text("status IN ('queued', 'sending')")
"""Written out, so that both databases see that the partial index over open rows answers the claim."""


_DOUBT = "in_doubt "
"""Begins the reason of a queued row that may have arrived already; the number of such attempts follows."""


class Skip(StrEnum):
    """Why a reader was passed over."""

    LEFT = "left"
    BOUNCED = "bounced"
    ERASED = "erased"
    CANCELLED = "cancelled"


class Delivery(SQLModel, table=True):
    """One campaign to one subscriber over one channel."""

    __table_args__ = (
        UniqueConstraint("campaign_id", "subscriber_id", "channel"),
        Index("ix_delivery_due", "channel", "due_at", "id", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_delivery_campaign_status", "campaign_id", "status"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigKey)
    campaign_id: int = Field(foreign_key="campaign.id")
    subscriber_id: int | None = Field(
        default=None, foreign_key="subscriber.id", index=True, ondelete="SET NULL"
    )
    channel: Channel = Field(sa_type=word_of(Channel))
    language: Language = Field(sa_type=word_of(Language))
    status: Status = Field(default=Status.QUEUED, sa_type=word_of(Status))
    reason: str = ""
    attempts: int = 0
    due_at: datetime = Field(sa_type=UtcDateTime)
    """When it may be claimed: for a row in `sending`, the end of its lease."""
    claimed_by: str | None = Field(default=None, max_length=32)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


@dataclass(frozen=True, slots=True)
class Claim:
    """One delivery taken for sending; the attempt number fences its outcome."""

    delivery_id: int
    attempt: int
    campaign_id: int
    language: Language
    subscriber: Subscriber
    copies: int = 0
    """How many of the attempts before may have arrived."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one claim. A status of `queued` asks for another attempt at `due_at`."""

    claim: Claim
    status: Status
    reason: str = ""
    due_at: datetime | None = None
    may_have_arrived: bool = False
    """Whether a claim that is queued again may have arrived with this attempt."""
    holds_campaign: bool = False
    """Whether its campaign is to be paused: what was refused is us, and every reader would be next."""


async def queue(
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
    spoken = case(
        (col(Subscriber.language).in_(languages), col(Subscriber.language)),
        else_=literal(languages[0], type_=word_of(Language)),
    )
    readers = sa_select(
        literal(campaign_id),
        col(Subscriber.id),
        literal(channel, type_=word_of(Channel)),
        spoken,
        literal(Status.QUEUED, type_=word_of(Status)),
        literal(""),
        literal(0),
        literal(now, type_=UtcDateTime),
    ).where(audience.condition(), reachable(channel))
    columns = [
        "campaign_id",
        "subscriber_id",
        "channel",
        "language",
        "status",
        "reason",
        "attempts",
        "due_at",
    ]
    connection = await session.connection()
    return (await connection.execute(insert(Delivery).from_select(columns, readers))).rowcount


async def claim(  # noqa: PLR0913 - the options of one statement
    session: AsyncSession,
    channel: Channel,
    active_campaigns: Sequence[int],
    now: datetime,
    *,
    limit: int,
    lease: timedelta,
    held: Collection[int] = (),
    claimant: str = "",
) -> list[Claim]:
    """Take due deliveries under a lease; readers who left since the start are skipped on the spot.

    A row whose sender died comes back when its lease ends: it may have been sent, and goes again
    with the same Message-ID. `held` are the rows that the caller still has in flight itself.
    """
    due = _due(channel, active_campaigns, now, limit).where(col(Delivery.id).not_in(held))
    ids = (await session.exec(due)).all()
    if not ids:
        return []
    query = (
        select(Delivery, Subscriber)
        .outerjoin(Subscriber, col(Subscriber.id) == col(Delivery.subscriber_id))
        .where(col(Delivery.id).in_(ids))
        .order_by(col(Delivery.id))
    )
    claims, gone = [], []
    for delivery, subscriber in (await session.exec(query)).all():
        if reason := obstacle(subscriber, channel):
            gone.append((delivery, reason))
        elif subscriber is not None:
            claims.append(_claim_of(delivery, subscriber))
    await _lease(session, [claim.delivery_id for claim in claims], now + lease, claimant)
    for delivery, reason in gone:
        # A copy of an earlier attempt may have arrived before the reader left.
        ended = Status.UNCERTAIN if _copies_of(delivery) else Status.SKIPPED
        delivery.status, delivery.reason, delivery.finished_at = ended, reason, now
    await session.flush()
    return claims


def obstacle(subscriber: Subscriber | None, channel: Channel) -> Skip | None:
    """Return why a reader may not be written to any more; None when they may."""
    if subscriber is None:
        return Skip.ERASED
    if subscriber.consented_at(channel) is None:
        return Skip.LEFT
    return Skip.BOUNCED if channel is Channel.EMAIL and subscriber.email_bounced_at else None


async def release(session: AsyncSession, claimants: Sequence[str], now: datetime) -> int:
    """End the leases of dead claimants: what they held may have been sent, and is due as the same message."""
    released = await session.exec(
        update(Delivery)
        .where(col(Delivery.claimed_by).in_(claimants), col(Delivery.status) == Status.SENDING)
        .values(due_at=now, claimed_by=None)
        .execution_options(synchronize_session=False)
    )
    return released.rowcount


async def record(session: AsyncSession, outcomes: Sequence[Outcome], now: datetime) -> None:
    """Write outcomes; one that comes too late (somebody re-claimed the row) changes nothing.

    What may have arrived with an earlier attempt ends as sent or uncertain, never as failed or skipped.
    """
    if not outcomes:
        return
    connection = await session.connection()
    table = SQLModel.metadata.tables["delivery"]
    await connection.execute(
        update(table)
        .where(
            table.c.id == bindparam("delivery"),
            table.c.attempts == bindparam("attempt"),
            table.c.status == Status.SENDING,
        )
        .values(
            status=bindparam("outcome"),
            reason=bindparam("why"),
            due_at=bindparam("due"),
            finished_at=bindparam("finished"),
        ),
        [_values_of(outcome, now) for outcome in outcomes],
    )


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
    skipped = await session.exec(
        update(Delivery)
        .where(col(Delivery.campaign_id) == campaign_id, col(Delivery.status) == Status.QUEUED)
        .values(status=_unsent_status(), reason=reason, finished_at=now)
        .execution_options(synchronize_session=False)
    )
    return skipped.rowcount


async def settle_cancelled(session: AsyncSession, campaigns: Sequence[int], now: datetime) -> int:
    """End what cancelled campaigns left behind: put back by a sender, or held by one that died."""
    queued = col(Delivery.status) == Status.QUEUED
    dead = and_(col(Delivery.status) == Status.SENDING, col(Delivery.due_at) <= now)
    settled = await session.exec(
        update(Delivery)
        .where(col(Delivery.campaign_id).in_(campaigns), or_(queued, dead))
        .values(status=_unsent_status(), reason=Skip.CANCELLED, finished_at=now)
        .execution_options(synchronize_session=False)
    )
    return settled.rowcount


async def has_open(session: AsyncSession, campaign_id: int) -> bool:
    """Say whether a delivery of the campaign is not in a final state yet; cheap for any list size."""
    query = select(col(Delivery.id)).where(
        col(Delivery.campaign_id) == campaign_id,
        col(Delivery.status).in_([Status.QUEUED, Status.SENDING]),
    )
    return (await session.exec(query.limit(1))).first() is not None


async def counts(session: AsyncSession, campaign_id: int) -> dict[Status, int]:
    """Return how many deliveries of a campaign stand where; every status is named."""
    query = (
        select(Delivery.status, func.count())
        .where(col(Delivery.campaign_id) == campaign_id)
        .group_by(col(Delivery.status))
    )
    found = dict((await session.exec(query)).all())
    return {status: found.get(status, 0) for status in Status}


def _due(channel: Channel, campaigns: Sequence[int], now: datetime, limit: int) -> SelectOfScalar[int | None]:
    return (
        select(col(Delivery.id))
        .where(
            _OPEN,
            col(Delivery.channel) == channel,
            col(Delivery.due_at) <= now,
            col(Delivery.campaign_id).in_(campaigns),
        )
        .order_by(col(Delivery.due_at), col(Delivery.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )


def _claim_of(delivery: Delivery, subscriber: Subscriber) -> Claim:
    assert delivery.id is not None
    return Claim(
        delivery.id,
        delivery.attempts + 1,
        delivery.campaign_id,
        delivery.language,
        subscriber,
        _copies_of(delivery),
    )


def _copies_of(delivery: Delivery) -> int:
    """Return how often a waiting row may have arrived: as its reason says, and once if its sender died."""
    told = (
        delivery.reason.removeprefix(_DOUBT).partition(":")[0] if delivery.reason.startswith(_DOUBT) else "0"
    )
    return int(told) + (delivery.status is Status.SENDING)


def _unsent_status() -> ColumnElement[Status]:
    """Return the end of rows that are not sent any more, by whether they may have arrived already."""
    doubtful = or_(
        col(Delivery.status) == Status.SENDING, col(Delivery.reason).startswith(_DOUBT, autoescape=True)
    )
    return case((doubtful, literal(Status.UNCERTAIN)), else_=literal(Status.SKIPPED))


async def _lease(session: AsyncSession, ids: list[int], until: datetime, claimant: str) -> None:
    await session.exec(
        update(Delivery)
        .where(col(Delivery.id).in_(ids))
        .values(
            status=Status.SENDING,
            attempts=col(Delivery.attempts) + 1,
            due_at=until,
            claimed_by=claimant,
        )
        .execution_options(synchronize_session=False)
    )


def _values_of(outcome: Outcome, now: datetime) -> dict[str, object]:
    status, reason = outcome.status, outcome.reason
    copies = outcome.claim.copies + outcome.may_have_arrived
    if copies and status is Status.QUEUED:
        reason = f"{_DOUBT}{copies}: {reason}"
    elif copies and status in (Status.FAILED, Status.SKIPPED):
        status = Status.UNCERTAIN
    return {
        "delivery": outcome.claim.delivery_id,
        "attempt": outcome.claim.attempt,
        "outcome": status,
        "why": reason,
        "due": outcome.due_at or now,
        "finished": now if status in FINAL else None,
    }
