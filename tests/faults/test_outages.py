"""A database that is away for a while: nothing is lost, nothing goes twice, no restart is needed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from sqlalchemy import make_url

from domain.deliveries import Status
from tests.faults.processes import ROUNDS
from tests.faults.proxies import Proxy
from tests.faults.rigs import Rig, check_copies
from tests.faults.stores import locked

READERS = [f"reader+{number}" for number in range(1500 * ROUNDS)]
AWAY = 2.0 if ROUNDS == 1 else 40.0
"""Seconds; 40 are longer than SQLite waits for a lock."""
LOSES_EVERY = 5


@asynccontextmanager
async def _proxied(rig: Rig) -> AsyncIterator[tuple[Proxy, str]]:
    """Put a wire that can be cut between the mailers and PostgreSQL; yields the address to it."""
    rig.environment["PGSSLMODE"] = "disable"  # the proxy reads along
    async with Proxy(rig.url) as proxy:
        address = make_url(rig.url).set(host="127.0.0.1", port=proxy.port)
        yield proxy, address.render_as_string(hide_password=False)


@asynccontextmanager
async def _cut(proxy: Proxy) -> AsyncIterator[None]:
    await proxy.cut()
    yield
    await proxy.mend()


async def _outlast(rig: Rig, url: str, outage: AbstractAsyncContextManager[None], campaign: int) -> None:
    async with rig.running(url=url) as mailer:
        await rig.received(len(READERS) // 4)
        async with outage:
            await asyncio.sleep(AWAY)
            assert len(rig.relay.copies) < len(READERS), "the campaign was over before the outage"
        await rig.sent(campaign, expiring=True)
        assert mailer.running


async def test_a_database_that_is_away_for_a_while_costs_no_letter_and_no_copy(rig: Rig) -> None:
    await rig.prepare(READERS)
    campaign = await rig.schedule()
    if rig.database.is_sqlite:
        await _outlast(rig, rig.url, locked(rig.url), campaign)
    else:
        async with _proxied(rig) as (proxy, url):
            await _outlast(rig, url, _cut(proxy), campaign)
    rows = await rig.rows(campaign)
    check_copies(rig.relay.copies, rows, extra=0)
    assert {row.status for row in rows.values()} == {Status.SENT}


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_commits_whose_answers_are_lost_cost_no_letter_and_no_copy(rig: Rig) -> None:
    await rig.prepare(READERS)
    campaign = await rig.schedule()
    async with _proxied(rig) as (proxy, url), rig.running(url=url):
        await rig.received(1)
        proxy.loses_every = LOSES_EVERY
        await rig.sent(campaign, expiring=True)
        assert proxy.answers_lost > 0
        proxy.loses_every = 0
    rows = await rig.rows(campaign)
    check_copies(rig.relay.copies, rows, extra=0)
    assert {row.status for row in rows.values()} == {Status.SENT}
