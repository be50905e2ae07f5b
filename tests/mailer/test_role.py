"""The mailer as a role: it stops within its bound, and it does not start without a relay."""

import asyncio
import time
from datetime import datetime

import pytest

from domain import claimants
from domain.errors import Invalid
from mailer.role import DRAIN, Mailer
from tests.mailer.offices import Office, running


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


async def test_without_a_relay_there_is_no_mailer(office: Office) -> None:
    with pytest.raises(Invalid, match="name at least one relay"):
        Mailer(office.database, office.stationery, [])
