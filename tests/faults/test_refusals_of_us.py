"""Refusals that are about us, not about a reader: the relay rests or the campaign waits, nobody fails."""

from datetime import timedelta

from domain import campaigns
from domain.deliveries import Delivery, Status
from domain.times import utc_now
from tests.faults.relays import Offers
from tests.faults.rigs import Rig, check_copies
from tests.faults.scripts import BABBLES, EVERYONE, HANGS_UP, Moment, says

READERS = [f"good+{number}" for number in range(12)]
VICTIM = "good+5@example.org"
OF_THE_RELAY = (
    (Moment.GREETING, says("421 4.7.0 too many connections"), "421"),
    (Moment.GREETING, says("554 5.7.1 go away"), "554"),
    (Moment.GREETING, HANGS_UP, "SMTP"),
    (Moment.GREETING, BABBLES, "-1"),
    (Moment.LOGIN, says("535 5.7.8 wrong password"), "535"),
    (Moment.LOGIN, says("421 4.4.2 closing"), "421 4.4.2"),
    (Moment.MAIL, says("421 4.3.2 closing"), "421 4.3.2"),
    (Moment.MAIL, says("451 4.3.0 local error"), "451"),
    (Moment.MAIL, says("550 5.7.1 sender refused"), "550"),
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
    for moment, act, code in OF_THE_RELAY:
        rig.relay.scripts.plan(EVERYONE, moment, act, times=10_000)
        async with rig.running():
            await _until_refused(rig, campaign, code)
            rows = await rig.rows(campaign)
            assert all(row.due_at > utc_now() + SOON for row in _refused(rows, code)), act
            assert await _status(rig, campaign) is campaigns.Status.SENDING, act
        rows = await rig.rows(campaign)
        assert {row.status for row in rows.values()} == {Status.QUEUED}, act
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
            await rig.paused(campaign)
            rows = await rig.rows(campaign)
            assert {row.status for row in rows.values()} <= {Status.QUEUED, Status.SENT}
            assert _refused(rows, "550 5.7.1") == [rows[VICTIM]]
            await rig.resume(campaign)
            await rig.make_due()
            await rig.sent(campaign)
            rows = await rig.rows(campaign)
            check_copies(rig.relay.copies[seen:], rows, extra=0)
            assert {row.status for row in rows.values()} == {Status.SENT}
