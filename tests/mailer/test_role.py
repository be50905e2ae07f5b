"""The mailer as a role: it stops within its bound, and it does not start without a relay."""

import asyncio
import time

import pytest

from domain import claimants
from domain.errors import Invalid
from mailer.role import DRAIN, Mailer
from tests.mailer.offices import Office


async def test_it_stops_soon_after_it_is_asked_and_leaves_no_lock(office: Office) -> None:
    stop = asyncio.Event()
    running = asyncio.create_task(office.mailer().run(stop))
    await asyncio.sleep(0.2)
    asked = time.monotonic()
    stop.set()
    await running
    assert time.monotonic() - asked < DRAIN / 2
    assert claimants.dead(office.database.folder) == []


async def test_without_a_relay_there_is_no_mailer(office: Office) -> None:
    paper = office.stationery
    with pytest.raises(Invalid, match="name at least one relay"):
        Mailer(office.database, paper.texts, paper.service, paper.mail, [])
