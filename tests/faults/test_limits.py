"""Limits: a slow relay or domain never keeps a pause, a cancellation, another domain or campaign waiting."""

from functools import partial

from domain.campaigns import Status as Stage
from domain.deliveries import Skip, Status
from tests.faults.rigs import Rig, check_copies

READERS = [f"reader+{number}" for number in range(60)]
MORE_THAN_TWO_CLAIMS = [f"reader+{number}" for number in range(120)]
"""A campaign that starts after another is seen by the second claim, and shares from the third on."""
SLOW = [f"reader+{number}@slow.example" for number in range(20)]
ONE_IN_A_LONG_TIME = 0.001
"""Letters a second: the first goes at once, the second in a quarter of an hour."""


async def _check_stopped(rig: Rig, campaign: int) -> None:
    """Check that a cancelled campaign ended: who had no letter was skipped."""
    rows = await rig.rows(campaign)
    check_copies(rig.relay.copies, rows, extra=0)
    assert {(row.status, row.reason) for row in rows.values()} == {
        (Status.SENT, ""),
        (Status.SKIPPED, Skip.CANCELLED),
    }
    progress = await rig.progress(campaign)
    assert progress.balanced
    assert progress.campaign.status is Stage.CANCELLED


async def test_a_slow_relay_keeps_neither_pause_nor_cancellation_waiting(rig: Rig) -> None:
    rig.more_settings, rig.constants = "per_second = 5\n", {"mailer.senders.STALE": 0.5}
    await rig.prepare(READERS)
    campaign = await rig.schedule()
    async with rig.running():
        await rig.received(1)
        await rig.pause(campaign)
        await rig.paused(campaign)
        received = len(rig.relay.copies)
        assert received < len(READERS), "the campaign was over before the pause"
        await rig.resume(campaign)
        await rig.received(received + 1)
        await rig.cancel(campaign)
        await rig.until("nothing is on its way", partial(_is_at_rest, rig, campaign))
    assert len(rig.relay.copies) < len(READERS), "the campaign was over before it was cancelled"
    await _check_stopped(rig, campaign)


async def test_two_campaigns_share_a_slow_relay(rig: Rig) -> None:
    rig.more_settings = "per_second = 20\n"
    await rig.prepare(MORE_THAN_TWO_CLAIMS)
    both = await rig.schedule(), await rig.schedule()
    async with rig.running():
        await rig.received(len(MORE_THAN_TWO_CLAIMS))
        recipients = {copy.recipient for copy in rig.relay.copies[: len(MORE_THAN_TWO_CLAIMS)]}
        assert len(recipients) < len(MORE_THAN_TWO_CLAIMS), "the second campaign has to wait for the first"
        for campaign in both:
            await rig.cancel(campaign)
            await rig.until("nothing is on its way", partial(_is_at_rest, rig, campaign))
    assert len({copy.message_id for copy in rig.relay.copies}) == len(rig.relay.copies)


async def test_a_slow_domain_keeps_nobody_else_waiting_and_can_be_cancelled(rig: Rig) -> None:
    rig.more_settings = f'[delivery.per_domain]\n"slow.example" = {ONE_IN_A_LONG_TIME}\n'
    await rig.prepare([*SLOW, *READERS])
    first = await rig.schedule()
    async with rig.running():
        await rig.received(len(READERS) + 1)
        second = await rig.schedule()
        await rig.received(2 * len(READERS) + 1)
        for campaign in (first, second):
            await rig.pause(campaign)
            await rig.paused(campaign)
        rows = await rig.rows(first) | await rig.rows(second)
        waiting = {who for who, row in rows.items() if row.status is Status.QUEUED}
        assert all(who.endswith("@slow.example") for who in waiting)
        assert len(rig.relay.copies) == 2 * len(READERS) + 1
        for campaign in (first, second):
            await rig.cancel(campaign)
    assert (await rig.progress(first)).balanced
    assert (await rig.progress(second)).balanced
    assert (await rig.progress(first)).counts[Status.SKIPPED] == len(SLOW) - 1
    assert (await rig.progress(second)).counts[Status.SKIPPED] == len(SLOW)


async def _is_at_rest(rig: Rig, campaign: int) -> bool:
    return (await rig.progress(campaign)).balanced
