"""Several processes, and processes that are asked to end: each letter goes exactly once."""

import asyncio

import pytest

from domain.deliveries import Status
from tests.faults.processes import ROUNDS
from tests.faults.rigs import WINDOW, Rig, check_copies
from tests.faults.scripts import EVERYONE, SILENT, Act, Moment
from tests.faults.stores import locked

SHORT_DRAIN = {"mailer.role.DRAIN": 1.0}
READERS = [f"reader+{number}" for number in range(1500 * ROUNDS)]


async def _check_each_once(rig: Rig, campaign: int) -> None:
    rows = await rig.rows(campaign)
    check_copies(rig.relay.copies, rows, extra=0)
    assert {row.status for row in rows.values()} == {Status.SENT}
    assert len(rig.relay.copies) == len(rows) == len(READERS)


async def test_two_mailers_at_once_share_the_work_and_send_each_letter_once(rig: Rig) -> None:
    both_at_work = asyncio.Event()
    rig.relay.scripts.plan(EVERYONE, Moment.END, Act(until=both_at_work), times=len(READERS))
    await rig.prepare(READERS)
    campaign = await rig.schedule()

    async def shared() -> bool:
        return len({row.claimed_by for row in (await rig.rows(campaign)).values()} - {None}) == 2

    async with rig.running(), rig.running():
        await rig.until("both mailers have claimed letters", shared)
        both_at_work.set()
        await rig.sent(campaign)
    await _check_each_once(rig, campaign)


async def test_a_mailer_that_is_asked_to_end_leaves_nothing_in_doubt(rig: Rig) -> None:
    rig.relay.delay = 0.02
    await rig.prepare(READERS)
    campaign = await rig.schedule()
    async with rig.running():
        await rig.received(30)
    assert len(rig.relay.copies) < len(READERS), "the campaign was over before the end"
    rows = await rig.rows(campaign)
    assert {row.status for row in rows.values()} == {Status.SENT, Status.QUEUED}
    assert {row.reason for row in rows.values()} == {""}
    check_copies(rig.relay.copies, rows, extra=0)
    async with rig.running():
        await rig.sent(campaign)
    await _check_each_once(rig, campaign)


async def test_a_silent_relay_keeps_no_mailer_from_ending(rig: Rig) -> None:
    rig.constants = SHORT_DRAIN
    rig.relay.scripts.plan("reader+20@example.org", Moment.END, SILENT)
    await rig.prepare(READERS)
    campaign = await rig.schedule()
    async with rig.running() as mailer:
        await rig.until("a letter waits for an answer", lambda: _is_silent(rig))
    assert "mailer_cut_off" in mailer.log
    async with rig.running():
        await rig.sent(campaign)
    await _check_each_once(rig, campaign)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite's own wait is half a minute
async def test_a_database_that_is_away_keeps_no_mailer_from_ending(rig: Rig) -> None:
    rig.constants, rig.relay.delay = SHORT_DRAIN, 0.01
    await rig.prepare(READERS)
    campaign = await rig.schedule()
    mailer = rig.start()
    await rig.received(30)
    async with locked(rig.url):
        await rig.still()
        mailer.terminate()
        assert await mailer.gone() == 0, mailer.log
    assert "mailer_cut_off" in mailer.log
    async with rig.running():
        await rig.sent(campaign)
    rows = await rig.rows(campaign)
    check_copies(rig.relay.copies, rows, extra=WINDOW)
    assert {row.status for row in rows.values()} == {Status.SENT}


async def _is_silent(rig: Rig) -> bool:
    return bool(rig.relay.silent)
