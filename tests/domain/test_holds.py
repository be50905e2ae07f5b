"""What the service puts aside waits for a person, who can send it, move it or drop it."""

from datetime import datetime, timedelta

import pytest
from sqlmodel.ext.asyncio.session import AsyncSession

from domain import campaigns, holds
from domain.campaigns import Campaign, Reason, Status
from domain.database import Database
from domain.errors import NotAllowed
from domain.languages import Language
from tests.domain.test_campaigns import LETTERS, _draft

HOUR = timedelta(hours=1)


async def _scheduled(session: AsyncSession, at: datetime, now: datetime) -> int:
    number = await _draft(session, now)
    await campaigns.approve(session, number, now)
    await campaigns.schedule(session, number, at, "UTC", now)
    return number


async def _fresh(session: AsyncSession, number: int) -> Campaign:
    return await session.get_one(Campaign, number, populate_existing=True)


async def test_only_what_is_too_late_is_held(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        number = await _scheduled(session, now, now)
        assert await holds.hold_late(session, now) == []
        assert await holds.hold_late(session, now + timedelta(seconds=1)) == [number]
        assert await holds.hold_late(session, now + timedelta(seconds=1)) == []
        held = await _fresh(session, number)
        assert (held.status, held.reason) == (Status.PAUSED, Reason.LATE)


async def test_a_late_campaign_that_is_resumed_is_due_now(database: Database, now: datetime) -> None:
    later = now + 9 * HOUR
    async with database.transaction() as session:
        number = await _scheduled(session, now, now)
        await holds.hold_late(session, later)
    async with database.transaction() as session:
        resumed = await campaigns.resume(session, number, later)
        assert (resumed.status, resumed.reason, resumed.scheduled_at) == (Status.SCHEDULED, None, later)
        assert await campaigns.due(session, later) == [number]


async def test_a_late_campaign_may_get_a_new_time_unless_it_has_begun(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        number = await _scheduled(session, now, now)
        await holds.hold(session, number, Reason.LATE)
    async with database.transaction() as session:
        moved = await campaigns.schedule(session, number, now + HOUR, "UTC", now)
        assert (moved.status, moved.reason) == (Status.SCHEDULED, None)
        assert await campaigns.start(session, number, LETTERS, now + HOUR)
        assert await holds.hold_running(session, Reason.LATE) == [number]
    async with database.transaction() as session:
        with pytest.raises(NotAllowed, match="has begun: resume or cancel it"):
            await campaigns.schedule(session, number, now + 2 * HOUR, "UTC", now)
        started = (await _fresh(session, number)).scheduled_at
        assert (await campaigns.resume(session, number, now + 3 * HOUR)).status is Status.SENDING
        assert (await _fresh(session, number)).scheduled_at == started


async def test_everything_is_held_also_what_is_to_come(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        coming = await _scheduled(session, now + HOUR, now)
        draft = await _draft(session, now, readers=0)
        assert await holds.hold_all(session, Reason.RESTORED) == [coming]
        assert (await _fresh(session, draft)).status is Status.DRAFT
    async with database.transaction() as session:
        resumed = await campaigns.resume(session, coming, now)
        assert resumed.scheduled_at == now + HOUR


async def test_what_ended_meanwhile_is_not_held_and_cancelling_forgets_the_reason(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        number = await _scheduled(session, now, now)
        assert await holds.hold(session, number, Reason.UNFIT)
        assert not await holds.hold(session, number, Reason.LATE)
    async with database.transaction() as session:
        assert (await campaigns.cancel(session, number, now)).reason is None
        assert not await holds.hold(session, number, Reason.LATE)


async def test_a_digest_without_news_is_passed_over_once_and_balances(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        number = await _scheduled(session, now + HOUR, now)
        assert not await holds.pass_over(session, number, now), "it is not due yet"
        assert await holds.pass_over(session, number, now + HOUR)
        assert not await holds.pass_over(session, number, now + HOUR)
    async with database.reading() as session:
        progress = await campaigns.progress(session, number)
    assert (progress.campaign.status, progress.campaign.reason) == (Status.CANCELLED, Reason.NOTHING_NEW)
    assert progress.balanced


async def test_the_texts_of_a_campaign_that_filled_itself_are_kept_beside_its_own(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        number = await _scheduled(session, now, now)
        await campaigns.start(session, number, LETTERS, now, bodies={Language.ENGLISH: "b and more"})
        text = (await campaigns.variants(session, number))[Language.ENGLISH]
    assert (text.body, text.intro) == ("b and more", "b")
