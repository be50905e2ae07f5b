"""What happens by the clock: due campaigns start once, broken ones are held, old data goes."""

import asyncio
from datetime import timedelta

import pytest
from sqlmodel import col, select

from domain import campaigns, notices, questions
from domain.campaigns import Status
from domain.chats import Chat
from domain.claimants import Claimant
from domain.deliveries import Delivery
from domain.deliveries import Status as Delivered
from domain.languages import Language
from domain.notices import Kind, Notice
from domain.projects import Project
from domain.questions import Question
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


async def test_a_campaign_whose_letters_cannot_be_made_is_paused_and_hurts_no_other(office: Office) -> None:
    await office.add_reader("ana@example.org")
    broken = await office.schedule(body="{{ nobody.knows }}")
    fine = await office.schedule()
    await _ticker(office).tick()
    assert await office.status(broken) is Status.PAUSED
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
