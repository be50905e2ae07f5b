"""Leases: deliveries that are taken for sending, for a time, and what became of them, written in sets.

The statements are built once: a campaign runs each of them thousands of times.
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Select, Update, bindparam, func, update
from sqlalchemy import select as sa_select
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from domain import addressees, deliveries
from domain.addressees import Addressee
from domain.audiences import reachable
from domain.columns import UtcDateTime, word_of
from domain.deliveries import DOUBT, FINAL, OPEN, Delivery, Skip, Status
from domain.languages import Language
from domain.organisations import Organisation
from domain.subscribers import Channel, Subscriber


class Claim(NamedTuple):
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
    is_orphan: bool = False
    """Whether whoever claimed it last died, so that nobody has decided yet what its doubt means."""


class Outcome(NamedTuple):
    """What became of one claim. A status of `queued` asks for another attempt at `due_at`."""

    claim: Claim
    status: Status
    reason: str = ""
    due_at: datetime | None = None
    may_have_arrived: bool = False
    """Whether a claim that is queued again may have arrived with this attempt."""
    was_refused: bool = False
    """Whether a claim that is queued again was refused for now: the next wait is longer."""


def _due_over(channel: Channel) -> Select[*tuple[Any, ...]]:
    """Return the statement that finds and locks what is due over a channel."""
    return (
        sa_select(
            col(Delivery.id),
            col(Delivery.attempts),
            col(Delivery.language),
            (col(Delivery.status) == Status.SENDING).label("is_orphan"),
            col(Delivery.reason),
            col(Delivery.refusals),
            reachable(channel).label("reachable"),
            *addressees.COLUMNS,
        )
        .outerjoin(Subscriber, col(Subscriber.id) == col(Delivery.subscriber_id))
        .outerjoin(Organisation, col(Organisation.id) == col(Subscriber.organisation_id))
        .where(
            OPEN,
            col(Delivery.campaign_id) == bindparam("campaign"),
            col(Delivery.channel) == channel,
            col(Delivery.due_at) <= bindparam("now"),
        )
        .order_by(col(Delivery.due_at), col(Delivery.id))
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True, of=Delivery)
    )


_DUE = {channel: _due_over(channel) for channel in Channel}


def _numbered(dialect: str) -> ColumnElement[bool]:
    """Return the condition that a delivery is one of `numbers`.

    PostgreSQL takes them as one value, so that one statement, planned once, serves lists of any length.
    """
    if dialect == "postgresql":
        return col(Delivery.id) == func.any(bindparam("numbers", type_=ARRAY(BigInteger)))
    return col(Delivery.id).in_(bindparam("numbers", expanding=True))


@cache
def _lease(dialect: str) -> Update:
    return (
        update(Delivery)
        .where(_numbered(dialect))
        .values(
            status=Status.SENDING,
            attempts=col(Delivery.attempts) + 1,
            due_at=bindparam("until", type_=UtcDateTime),
            claimed_by=bindparam("claimant"),
        )
    )


@cache
def _record(dialect: str) -> Update:
    return (
        update(Delivery)
        .where(
            _numbered(dialect),
            col(Delivery.attempts) == bindparam("attempt"),
            col(Delivery.status) == Status.SENDING,
        )
        .values(
            status=bindparam("becomes", type_=word_of(Status)),
            reason=bindparam("because"),
            refusals=bindparam("refused"),
            due_at=bindparam("due", type_=UtcDateTime),
            finished_at=bindparam("finished", type_=UtcDateTime),
        )
    )


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
    connection = await session.connection()
    for campaign_id in active_campaigns:
        wanted = {"campaign": campaign_id, "now": now, "most": share}
        found = (await connection.execute(_DUE[channel], wanted)).all()
        due = [row for row in found if row.id not in held]
        claims += [_claim_of(campaign_id, row) for row in due if row.reachable]
        if gone := [_claim_of(campaign_id, row) for row in due if not row.reachable]:
            await _skip(session, channel, gone, now)
    if claims:
        numbers = [claim.delivery_id for claim in claims]
        leased = {"numbers": numbers, "until": now + lease, "claimant": claimant}
        await connection.execute(_lease(connection.dialect.name), leased)
    return claims


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
    statement = _record(connection.dialect.name)
    for change, numbers in alike.items():
        await connection.execute(statement, {"numbers": numbers, **change._asdict()})


def _claim_of(campaign_id: int, row: Any) -> Claim:
    number, attempts, language, is_orphan, reason, refusals, _, *addressee = row
    copies = _copies_of(reason) + is_orphan  # what a dead sender had taken may have arrived
    return Claim(
        number, attempts + 1, campaign_id, language, Addressee(*addressee), copies, refusals, is_orphan
    )


async def _skip(session: AsyncSession, channel: Channel, claims: Sequence[Claim], now: datetime) -> None:
    """Pass over readers who cannot be written to any more."""
    numbers = [claim.addressee.id for claim in claims]
    found = await session.exec(select(Subscriber).where(col(Subscriber.id).in_(numbers)))
    readers = {reader.id: reader for reader in found}
    connection = await session.connection()
    for claim in claims:
        await connection.execute(
            update(Delivery)
            .where(col(Delivery.id) == claim.delivery_id)
            .values(
                # A copy of an earlier attempt may have arrived before the reader left.
                status=Status.UNCERTAIN if claim.copies else Status.SKIPPED,
                # Who came back between the two looks had left at the first.
                reason=deliveries.obstacle(readers.get(claim.addressee.id), channel) or Skip.LEFT,
                finished_at=now,
            )
        )


def _copies_of(reason: str) -> int:
    """Return how often a waiting row may have arrived, as its reason says."""
    return int(reason.removeprefix(DOUBT).partition(":")[0]) if reason.startswith(DOUBT) else 0


class _Change(NamedTuple):
    """What one statement writes; the attempt is the fence."""

    attempt: int
    becomes: Status
    because: str
    refused: int
    due: datetime
    finished: datetime | None


def _change_of(outcome: Outcome, now: datetime) -> _Change:
    claim, status, reason = outcome.claim, outcome.status, outcome.reason
    copies = claim.copies + outcome.may_have_arrived
    if copies and status is Status.QUEUED:
        reason = f"{DOUBT}{copies}: {reason}"
    elif copies and status in (Status.FAILED, Status.SKIPPED):
        status = Status.UNCERTAIN
    refusals = claim.refusals + outcome.was_refused
    finished = now if status in FINAL else None
    return _Change(claim.attempt, status, reason, refusals, outcome.due_at or now, finished)
