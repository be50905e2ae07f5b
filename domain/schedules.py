"""Schedules: campaigns that go out again and again, each occurrence at most once."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import JSON, UniqueConstraint, func, or_, update
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from domain import campaigns
from domain.campaigns import Campaign, Reason, Status, Variant
from domain.columns import UtcDateTime, word_of
from domain.errors import Invalid, NotAllowed, NotFound
from domain.recurrences import Rule, moments
from domain.times import zone_of


class Schedule(SQLModel, table=True):
    """One rule by which copies of an approved campaign go out."""

    id: int | None = Field(default=None, primary_key=True)
    campaign_id: int = Field(foreign_key="campaign.id", index=True)
    rule: dict[str, Any] = Field(sa_type=JSON)
    zone: str
    next_at: datetime = Field(sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)
    stopped_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    reason: Reason | None = Field(default=None, sa_type=word_of(Reason))
    """Why the service stopped it itself; empty when a person did."""

    @property
    def typed_rule(self) -> Rule:
        """The rule, typed."""
        return Rule.model_validate(self.rule)

    def upcoming(self, after: datetime, count: int) -> list[datetime]:
        """Return the next moments after that one, in UTC; fewer when the rule has no more."""
        return list(islice(moments(self.typed_rule, zone_of(self.zone), after), count))


class Occurrence(SQLModel, table=True):
    """One moment of a schedule, and the campaign that was made for it."""

    __table_args__ = (UniqueConstraint("schedule_id", "at"),)

    id: int | None = Field(default=None, primary_key=True)
    schedule_id: int = Field(foreign_key="schedule.id")
    at: datetime = Field(sa_type=UtcDateTime)
    campaign_id: int = Field(foreign_key="campaign.id", unique=True)


@dataclass(frozen=True, slots=True)
class Occurred:
    """What came of a schedule whose time had come."""

    campaign_id: int
    at: datetime
    missed: int
    """How many earlier moments went by while nobody looked; they are not made up for."""


async def create(session: AsyncSession, campaign_id: int, rule: Rule, zone: str, now: datetime) -> Schedule:
    """Let copies of an approved campaign go out by a rule; raises `NotAllowed` when it repeats already."""
    campaign = await campaigns.get(session, campaign_id)
    if campaign.status is not Status.APPROVED:
        raise NotAllowed(
            f"campaign {campaign_id} is {campaign.status}: you cannot repeat it; it must be approved",
            state=campaign.status,
        )
    await _refuse_second(session, campaign_id)
    first = next(moments(rule, zone_of(zone), now), None)
    if first is None:
        raise Invalid("rule", f"{rule.words!r} has no date in the next eight years")
    written = rule.model_dump(mode="json")
    schedule = Schedule(campaign_id=campaign_id, rule=written, zone=zone, next_at=first, created_at=now)
    session.add(schedule)
    await session.flush()
    return schedule


async def stop(session: AsyncSession, schedule_id: int, now: datetime) -> Schedule:
    """Let a schedule make no further campaigns; those that it made are left alone."""
    schedule = await _get(session, schedule_id)
    if schedule.stopped_at is not None:
        raise NotAllowed(f"repeat {schedule_id} is stopped already", state="stopped")
    schedule.stopped_at, schedule.reason = now, None
    return schedule


async def start(session: AsyncSession, schedule_id: int, now: datetime) -> Schedule:
    """Let a stopped schedule go on with its next moment from now; what it missed is not made up for."""
    schedule = await _get(session, schedule_id)
    if schedule.stopped_at is None:
        raise NotAllowed(f"repeat {schedule_id} is running already", state="running")
    campaign = await campaigns.get(session, schedule.campaign_id)
    if campaign.status is Status.CANCELLED:
        raise NotAllowed(
            f"campaign {campaign.id}, which it repeats, is cancelled; repeat another one",
            state=campaign.status,
        )
    await _refuse_second(session, schedule.campaign_id)
    upcoming = schedule.upcoming(now, 1)
    if not upcoming:
        raise NotAllowed(f"repeat {schedule_id} has no further date", state="stopped")
    schedule.next_at, schedule.stopped_at, schedule.reason = upcoming[0], None, None
    return schedule


async def stop_all(session: AsyncSession, reason: Reason, now: datetime) -> None:
    """Stop every schedule until a person starts it again."""
    await session.exec(
        update(Schedule)
        .where(col(Schedule.stopped_at).is_(None))
        .values(stopped_at=now, reason=reason)
        .execution_options(synchronize_session=False)
    )


async def listing(session: AsyncSession) -> list[tuple[Schedule, Campaign]]:
    """Return every schedule with the campaign it repeats, newest first."""
    query = select(Schedule, Campaign).join(Campaign, col(Campaign.id) == col(Schedule.campaign_id))
    return list((await session.exec(query.order_by(col(Schedule.id).desc()))).all())


async def due(session: AsyncSession, now: datetime) -> list[int]:
    """Return the schedules whose next moment has come."""
    query = select(Schedule.id).where(col(Schedule.stopped_at).is_(None), col(Schedule.next_at) <= now)
    return [number for number in (await session.exec(query.order_by(col(Schedule.id)))).all() if number]


async def occur(session: AsyncSession, schedule_id: int, now: datetime) -> Occurred | None:
    """Make the campaign of the newest moment that has come, scheduled for it; None when there is none.

    Both the campaign and the step to the next moment are in the caller's transaction: a process that dies
    has done both or nothing, and of two that look at the same time the second finds nothing due.
    """
    schedule = await _get(session, schedule_id)
    if schedule.stopped_at is not None or schedule.next_at > now:
        return None
    source = await campaigns.get(session, schedule.campaign_id)
    if source.status is Status.CANCELLED:
        schedule.stopped_at = now
        return None
    at, missed = schedule.next_at, 0
    for upcoming in moments(schedule.typed_rule, zone_of(schedule.zone), at):
        if upcoming > now:
            schedule.next_at = upcoming
            break
        at, missed = upcoming, missed + 1
    else:
        schedule.stopped_at = now
    if await _was_made(session, schedule_id, at):
        return None
    made = await _copy(session, source, at, schedule.zone, now)
    session.add(Occurrence(schedule_id=schedule_id, at=at, campaign_id=made))
    await session.flush()
    return Occurred(made, at, missed)


async def last_issue(session: AsyncSession, campaign_id: int) -> datetime | None:
    """Return when the newest other issue began to go out, of all that repeat the same campaign."""
    source = (
        select(Schedule.campaign_id)
        .outerjoin(Occurrence, col(Occurrence.schedule_id) == col(Schedule.id))
        .where(or_(col(Occurrence.campaign_id) == campaign_id, col(Schedule.campaign_id) == campaign_id))
    )
    query = (
        select(func.max(Campaign.started_at))
        .join(Occurrence, col(Occurrence.campaign_id) == col(Campaign.id))
        .join(Schedule, col(Schedule.id) == col(Occurrence.schedule_id))
        .where(col(Schedule.campaign_id).in_(source), col(Campaign.id) != campaign_id)
    )
    return (await session.exec(query)).one()


async def _get(session: AsyncSession, schedule_id: int) -> Schedule:
    query = select(Schedule).where(col(Schedule.id) == schedule_id).with_for_update()
    schedule = (await session.exec(query)).first()
    if schedule is None:
        raise NotFound("repeat", schedule_id)
    return schedule


async def _refuse_second(session: AsyncSession, campaign_id: int) -> None:
    """Raise `NotAllowed` when a schedule of the campaign runs: two would write to everybody twice."""
    query = select(Schedule).where(
        col(Schedule.campaign_id) == campaign_id, col(Schedule.stopped_at).is_(None)
    )
    running = (await session.exec(query)).first()
    if running is not None:
        raise NotAllowed(
            f"campaign {campaign_id} repeats already ({running.typed_rule.words}); "
            f"first stop that: helixpost campaigns repeats stop {running.id}",
            state="running",
        )


async def _was_made(session: AsyncSession, schedule_id: int, at: datetime) -> bool:
    query = select(Occurrence.id).where(col(Occurrence.schedule_id) == schedule_id, col(Occurrence.at) == at)
    return (await session.exec(query)).first() is not None


async def _copy(session: AsyncSession, source: Campaign, at: datetime, zone: str, now: datetime) -> int:
    """Store a copy of a campaign, approved as that is and scheduled for the moment, and return its number."""
    assert source.id is not None
    kept = source.model_dump(include={"audience", "channels", "template", "content_hash", "approved_at"})
    day = at.astimezone(zone_of(zone)).date()
    made = Campaign(
        name=f"{source.name} {day}",
        status=Status.SCHEDULED,
        created_at=now,
        scheduled_at=at,
        zone=zone,
        **kept,
    )
    session.add(made)
    await session.flush()
    assert made.id is not None
    session.add_all(_copies(made.id, (await campaigns.variants(session, source.id)).values()))
    return made.id


def _copies(campaign_id: int, texts: Iterable[Variant]) -> list[Variant]:
    return [
        Variant(
            campaign_id=campaign_id,
            language=text.language,
            subject=text.subject,
            preheader=text.preheader,
            body=text.body if text.intro is None else text.intro,
        )
        for text in texts
    ]
