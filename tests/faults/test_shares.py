"""Several relays: they share by weight, and step in for one another without losing or doubling a letter."""

from collections.abc import AsyncIterator

import pytest

from domain.deliveries import Status
from tests.faults.relays import Offers, Relay
from tests.faults.rigs import Rig, check_copies
from tests.faults.scripts import EVERYONE, Moment, says

READERS = [f"reader+{number}" for number in range(200)]
CONNECTIONS = 3
OTHER = """connections = {connections}
weight = {weight}
[[relays]]
host = "127.0.0.1"
port = {port}
security = "none"
weight = {other_weight}
connections = {connections}
"""


@pytest.fixture
async def other() -> AsyncIterator[Relay]:
    """A second relay."""
    async with Relay() as relay:
        yield relay


def _name_both(rig: Rig, other: Relay, weight: int, other_weight: int) -> None:
    rig.more_settings = OTHER.format(
        connections=CONNECTIONS, weight=weight, port=other.port, other_weight=other_weight
    )


async def _check_sent(rig: Rig, other: Relay, campaign: int, *, extra: int = 0) -> None:
    rows = await rig.rows(campaign)
    check_copies(rig.relay.copies + other.copies, rows, extra=extra)
    assert {row.status for row in rows.values()} == {Status.SENT}
    assert (await rig.progress(campaign)).balanced


async def test_relays_share_the_letters_by_their_weights(rig: Rig, other: Relay) -> None:
    _name_both(rig, other, 3, 1)
    await rig.prepare(READERS)
    campaign = await rig.schedule()
    async with rig.running():
        await rig.sent(campaign)
    await _check_sent(rig, other, campaign)
    assert len(rig.relay.copies) == 3 * len(other.copies)


async def test_a_relay_that_hangs_up_on_everybody_is_stepped_in_for_and_comes_back(
    rig: Rig, other: Relay
) -> None:
    rig.constants = {"mailer.routes.RELAY_REST": 0.5}
    rig.relay.delay = 0.01
    _name_both(rig, other, 1, 0)
    await rig.prepare(READERS)
    campaign = await rig.schedule()
    async with rig.running():
        await rig.received(40)
        assert other.copies == [], "the spare was used without need"
        await rig.relay.stop()
        await rig.until("the spare has stepped in", lambda: _has_copies(other))
        await rig.until("nothing is on its way", lambda: _is_at_rest(rig, campaign))
        await rig.make_due()
        await rig.sent(campaign)
        await rig.relay.start(rig.relay.port)
        await _check_sent(rig, other, campaign, extra=CONNECTIONS)
        await rig.until("the relay is used again", lambda: _sends_another(rig, other))


async def test_a_relay_that_refuses_our_login_costs_nobody_a_letter_while_another_works(
    rig: Rig, other: Relay
) -> None:
    rig.relay.offers, rig.username = Offers(login=True), "us"
    rig.relay.scripts.plan(EVERYONE, Moment.LOGIN, says("535 5.7.8 wrong password"), times=10_000)
    _name_both(rig, other, 1, 1)
    await rig.prepare(READERS)
    campaign = await rig.schedule()
    async with rig.running() as mailer:
        await rig.sent(campaign)
        assert "relay_rests" in mailer.log
    await _check_sent(rig, other, campaign)
    assert len(other.copies) == len(READERS)


@pytest.mark.parametrize("pipelining", [True, False])
async def test_a_relay_that_takes_few_letters_on_a_connection_gets_the_others_on_new_ones(
    rig: Rig, pipelining: bool
) -> None:
    rig.relay.offers = Offers(pipelining=pipelining, letters_per_connection=3)
    rig.more_settings = f"connections = {CONNECTIONS}\n"
    await rig.prepare(READERS[:60])
    campaign = await rig.schedule()
    async with rig.running() as mailer:
        await rig.sent(campaign)
        assert "relay_rests" not in mailer.log
    rows = await rig.rows(campaign)
    check_copies(rig.relay.copies, rows, extra=0)
    assert {(row.status, row.attempts, row.refusals) for row in rows.values()} == {(Status.SENT, 1, 0)}


async def _sends_another(rig: Rig, other: Relay) -> bool:
    """Send one more campaign; say whether the first relay had a share in it."""
    seen, spare = len(rig.relay.copies), len(other.copies)
    campaign = await rig.schedule()
    await rig.sent(campaign)
    check_copies(rig.relay.copies[seen:] + other.copies[spare:], await rig.rows(campaign), extra=0)
    return len(rig.relay.copies) > seen


async def _has_copies(relay: Relay) -> bool:
    return bool(relay.copies)


async def _is_at_rest(rig: Rig, campaign: int) -> bool:
    return await rig.sending(campaign) == 0
