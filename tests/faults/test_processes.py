"""Several processes, and processes that are asked to end: each letter goes exactly once."""

import pytest

from domain.deliveries import Status
from tests.faults.processes import ROUNDS, Mailer
from tests.faults.rigs import Rig, check_copies
from tests.faults.scripts import SILENT, Moment

READERS = [f"reader+{number}" for number in range(200 * ROUNDS)]


async def _until_started(rig: Rig, *mailers: Mailer) -> None:
    async def started() -> bool:
        return all("service_started" in mailer.log for mailer in mailers)

    await rig.until("the mailers have started", started)


async def _check_each_once(rig: Rig, campaign: int) -> None:
    rows = await rig.rows(campaign)
    check_copies(rig.relay.copies, rows, extra=0)
    assert {row.status for row in rows.values()} == {Status.SENT}
    assert len(rig.relay.copies) == len(rows) == len(READERS)


async def test_two_mailers_at_once_share_the_work_and_send_each_letter_once(rig: Rig) -> None:
    rig.relay.delay = 0.01
    await rig.prepare(READERS)
    async with rig.running() as one, rig.running() as other:
        await _until_started(rig, one, other)
        campaign = await rig.schedule()
        await rig.sent(campaign)
    await _check_each_once(rig, campaign)
    assert len({row.claimed_by for row in (await rig.rows(campaign)).values()}) == 2


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


@pytest.mark.skipif(ROUNDS == 1, reason="waits for the bound of the drain; set HELIXPOST_FAULT_ROUNDS=2")
async def test_a_silent_relay_keeps_no_mailer_from_ending(rig: Rig) -> None:
    rig.relay.scripts.plan("reader+20@example.org", Moment.END, SILENT)
    await rig.prepare(READERS)
    campaign = await rig.schedule()
    async with rig.running():
        await rig.until("a letter waits for an answer", lambda: _is_silent(rig))
    async with rig.running():
        await rig.sent(campaign)
    await _check_each_once(rig, campaign)


async def _is_silent(rig: Rig) -> bool:
    return bool(rig.relay.silent)
