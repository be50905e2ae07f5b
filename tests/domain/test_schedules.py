"""Schedules: copies of a campaign by a rule, each occurrence at most once, whatever dies or sleeps."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from domain import campaigns, schedules
from domain.audiences import Audience
from domain.campaigns import Campaign, Draft, Reason, Status, Text
from domain.database import Database
from domain.errors import NotAllowed, NotFound
from domain.languages import Language
from domain.recurrences import parse
from domain.schedules import Occurred, Schedule
from domain.subscribers import Channel

ZONE = "Europe/Ljubljana"
MONDAYS = parse("every Monday 09:00")
FIRST = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)
WEEK = timedelta(days=7)


async def _approved(session: AsyncSession, now: datetime, *, template: str = "newsletter") -> int:
    texts = {
        Language.ENGLISH: Text("News", "In short", "Hello"),
        Language.ITALIAN: Text("Novità", "", "Ciao"),
    }
    audience = Audience(countries=["PT"])
    draft = Draft("monthly", audience, (Channel.EMAIL, Channel.TELEGRAM), template, "hash", texts)
    campaign = await campaigns.create(session, draft, now)
    assert campaign.id is not None
    await campaigns.approve(session, campaign.id, now)
    return campaign.id


async def _repeated(database: Database, now: datetime) -> Schedule:
    async with database.transaction() as session:
        return await schedules.create(session, await _approved(session, now), MONDAYS, ZONE, now)


async def _occur(database: Database, now: datetime) -> list[Occurred]:
    """Do what a ticker does."""
    async with database.reading() as session:
        due = await schedules.due(session, now)
    made = []
    for number in due:
        async with database.transaction() as session:
            made.append(await schedules.occur(session, number, now))
    return [occurred for occurred in made if occurred]


async def _made(database: Database) -> list[Campaign]:
    async with database.reading() as session:
        scheduled = select(Campaign).where(Campaign.status == Status.SCHEDULED)
        return list((await session.exec(scheduled)).all())


async def test_when_the_time_has_come_a_copy_is_scheduled_and_the_next_moment_is_waited_for(
    database: Database, now: datetime
) -> None:
    schedule = await _repeated(database, now)
    assert schedule.next_at == FIRST
    assert await _occur(database, FIRST - timedelta(seconds=1)) == []
    [occurred] = await _occur(database, FIRST)
    assert (occurred.at, occurred.missed) == (FIRST, 0)
    [made] = await _made(database)
    assert (made.id, made.name) == (occurred.campaign_id, "monthly 2026-11-30")
    assert (made.scheduled_at, made.zone, made.approved_at) == (FIRST, ZONE, now)
    assert made.typed_audience == Audience(countries=["PT"])
    assert made.typed_channels == [Channel.EMAIL, Channel.TELEGRAM]
    async with database.reading() as session:
        texts = await campaigns.variants(session, occurred.campaign_id)
        kept = await session.get_one(Schedule, schedule.id)
    assert [(text.language, text.subject, text.body) for text in texts.values()] == [
        (Language.ENGLISH, "News", "Hello"),
        (Language.ITALIAN, "Novità", "Ciao"),
    ]
    assert kept.next_at == FIRST + WEEK


async def test_of_two_processes_one_makes_the_campaign(database: Database, now: datetime) -> None:
    await _repeated(database, now)
    made = await asyncio.gather(*(_occur(database, FIRST) for _ in range(4)))
    assert sum(map(len, made)) == 1
    assert len(await _made(database)) == 1


async def test_a_process_that_dies_before_the_commit_has_done_nothing_and_the_next_does_it_once(
    database: Database, now: datetime
) -> None:
    schedule = await _repeated(database, now)
    assert schedule.id is not None
    async with database.transaction() as session:
        assert await schedules.occur(session, schedule.id, FIRST)
        await session.rollback()
    assert await _made(database) == []
    assert len(await _occur(database, FIRST)) == 1
    assert await _occur(database, FIRST) == []


async def test_missed_occurrences_come_as_one_the_newest(database: Database, now: datetime) -> None:
    await _repeated(database, now)
    [occurred] = await _occur(database, FIRST + 3 * WEEK + timedelta(days=2))
    assert (occurred.at, occurred.missed) == (FIRST + 3 * WEEK, 3)
    assert await _occur(database, FIRST + 4 * WEEK - timedelta(seconds=1)) == []
    [following] = await _occur(database, FIRST + 4 * WEEK)
    assert following.at == FIRST + 4 * WEEK


async def test_an_occurrence_that_was_made_is_never_made_again(database: Database, now: datetime) -> None:
    schedule = await _repeated(database, now)
    await _occur(database, FIRST)
    async with database.transaction() as session:
        kept = await session.get_one(Schedule, schedule.id)
        kept.next_at = FIRST
    assert await _occur(database, FIRST + timedelta(hours=1)) == []
    assert len(await _made(database)) == 1


async def test_a_stopped_schedule_makes_nothing_and_goes_on_with_its_next_date(
    database: Database, now: datetime
) -> None:
    schedule = await _repeated(database, now)
    assert schedule.id is not None
    async with database.transaction() as session:
        await schedules.stop(session, schedule.id, now)
        with pytest.raises(NotAllowed, match="is stopped already"):
            await schedules.stop(session, schedule.id, now)
    later = FIRST + WEEK + timedelta(hours=1)
    assert await _occur(database, later) == []
    async with database.transaction() as session:
        assert (await schedules.start(session, schedule.id, later)).next_at == FIRST + 2 * WEEK
        with pytest.raises(NotAllowed, match="is running already"):
            await schedules.start(session, schedule.id, later)
    assert len(await _occur(database, FIRST + 2 * WEEK)) == 1


async def test_a_campaign_repeats_by_one_rule_at_a_time_and_only_once_approved(
    database: Database, now: datetime
) -> None:
    schedule = await _repeated(database, now)
    assert schedule.id is not None
    async with database.transaction() as session:
        with pytest.raises(NotAllowed, match=f"repeats already .* repeats stop {schedule.id}"):
            await schedules.create(session, schedule.campaign_id, MONDAYS, ZONE, now)
        await schedules.stop(session, schedule.id, now)
        await schedules.create(session, schedule.campaign_id, parse("every day"), ZONE, now)
        with pytest.raises(NotAllowed, match="repeats already"):
            await schedules.start(session, schedule.id, now)
        draft = Draft("d", Audience(), (Channel.EMAIL,), "newsletter", "hash", {})
        number = (await campaigns.create(session, draft, now)).id or 0
        with pytest.raises(NotAllowed, match="is draft: you cannot repeat it; it must be approved"):
            await schedules.create(session, number, MONDAYS, ZONE, now)
        with pytest.raises(NotFound, match="there is no repeat 99"):
            await schedules.stop(session, 99, now)


async def test_cancelling_a_campaign_ends_its_repeats(database: Database, now: datetime) -> None:
    schedule = await _repeated(database, now)
    assert schedule.id is not None
    async with database.transaction() as session:
        await campaigns.cancel(session, schedule.campaign_id, now)
    assert await _occur(database, FIRST) == []
    async with database.transaction() as session:
        assert (await session.get_one(Schedule, schedule.id)).stopped_at == FIRST
        with pytest.raises(NotAllowed, match="is cancelled"):
            await schedules.start(session, schedule.id, FIRST)


async def test_all_schedules_can_be_stopped_for_a_reason(database: Database, now: datetime) -> None:
    await _repeated(database, now)
    async with database.transaction() as session:
        await schedules.stop_all(session, Reason.RESTORED, now)
        [(schedule, campaign)] = await schedules.listing(session)
    assert (schedule.stopped_at, schedule.reason) == (now, Reason.RESTORED)
    assert campaign.name == "monthly"


async def test_copies_carry_what_was_written_and_not_what_a_digest_filled_in(
    database: Database, now: datetime
) -> None:
    schedule = await _repeated(database, now)
    letters = {language: {"subject": "s"} for language in (Language.ENGLISH, Language.ITALIAN)}
    filled = dict.fromkeys(letters, "Hello, and much more")
    async with database.transaction() as session:
        source = await campaigns.get(session, schedule.campaign_id)
        source.status, source.scheduled_at = Status.SCHEDULED, now
        await session.flush()
        assert await campaigns.start(session, schedule.campaign_id, letters, now, bodies=filled)
    [occurred] = await _occur(database, FIRST)
    async with database.reading() as session:
        sent = await campaigns.variants(session, schedule.campaign_id)
        copied = await campaigns.variants(session, occurred.campaign_id)
    assert sent[Language.ITALIAN].body == "Hello, and much more"
    assert (copied[Language.ENGLISH].body, copied[Language.ITALIAN].body) == ("Hello", "Ciao")


async def test_the_last_issue_is_the_newest_that_began(database: Database, now: datetime) -> None:
    schedule = await _repeated(database, now)
    issues = [(await _occur(database, FIRST + number * WEEK))[0].campaign_id for number in range(3)]
    async with database.transaction() as session:
        assert await schedules.last_issue(session, issues[2]) is None
        for number, issue in enumerate(issues[:2]):
            campaign = await campaigns.get(session, issue)
            campaign.status, campaign.started_at = Status.SENT, FIRST + number * WEEK
        await session.flush()
        assert await schedules.last_issue(session, issues[2]) == FIRST + WEEK
        assert await schedules.last_issue(session, issues[1]) == FIRST
        assert await schedules.last_issue(session, schedule.campaign_id) == FIRST + WEEK
        alone = await _approved(session, now)
        assert await schedules.last_issue(session, alone) is None
