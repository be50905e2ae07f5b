"""kill -9 at random moments and between every two steps: nothing is lost, copies stay within the window."""

import asyncio
import random
import signal

from domain.deliveries import Delivery, Status
from tests.faults.copies import by_recipient
from tests.faults.crashing import Step
from tests.faults.processes import ROUNDS
from tests.faults.rigs import WINDOW, Rig, check_copies
from tests.faults.scripts import EVERYONE, Moment, calls
from tests.faults.stores import locked

KILLS = 3 * ROUNDS
READERS = 300 * ROUNDS
READERS_PER_STEP = 20
PLENTY = 2_000
"""More than are sent while somebody waits for the ledger's lock."""
MOMENTS = (
    Moment.MAIL,
    Moment.RCPT,
    Moment.DATA,
    Moment.BODY,
    Moment.END,
    Moment.ANSWERED,
)


def _names(count: int) -> list[str]:
    return [f"reader+{number}" for number in range(count)]


async def _check_all_arrived(rig: Rig, campaign: int, *, extra: int) -> None:
    rows = await rig.rows(campaign)
    check_copies(rig.relay.copies, rows, extra=extra)
    assert {who for who, row in rows.items() if row.status is not Status.SENT} == set()
    assert by_recipient(rig.relay.copies).keys() == rows.keys()
    assert (await rig.progress(campaign)).balanced


def _check_ledger_runs_behind(rig: Rig, rows: dict[str, Delivery]) -> None:
    sent = {who for who, row in rows.items() if row.status is Status.SENT}
    assert sent - by_recipient(rig.relay.copies).keys() == set(), (
        "the ledger says sent before the relay has it"
    )


async def test_without_a_fault_each_letter_arrives_once(rig: Rig) -> None:
    await rig.prepare(_names(READERS))
    campaign = await rig.schedule()
    async with rig.running():
        await rig.sent(campaign)
    await _check_all_arrived(rig, campaign, extra=0)


async def test_a_mailer_killed_at_random_moments_loses_nothing(rig: Rig) -> None:
    moments = random.Random(20261124)
    await rig.prepare(_names(READERS))
    campaign = await rig.schedule()
    share = READERS // (KILLS + 1)
    for kill in range(KILLS):
        mailer = rig.start()
        await rig.received(kill * share + moments.randrange(1, share))
        await asyncio.sleep(moments.uniform(0, 0.03))
        mailer.kill()
        assert await mailer.gone() == -signal.SIGKILL
        _check_ledger_runs_behind(rig, await rig.rows(campaign))
    async with rig.running():
        await rig.sent(campaign)
    await _check_all_arrived(rig, campaign, extra=KILLS * WINDOW)


async def test_what_a_killed_mailer_held_is_left_to_the_lead_who_wants_no_copies(rig: Rig) -> None:
    rig.more_settings = '[delivery]\nambiguous = "hold"\n'
    rig.relay.delay = 0.01
    await rig.prepare(_names(READERS))
    campaign = await rig.schedule()
    mailer = rig.start()
    await rig.received(40)
    mailer.kill()
    assert await mailer.gone() == -signal.SIGKILL
    async with rig.running():
        await rig.sent(campaign)
    rows = await rig.rows(campaign)
    check_copies(rig.relay.copies, rows, extra=0)
    assert {(row.status, row.reason) for row in rows.values()} == {
        (Status.SENT, ""),
        (Status.UNCERTAIN, "sender_died"),
    }
    assert (await rig.progress(campaign)).balanced


async def test_a_mailer_killed_between_any_two_steps_of_sending_loses_nothing(rig: Rig) -> None:
    await rig.prepare(_names(READERS_PER_STEP * len(MOMENTS)))
    campaign = await rig.schedule()
    for moment in MOMENTS:
        mailer = rig.start()
        rig.relay.scripts.plan(EVERYONE, moment, calls(mailer.kill))
        assert await mailer.gone() == -signal.SIGKILL, moment
        rig.relay.scripts.heal()
        _check_ledger_runs_behind(rig, await rig.rows(campaign))
    async with rig.running():
        await rig.sent(campaign)
    await _check_all_arrived(rig, campaign, extra=len(MOMENTS) * WINDOW)


async def test_a_mailer_that_dies_between_any_two_steps_of_the_ledger_loses_nothing(rig: Rig) -> None:
    await rig.prepare(_names(READERS_PER_STEP * len(Step)))
    campaign = await rig.schedule()
    for step in Step:
        mailer = rig.start(crash_at=step)
        assert await mailer.gone() == -signal.SIGKILL, f"it never came to {step}: {await rig.state()}"
        _check_ledger_runs_behind(rig, await rig.rows(campaign))
    async with rig.running():
        await rig.sent(campaign)
    records = [step for step in Step if step.startswith("record")]
    await _check_all_arrived(rig, campaign, extra=(1 + len(records)) * WINDOW)


async def test_while_nothing_can_be_recorded_no_more_than_a_window_is_sent(rig: Rig) -> None:
    await rig.prepare(_names(PLENTY))
    campaign = await rig.schedule()
    mailer = rig.start()
    await rig.received(WINDOW)
    async with locked(rig.url):
        await rig.still()
        recorded = [row for row in (await rig.rows(campaign)).values() if row.status is Status.SENT]
        assert len(rig.relay.copies) - len(recorded) <= WINDOW
        assert len(rig.relay.copies) < PLENTY
        mailer.kill()
        assert await mailer.gone() == -signal.SIGKILL
    async with rig.running():
        await rig.sent(campaign)
    await _check_all_arrived(rig, campaign, extra=WINDOW)
