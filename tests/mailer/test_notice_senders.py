"""Notices over real SMTP: sent once, tried again when that helps, and emptied of their secrets."""

from datetime import timedelta
from typing import Any

from sqlmodel import select

from demo.mail import Reply
from domain import notices
from domain.languages import Language
from domain.notices import Kind, Notice, Status
from tests.mailer.offices import Office, running, until

PAYLOAD = {"secret": "s3cret", "name": "Ana", "by_chat": False}


async def _queue(office: Office, email: str, payload: dict[str, Any] = PAYLOAD) -> None:
    async with office.database.transaction() as session:
        await notices.queue(session, Kind.CONFIRM, email, Language.SLOVENIAN, payload, office.clock())


async def _wait_for(office: Office, status: Status, reason: str = "") -> Notice:
    async def stands() -> bool:
        row = await _notice(office)
        return (row.status, row.reason) == (status, reason)

    await until(stands)
    return await _notice(office)


async def _notice(office: Office) -> Notice:
    async with office.database.reading() as session:
        return (await session.exec(select(Notice))).one()


async def test_a_confirmation_arrives_and_its_secret_is_forgotten(office: Office) -> None:
    await _queue(office, "ana@example.org")
    async with running(office.mailer()):
        [letter] = await office.relay.wait_for("ana@example.org")
        sent = await _wait_for(office, Status.SENT)
    assert "https://intra.example.org/confirm/s3cret?language=sl" in letter.text
    assert letter.language == "sl"
    assert letter.header("Auto-Submitted") == "auto-generated"
    assert letter.one_click_url is None
    assert sent.payload == {}


async def test_a_temporary_refusal_is_tried_again_as_the_same_message(office: Office) -> None:
    office.relay.script("ana@example.org", Reply(450, "4.2.0 later"))
    office.relay.drop("ana@example.org", "after_data")
    await _queue(office, "ana@example.org")
    async with running(office.mailer()):
        await _wait_for(office, Status.QUEUED, "450 4.2.0")
        office.clock.move(timedelta(minutes=2))
        await _wait_for(office, Status.QUEUED, "connection_lost_in_data")
        office.clock.move(timedelta(minutes=7))
        await _wait_for(office, Status.SENT)
    assert len(office.relay.letters) == 2
    assert len({letter.raw_header("Message-ID") for letter in office.relay.letters}) == 1


async def test_a_final_refusal_ends_it_and_the_secret_goes_too(office: Office) -> None:
    office.relay.script("ana@example.org", Reply(550, "5.1.1 unknown"))
    await _queue(office, "ana@example.org")
    async with running(office.mailer()):
        failed = await _wait_for(office, Status.FAILED, "550 5.1.1")
    assert failed.payload == {}


async def test_a_policy_that_refuses_us_delays_a_notice(office: Office) -> None:
    office.relay.script("ana@example.org", Reply(550, "5.7.1 not from you"))
    await _queue(office, "ana@example.org")
    async with running(office.mailer()):
        await _wait_for(office, Status.QUEUED, "550 5.7.1")
        office.clock.move(timedelta(minutes=2))
        await _wait_for(office, Status.SENT)


async def test_a_relay_that_is_away_delays_a_notice_and_loses_nothing(office: Office) -> None:
    await office.relay.stop()
    await _queue(office, "ana@example.org")
    async with running(office.mailer()):

        async def postponed() -> bool:
            row = await _notice(office)
            return row.status is Status.QUEUED and row.attempts == 1

        await until(postponed)
        row = await _notice(office)
    assert office.clock() < row.due_at <= office.clock() + timedelta(minutes=1)
    assert row.payload == PAYLOAD
