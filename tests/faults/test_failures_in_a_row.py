"""Many final refusals one after the other: the campaign waits for its lead before it fails the whole list."""

from collections import Counter

from domain.deliveries import Status
from mailer.senders import FAILURES_IN_A_ROW
from tests.faults.rigs import Rig, check_copies
from tests.faults.scripts import EVERYONE, Moment, says

READERS = [f"reader+{number}" for number in range(150)]
FAILURE = says("550 5.1.1 no such user")


async def _counts(rig: Rig, campaign: int) -> Counter[Status]:
    return Counter((await rig.progress(campaign)).counts)


async def test_failures_in_a_row_pause_the_campaign_and_are_counted_anew_when_it_goes_on(rig: Rig) -> None:
    rig.more_settings = "[delivery]\nwindow = 1\n"
    rig.relay.scripts.plan(EVERYONE, Moment.RCPT, FAILURE, times=10_000)
    await rig.prepare(READERS)
    campaign = await rig.schedule()
    async with rig.running() as mailer:
        await rig.paused(campaign)
        counts = await _counts(rig, campaign)
        assert counts[Status.FAILED] == FAILURES_IN_A_ROW
        assert counts[Status.QUEUED] == len(READERS) - FAILURES_IN_A_ROW
        assert "campaign_held" in mailer.log

        rig.relay.scripts.heal()
        rig.relay.scripts.plan(EVERYONE, Moment.RCPT, FAILURE, times=FAILURES_IN_A_ROW - 1)
        await rig.resume(campaign)
        await rig.sent(campaign)
    rows = await rig.rows(campaign)
    check_copies(rig.relay.copies, rows, extra=0)
    assert (await rig.progress(campaign)).balanced
    assert (await _counts(rig, campaign))[Status.FAILED] == 2 * FAILURES_IN_A_ROW - 1


async def test_failures_among_letters_that_arrive_pause_nothing(rig: Rig) -> None:
    rig.more_settings = "connections = 1\n"
    rows = [("good" if number % 10 == 0 else "550-5.1.1-at-rcpt") + f"+{number}" for number in range(60)]
    await rig.prepare(rows)
    campaign = await rig.schedule()
    async with rig.running():
        await rig.sent(campaign)
    counts = await _counts(rig, campaign)
    assert (counts[Status.SENT], counts[Status.FAILED]) == (6, 54)
