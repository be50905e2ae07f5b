"""Refusals that are about us, not about a reader: the relay rests or the campaign waits, nobody fails."""

from datetime import timedelta
from functools import partial

from domain import campaigns
from domain.deliveries import Delivery, Status
from domain.times import utc_now
from tests.faults.relays import Offers
from tests.faults.rigs import Rig, check_copies
from tests.faults.scripts import EVERYONE, Moment, says

READERS = [f"good+{number}" for number in range(12)]
VICTIM = "good+5@example.org"
OF_THE_RELAY = (
    (Moment.GREETING, "421 4.7.0 too many connections"),
    (Moment.LOGIN, "535 5.7.8 wrong password"),
    (Moment.MAIL, "421 4.3.2 closing"),
    (Moment.MAIL, "451 4.3.0 local error"),
    (Moment.MAIL, "550 5.7.1 sender refused"),
)
SOON = timedelta(seconds=5)


def _refused(rows: dict[str, Delivery], code: str) -> list[Delivery]:
    return [row for row in rows.values() if row.status is Status.QUEUED and code in row.reason]


async def _until_refused(rig: Rig, campaign: int, code: str) -> None:
    async def refused() -> bool:
        return bool(_refused(await rig.rows(campaign), code))

    await rig.until(f"a delivery waits because of {code}", refused)


async def _status(rig: Rig, campaign: int) -> campaigns.Status:
    return (await rig.progress(campaign)).campaign.status


async def test_a_relay_that_refuses_us_rests_and_nobody_loses_a_letter(rig: Rig) -> None:
    rig.relay.offers, rig.username = Offers(login=True), "us"
    await rig.prepare(READERS)
    campaign = await rig.schedule()
    for moment, reply in OF_THE_RELAY:
        rig.relay.scripts.plan(EVERYONE, moment, says(reply), times=10_000)
        async with rig.running():
            await _until_refused(rig, campaign, reply[:3])
            rows = await rig.rows(campaign)
            assert all(row.due_at > utc_now() + SOON for row in _refused(rows, reply[:3])), reply
            assert await _status(rig, campaign) is campaigns.Status.SENDING, reply
        rows = await rig.rows(campaign)
        assert {row.status for row in rows.values()} == {Status.QUEUED}, reply
        rig.relay.scripts.heal()
        await rig.make_due()
    assert rig.relay.copies == []
    async with rig.running():
        await rig.sent(campaign)
    rows = await rig.rows(campaign)
    check_copies(rig.relay.copies, rows, extra=0)
    assert {row.status for row in rows.values()} == {Status.SENT}


async def test_a_policy_that_refuses_us_pauses_the_campaign_and_fails_nobody(rig: Rig) -> None:
    await rig.prepare(READERS)
    async with rig.running():
        for moment in (Moment.RCPT, Moment.END):
            rig.relay.scripts.plan(VICTIM, moment, says("550 5.7.1 we refuse you"))
            seen = len(rig.relay.copies)
            campaign = await rig.schedule()
            await rig.until("the campaign is paused", partial(_is_paused, rig, campaign))
            await rig.until("what was on its way has ended", partial(_nothing_is_sending, rig, campaign))
            rows = await rig.rows(campaign)
            assert {row.status for row in rows.values()} <= {Status.QUEUED, Status.SENT}
            assert _refused(rows, "550 5.7.1") == [rows[VICTIM]]
            await rig.resume(campaign)
            await rig.make_due()
            await rig.sent(campaign)
            rows = await rig.rows(campaign)
            check_copies(rig.relay.copies[seen:], rows, extra=0)
            assert {row.status for row in rows.values()} == {Status.SENT}


async def _is_paused(rig: Rig, campaign: int) -> bool:
    return await _status(rig, campaign) is campaigns.Status.PAUSED


async def _nothing_is_sending(rig: Rig, campaign: int) -> bool:
    return all(row.status is not Status.SENDING for row in (await rig.rows(campaign)).values())
