"""A backup that is put back sends nothing by itself: it does not know what went out after it was made."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlmodel import select, update

from domain import campaigns, notices, schedules
from domain.audiences import Audience
from domain.campaigns import Draft, Reason, Status, Text
from domain.database import Database, DatabaseSettings
from domain.deliveries import Delivery
from domain.deliveries import Status as Delivered
from domain.languages import Language
from domain.notices import Kind, Notice
from domain.recurrences import parse
from domain.subscribers import Channel
from mailer.tickers import Ticker
from tests.copies import copied
from tests.mailer.offices import Office, running, until

HOUR = timedelta(hours=1)


@asynccontextmanager
async def _restored(office: Office, url: str) -> AsyncIterator[Office]:
    """A copy of the office's database under another name, before anybody has looked at it."""
    async with copied(office.database, url) as copy:
        database = Database(DatabaseSettings(url=copy))
        yield Office(database, office.stationery, office.relay, office.clock)
        await database.close()
        shutil.rmtree(database.folder, ignore_errors=True)


async def _run_until_something_new_is_sent(office: Office) -> None:
    """Run a mailer until it has sent what is scheduled meanwhile: by then it had time for the rest."""

    async def nothing_runs() -> bool:
        async with office.database.reading() as session:
            return not await campaigns.active(session)

    async with running(office.mailer()):
        await until(nothing_runs)
        await office.sent(await office.schedule(subject="New"))


async def _repeat(office: Office) -> None:
    texts = {Language.ENGLISH: Text("Daily", "", "Hello")}
    draft = Draft("daily", Audience(), (Channel.EMAIL,), "newsletter", "hash", texts)
    async with office.database.transaction() as session:
        number = (await campaigns.create(session, draft, office.clock())).id
        assert number is not None
        await campaigns.approve(session, number, office.clock())
        await schedules.create(session, number, parse("every day 09:30"), "UTC", office.clock())


def _subjects(office: Office) -> list[str]:
    return sorted(letter.subject for letter in office.relay.letters)


async def test_a_restored_copy_holds_everything_and_sends_nothing_by_itself(
    office: Office, database_url: str
) -> None:
    await office.add_reader("ana@example.org")
    sending = await office.schedule(subject="Sending")
    await office.start(sending)
    office.clock.move(timedelta(minutes=1))
    coming = await office.schedule(subject="Coming")
    await _repeat(office)
    async with office.database.transaction() as session:
        later = office.clock() + timedelta(days=1)
        await campaigns.schedule(session, coming, later, "UTC", office.clock())
        await notices.queue(session, Kind.WELCOME, "c@example.org", Language.ENGLISH, {}, office.clock())
    async with _restored(office, database_url) as copy:
        await _run_until_something_new_is_sent(copy)
        copy.clock.move(HOUR)
        await _run_until_something_new_is_sent(copy)
        assert _subjects(copy) == ["New", "New"]
        for campaign in (sending, coming):
            held = (await copy.progress(campaign)).campaign
            assert (held.status, held.reason) == (Status.PAUSED, Reason.RESTORED)
        async with copy.database.reading() as session:
            [(schedule, _)] = await schedules.listing(session)
            assert schedule.reason is Reason.RESTORED
            assert (await session.exec(select(Notice.status))).all() == [notices.Status.FAILED]
        await copy.resume(sending)
        async with running(copy.mailer()):
            await copy.sent(sending)
        assert _subjects(copy) == ["New", "New", "Sending"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_file_that_is_put_back_in_its_place_is_held_too(office: Office, database_url: str) -> None:
    await office.add_reader("ana@example.org")
    campaign = await office.schedule()
    await office.start(campaign)
    async with copied(office.database, database_url) as backup:
        office.clock.move(timedelta(minutes=1))
        async with running(office.mailer()):
            await office.sent(campaign)
        await office.database.close()
        shutil.copy(backup.removeprefix("sqlite:///"), database_url.removeprefix("sqlite:///"))
    await _run_until_something_new_is_sent(office)
    assert _subjects(office) == ["New", "News"]
    progress = await office.progress(campaign)
    assert progress.campaign.reason is Reason.RESTORED
    assert progress.counts[Delivered.QUEUED] == 1


async def test_what_was_being_sent_when_the_machine_slept_asks(office: Office) -> None:
    await office.add_reader("ana@example.org")
    campaign = await office.schedule()
    await office.start(campaign)
    office.clock.move(7 * HOUR)
    await _run_until_something_new_is_sent(office)
    assert _subjects(office) == ["New"]
    held = (await office.progress(campaign)).campaign
    assert (held.status, held.reason) == (Status.PAUSED, Reason.LATE)
    await office.resume(campaign)
    async with running(office.mailer()):
        await office.sent(campaign)


async def test_what_was_being_sent_during_a_short_stop_goes_on(office: Office) -> None:
    await office.add_reader("ana@example.org")
    campaign = await office.schedule()
    await office.start(campaign)
    office.clock.move(5 * HOUR)
    async with running(office.mailer()):
        await office.sent(campaign)


async def test_what_had_all_gone_out_before_the_sleep_just_ends(office: Office) -> None:
    await office.add_reader("ana@example.org")
    campaign = await office.schedule()
    await office.start(campaign)
    async with office.database.transaction() as session:
        await session.exec(update(Delivery).values(status=Delivered.SENT))
    office.clock.move(7 * HOUR)
    await Ticker(office.database, office.stationery, office.clock).tick()
    assert await office.status(campaign) is Status.SENT
