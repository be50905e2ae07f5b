"""What happens by the clock: due campaigns start once, broken ones are held, old data goes."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import col, select

from domain import campaigns, notices, questions, schedules
from domain.audiences import Audience
from domain.campaigns import Campaign, Draft, Reason, Status, Text
from domain.chats import Chat
from domain.claimants import Claimant
from domain.deliveries import Delivery
from domain.deliveries import Status as Delivered
from domain.languages import Language
from domain.notices import Kind, Notice
from domain.projects import Project
from domain.questions import Question
from domain.recurrences import parse
from domain.subscribers import Channel
from mailer.delays import ScheduleSettings
from mailer.ledgers import LEASE, Ledger
from mailer.tickers import Ticker
from tests.mailer.offices import Office, running, until


def _ticker(office: Office) -> Ticker:
    return Ticker(office.database, office.stationery, office.clock)


async def test_a_campaign_starts_when_its_time_has_come_and_two_tickers_start_it_once(office: Office) -> None:
    await office.add_reader("ana@example.org")
    campaign = await office.schedule()
    office.clock.move(-timedelta(seconds=1))
    await _ticker(office).tick()
    assert await office.status(campaign) is Status.SCHEDULED
    office.clock.move(timedelta(seconds=1))
    await asyncio.gather(_ticker(office).tick(), _ticker(office).tick())
    progress = await office.progress(campaign)
    assert progress.campaign.status is Status.SENDING
    assert progress.counts[Delivered.QUEUED] == 1


async def test_a_campaign_due_while_nobody_ran_goes_once(office: Office) -> None:
    await office.add_reader("ana@example.org")
    campaign = await office.schedule()
    office.clock.move(timedelta(hours=5))
    async with running(office.mailer()):
        await office.sent(campaign)
    async with running(office.mailer()):
        await office.schedule(subject="Later")
        await office.relay.wait_for("ana@example.org", count=2)
    assert [letter.subject for letter in office.relay.letters] == ["News", "Later"]


@pytest.mark.parametrize(
    ("hours", "late", "status"),
    [
        (6, timedelta(hours=6), Status.SENDING),
        (6, timedelta(hours=6, seconds=1), Status.PAUSED),
        (0, timedelta(minutes=1), Status.SENDING),
        (0, timedelta(minutes=1, seconds=1), Status.PAUSED),
        (0.5, timedelta(minutes=31), Status.PAUSED),
    ],
)
async def test_a_campaign_found_due_too_late_asks_and_goes_once_it_is_resumed(
    office: Office, hours: float, late: timedelta, status: Status
) -> None:
    await office.add_reader("ana@example.org")
    campaign = await office.schedule()
    office.clock.move(late)
    settings = ScheduleSettings(max_late_hours=hours)
    ticker = Ticker(office.database, office.stationery, office.clock, settings)
    await ticker.tick()
    found = (await office.progress(campaign)).campaign
    assert (found.status, found.reason) == (status, Reason.LATE if status is Status.PAUSED else None)
    if status is Status.PAUSED:
        await ticker.tick()
        assert await office.status(campaign) is Status.PAUSED
        await office.resume(campaign)
        await ticker.tick()
    assert await office.status(campaign) is Status.SENDING


async def _repeat(office: Office, rule: str, zone: str = "Europe/Ljubljana") -> None:
    texts = {Language.ENGLISH: Text("Daily", "", "Hello")}
    draft = Draft("daily", Audience(), (Channel.EMAIL,), "newsletter", "hash", texts)
    async with office.database.transaction() as session:
        number = (await campaigns.create(session, draft, office.clock())).id
        assert number is not None
        await campaigns.approve(session, number, office.clock())
        await schedules.create(session, number, parse(rule), zone, office.clock())


async def _repeated(office: Office) -> list[Campaign]:
    """Return what the schedules made, oldest first."""
    async with office.database.reading() as session:
        found = await campaigns.listing(session)
    return [campaign for campaign in reversed(found) if campaign.scheduled_at]


async def test_a_repeated_campaign_starts_at_each_of_its_times_also_with_two_tickers(office: Office) -> None:
    await office.add_reader("ana@example.org")
    await _repeat(office, "every day 12:00")
    for _ in range(18):
        office.clock.move(timedelta(hours=4))
        await asyncio.gather(_ticker(office).tick(), _ticker(office).tick())
    made = await _repeated(office)
    assert [campaign.name for campaign in made] == [
        "daily 2026-11-24",
        "daily 2026-11-25",
        "daily 2026-11-26",
    ]
    assert {campaign.status for campaign in made} == {Status.SENDING}


async def test_a_repeated_campaign_goes_once_in_the_night_that_repeats_an_hour(office: Office) -> None:
    await office.add_reader("ana@example.org")
    office.clock.at = datetime(2026, 10, 24, 12, 0, tzinfo=UTC)
    await _repeat(office, "every Sunday 02:30")
    office.clock.at = datetime(2026, 10, 25, 0, 0, tzinfo=UTC)
    for _ in range(16):
        await _ticker(office).tick()
        office.clock.move(timedelta(minutes=15))
    [made] = await _repeated(office)
    assert made.scheduled_at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert made.status is Status.SENDING


async def test_occurrences_missed_for_long_come_as_one_campaign_that_asks(office: Office) -> None:
    await office.add_reader("ana@example.org")
    await _repeat(office, "every Monday 08:00")
    office.clock.move(timedelta(days=17))  # a Friday
    await _ticker(office).tick()
    [made] = await _repeated(office)
    assert (made.name, made.status, made.reason) == ("daily 2026-12-07", Status.PAUSED, Reason.LATE)
    await _ticker(office).tick()
    assert len(await _repeated(office)) == 1


async def test_a_mailer_killed_after_an_occurrence_was_made_leaves_its_start_to_the_next(
    office: Office,
) -> None:
    class Dying(Ticker):
        async def _start(self, campaign_id: int) -> None:
            raise ZeroDivisionError(campaign_id)

    await office.add_reader("ana@example.org")
    await _repeat(office, "every day 12:00")
    office.clock.move(timedelta(hours=3))
    with pytest.raises(ZeroDivisionError):
        await Dying(office.database, office.stationery, office.clock).tick()
    [made] = await _repeated(office)
    assert made.status is Status.SCHEDULED
    await _ticker(office).tick()
    [made] = await _repeated(office)
    assert made.status is Status.SENDING


async def test_a_campaign_whose_letters_cannot_be_made_is_paused_and_hurts_no_other(office: Office) -> None:
    await office.add_reader("ana@example.org")
    broken = await office.schedule(body="{{ nobody.knows }}")
    fine = await office.schedule()
    await _ticker(office).tick()
    held = (await office.progress(broken)).campaign
    assert (held.status, held.reason) == (Status.PAUSED, Reason.UNFIT)
    assert await office.status(fine) is Status.SENDING


async def test_a_campaign_is_held_until_the_project_is_imported(office: Office) -> None:
    await office.add_reader("ana@example.org")
    campaign = await office.schedule()
    async with office.database.transaction() as session:
        await session.delete((await session.exec(select(Project))).one())
    await _ticker(office).tick()
    assert await office.status(campaign) is Status.PAUSED


async def test_a_cancelled_campaign_still_balances(office: Office) -> None:
    for name in ("ana", "bor"):
        await office.add_reader(f"{name}@example.org")
    campaign = await office.schedule()
    await office.start(campaign)
    with Claimant(office.database.folder) as claimant:
        ledger = Ledger(office.database, office.stationery, office.clock, claimant.name)
        assert len(await ledger.claim(50)) == 2
    async with office.database.transaction() as session:
        await campaigns.cancel(session, campaign, office.clock())
    await _ticker(office).tick()
    assert not (await office.progress(campaign)).balanced
    office.clock.move(LEASE)
    await _ticker(office).tick()
    progress = await office.progress(campaign)
    assert progress.balanced
    assert progress.counts[Delivered.UNCERTAIN] == 2


async def test_what_a_dead_process_held_is_taken_over_at_once(office: Office) -> None:
    await office.add_reader("ana@example.org")
    campaign = await office.schedule()
    await office.start(campaign)
    dead = Claimant(office.database.folder)
    ledger = Ledger(office.database, office.stationery, office.clock, dead.name)
    assert len(await ledger.claim(50)) == 1
    dead.leave()  # what the system does when a process dies
    async with running(office.mailer()):
        await office.sent(campaign)
    assert len(office.relay.letters) == 1
    async with office.database.reading() as session:
        assert (await session.exec(select(Delivery))).one().attempts == 2


async def test_old_notices_and_questions_are_forgotten_and_new_ones_kept(office: Office) -> None:
    async with office.database.transaction() as session:
        for days in (40, 1):
            then = office.clock() - timedelta(days=days)
            await notices.queue(session, Kind.WELCOME, "a@example.org", Language.ENGLISH, {}, then)
            [claimed] = await notices.claim(session, then, limit=1, lease=timedelta(minutes=1))
            await notices.finish(session, claimed, then)
            await questions.record(
                session,
                chat_id=1,
                language=Language.ENGLISH,
                text=f"asked {days} days ago",
                outcome="answer",
                item_key=None,
                now=then,
            )
    await _ticker(office).forget()
    async with office.database.reading() as session:
        assert len((await session.exec(select(Notice))).all()) == 1
        texts = [question.text for question in (await session.exec(select(Question))).all()]
    assert sorted(texts) == ["", "asked 1 days ago"]


async def test_a_dialogue_that_nobody_ended_is_forgotten_after_a_day(office: Office) -> None:
    then = office.clock() - timedelta(days=1)
    async with office.database.transaction() as session:
        for number, begun in ((1, then), (2, then + timedelta(minutes=1))):
            session.add(
                Chat(
                    id=number,
                    language=Language.ENGLISH,
                    dialogue={"email": "a@example.org"},
                    dialogue_begun_at=begun,
                    created_at=then,
                )
            )
    await _ticker(office).forget()
    async with office.database.reading() as session:
        chats = (await session.exec(select(Chat).order_by(col(Chat.id)))).all()
        assert [bool(chat.dialogue) for chat in chats] == [False, True]


async def test_a_defect_in_a_tick_ends_the_ticker_loudly(office: Office) -> None:
    class Broken(Ticker):
        async def tick(self) -> None:
            raise ZeroDivisionError

    broken = Broken(office.database, office.stationery, office.clock)
    with pytest.raises(ZeroDivisionError):
        await asyncio.wait_for(broken.run(asyncio.Event()), 5)


async def test_an_outage_in_a_tick_is_made_up_for_by_the_next(office: Office) -> None:
    class Flaky(Ticker):
        ticks = 0

        async def tick(self) -> None:
            self.ticks += 1
            if self.ticks == 1:
                raise OSError

    flaky, stop = Flaky(office.database, office.stationery, office.clock), asyncio.Event()
    running_ticker = asyncio.create_task(flaky.run(stop))

    async def ticked_again() -> bool:
        return flaky.ticks > 1

    await until(ticked_again)
    stop.set()
    await running_ticker
