"""The mailer as a role: it stops within its bound, and it does not start without a relay."""

import asyncio
import time
from datetime import datetime

import pytest

from domain import claimants
from domain.deliveries import Status
from domain.errors import Invalid
from mailer.bounce_settings import BouncesSettings, MailboxSettings, ReceiverSettings
from mailer.role import DRAIN, Mailer
from tests.mailer.conftest import Desk
from tests.mailer.offices import Office, running
from tests.mailer.returned_mail import BOUNCES, hand_over, report
from tests.ports import free_port


async def test_it_stops_soon_after_it_is_asked_and_leaves_no_lock(office: Office) -> None:
    stop = asyncio.Event()
    running = asyncio.create_task(office.mailer().run(stop))
    await asyncio.sleep(0.2)
    asked = time.monotonic()
    stop.set()
    await running
    assert time.monotonic() - asked < DRAIN / 2
    assert claimants.dead(office.database.folder) == []


async def test_a_mailer_that_dies_leaves_its_claims_to_the_next_start(office: Office) -> None:
    await office.add_reader("ana@example.org")
    campaign = await office.schedule()

    def clock() -> datetime:
        if office.relay.received:
            raise ZeroDivisionError
        return office.clock()

    dying = Mailer(office.database, office.stationery, [office.relay_settings], clock)
    with pytest.raises(ExceptionGroup):
        await asyncio.wait_for(dying.run(asyncio.Event()), 20)
    async with running(office.mailer()):
        await office.sent(campaign)
    assert len(office.relay.letters) == 2


async def test_it_takes_in_what_comes_back(desk: Desk) -> None:
    office = desk.office
    mailbox = MailboxSettings(host="127.0.0.1", port=1, security="none", username="u", password="p")
    receiver = ReceiverSettings(host="127.0.0.1", port=free_port())
    ways_in = BouncesSettings(address=BOUNCES, mailbox=mailbox, receiver=receiver)
    mailer = Mailer(
        office.database, office.stationery, [office.relay_settings], office.clock, bounces=ways_in
    )
    async with running(mailer):
        await asyncio.to_thread(
            hand_over, receiver.port, desk.path, report("postfix-unknown-user", desk.path)
        )
    assert (await office.progress(desk.campaign)).counts[Status.BOUNCED] == 1


async def test_without_a_relay_there_is_no_mailer(office: Office) -> None:
    with pytest.raises(Invalid, match="name at least one relay"):
        Mailer(office.database, office.stationery, [])
