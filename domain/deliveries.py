"""The ledger: one row per campaign, subscriber and channel; its status column is the queue."""

from collections import defaultdict
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

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
    update,
)
from sqlalchemy import (
    select as sa_select,
)
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from domain import addressees
from domain.addressees import Addressee
from domain.audiences import reachable
from domain.columns import BigKey, UtcDateTime, word_of
from domain.languages import Language
from domain.organisations import Organisation
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


_FINAL = text("status IN ('sent', 'failed', 'bounced', 'skipped', 'uncertain')")
"""The same for the index over closed rows, which costs nothing while a ledger is filled."""

_DOUBT = "in_doubt "
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
        Index(
            "ix_delivery_due",
            "campaign_id",
            "channel",
            "due_at",
            "id",
            sqlite_where=OPEN,
            postgresql_where=OPEN,
        ),
        Index(
            "ix_delivery_final",
            "campaign_id",
            "status",
            sqlite_where=_FINAL,
            postgresql_where=_FINAL,
        ),
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


@dataclass(frozen=True, slots=True)
class Claim:
    """One delivery taken for sending; the attempt number fences its outcome."""

    delivery_id: int
    attempt: int
    campaign_id: int
    language: Language
    addressee: Addressee
    copies: int = 0
    """How many of the attempts before may have arrived."""
    refusals: int = 0
    """How many of them were refused for now."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one claim. A status of `queued` asks for another attempt at `due_at`."""

    claim: Claim
    status: Status
    reason: str = ""
    due_at: datetime | None = None
    may_have_arrived: bool = False
    """Whether a claim that is queued again may have arrived with this attempt."""
    was_refused: bool = False
    """Whether a claim that is queued again was refused for now: the next wait is longer."""


def of_subscriber(subscriber_id: int | None) -> ColumnElement[bool]:
    """Return the condition that a row is that subscriber's: found by campaign, as the unique key begins."""
    campaigns = sa_select(table("campaign", column("id")).c.id)
    return and_(col(Delivery.campaign_id).in_(campaigns), col(Delivery.subscriber_id) == subscriber_id)


async def claim(  # noqa: PLR0913 - the options of one statement
    session: AsyncSession,
    channel: Channel,
    active_campaigns: Sequence[int],
    now: datetime,
    *,
    limit: int,
    lease: timedelta,
    held: Container[int] = (),
    claimant: str = "",
) -> list[Claim]:
    """Take due deliveries under a lease, an equal share of each campaign.

    Readers who left or bounced since the start are skipped on the spot. A row whose sender died comes
    back when its lease ends: it may have been sent, and goes again with the same Message-ID. `held` are
    the rows that the caller still has in flight itself.
    """
    share = -(-limit // max(len(active_campaigns), 1))
    claims: list[Claim] = []
    for campaign_id in active_campaigns:
        due = [row for row in await _due(session, channel, campaign_id, now, share) if row.id not in held]
        claims += [_claim_of(row) for row in due if row.reachable]
        if gone := [row for row in due if not row.reachable]:
            await _skip(session, channel, gone, now)
    if claims:
        await _lease(session, [claim.delivery_id for claim in claims], now + lease, claimant)
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
        .where(OPEN, col(Delivery.claimed_by).in_(claimants), col(Delivery.status) == Status.SENDING)
        .values(due_at=now, claimed_by=None)
        .execution_options(synchronize_session=False)
    )
    return released.rowcount


async def record(session: AsyncSession, outcomes: Iterable[Outcome], now: datetime) -> None:
    """Write outcomes; one that comes too late (somebody re-claimed the row) changes nothing.

    What may have arrived with an earlier attempt ends as sent or uncertain, never as failed or skipped.
    Outcomes that say the same are one statement.
    """
    alike: defaultdict[_Change, list[int]] = defaultdict(list)
    for outcome in outcomes:
        alike[_change_of(outcome, now)].append(outcome.claim.delivery_id)
    connection = await session.connection()
    for change, ids in alike.items():
        await connection.execute(
            update(Delivery)
            .where(
                col(Delivery.id).in_(ids),
                col(Delivery.attempts) == change.attempt,
                col(Delivery.status) == Status.SENDING,
            )
            .values(
                status=change.status,
                reason=change.reason,
                refusals=change.refusals,
                due_at=change.due_at,
                finished_at=now if change.status in FINAL else None,
            )
        )


async def has_open(session: AsyncSession, campaign_id: int) -> bool:
    """Say whether a delivery of the campaign is not in a final state yet; cheap for any list size."""
    query = select(col(Delivery.id)).where(OPEN, col(Delivery.campaign_id) == campaign_id)
    return (await session.exec(query.limit(1))).first() is not None


async def counts(session: AsyncSession, campaign_id: int) -> dict[Status, int]:
    """Return how many deliveries of a campaign stand where; every status is named."""
    standing = sa_select(col(Delivery.status), func.count()).group_by(col(Delivery.status))
    mine = standing.where(col(Delivery.campaign_id) == campaign_id)
    query = union_all(mine.where(OPEN), mine.where(_FINAL))
    found = {row[0]: row[1] for row in await (await session.connection()).execute(query)}
    return {status: found.get(status, 0) for status in Status}


def unsent_status() -> ColumnElement[Status]:
    """Return the end of rows that are not sent any more, by whether they may have arrived already."""
    doubtful = or_(
        col(Delivery.status) == Status.SENDING, col(Delivery.reason).startswith(_DOUBT, autoescape=True)
    )
    return case((doubtful, literal(Status.UNCERTAIN)), else_=literal(Status.SKIPPED))


async def _due(
    session: AsyncSession, channel: Channel, campaign_id: int, now: datetime, limit: int
) -> Sequence[Any]:
    may_be_written_to = reachable(channel).label("reachable")
    query = (
        sa_select(
            col(Delivery.id),
            col(Delivery.attempts),
            col(Delivery.campaign_id),
            col(Delivery.language),
            col(Delivery.status),
            col(Delivery.reason),
            col(Delivery.refusals),
            col(Delivery.subscriber_id),
            may_be_written_to,
            *addressees.COLUMNS,
        )
        .outerjoin(Subscriber, col(Subscriber.id) == col(Delivery.subscriber_id))
        .outerjoin(Organisation, col(Organisation.id) == col(Subscriber.organisation_id))
        .where(
            OPEN,
            col(Delivery.campaign_id) == campaign_id,
            col(Delivery.channel) == channel,
            col(Delivery.due_at) <= now,
        )
        .order_by(col(Delivery.due_at), col(Delivery.id))
        .limit(limit)
        .with_for_update(skip_locked=True, of=Delivery)
    )
    return (await (await session.connection()).execute(query)).all()


def _claim_of(row: Any) -> Claim:
    number, attempts, campaign_id, language, _, _, refusals, _, _, *addressee = row
    return Claim(
        number, attempts + 1, campaign_id, language, Addressee(*addressee), _copies_of(row), refusals
    )


async def _skip(session: AsyncSession, channel: Channel, rows: Sequence[Any], now: datetime) -> None:
    """Pass over readers who cannot be written to any more."""
    numbers = [row.subscriber_id for row in rows]
    found = await session.exec(select(Subscriber).where(col(Subscriber.id).in_(numbers)))
    readers = {reader.id: reader for reader in found}
    connection = await session.connection()
    for row in rows:
        await connection.execute(
            update(Delivery)
            .where(col(Delivery.id) == row.id)
            .values(
                # A copy of an earlier attempt may have arrived before the reader left.
                status=Status.UNCERTAIN if _copies_of(row) else Status.SKIPPED,
                # Who came back between the two looks had left at the first.
                reason=obstacle(readers.get(row.subscriber_id), channel) or Skip.LEFT,
                finished_at=now,
            )
        )


def _copies_of(row: Any) -> int:
    """Return how often a waiting row may have arrived: as its reason says, and once if its sender died."""
    told = row.reason.removeprefix(_DOUBT).partition(":")[0] if row.reason.startswith(_DOUBT) else "0"
    return int(told) + (row.status is Status.SENDING)


async def _lease(session: AsyncSession, ids: list[int], until: datetime, claimant: str) -> None:
    await (await session.connection()).execute(
        update(Delivery)
        .where(col(Delivery.id).in_(ids))
        .values(
            status=Status.SENDING,
            attempts=col(Delivery.attempts) + 1,
            due_at=until,
            claimed_by=claimant,
        )
    )


class _Change(NamedTuple):
    """What one statement writes; the attempt is the fence."""

    attempt: int
    status: Status
    reason: str
    refusals: int
    due_at: datetime


def _change_of(outcome: Outcome, now: datetime) -> _Change:
    claim, status, reason = outcome.claim, outcome.status, outcome.reason
    copies = claim.copies + outcome.may_have_arrived
    if copies and status is Status.QUEUED:
        reason = f"{_DOUBT}{copies}: {reason}"
    elif copies and status in (Status.FAILED, Status.SKIPPED):
        status = Status.UNCERTAIN
    refusals = claim.refusals + outcome.was_refused
    return _Change(claim.attempt, status, reason, refusals, outcome.due_at or now)
