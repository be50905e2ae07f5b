"""Everybody leaves in the middle of a campaign: only what was on its way already still arrives."""

from sqlalchemy import text
from sqlmodel import col, select

from domain import subscriptions
from domain.consents import Method, Proof
from domain.deliveries import Delivery, Skip, Status
from domain.keys import Keyring
from domain.subscribers import Channel, Subscriber
from domain.times import utc_now
from tests.faults.copies import by_recipient
from tests.faults.rigs import Rig, check_copies, moment_of

READERS = [f"reader+{number}" for number in range(1500)]
BEFORE = 40


async def _all_leave(rig: Rig, keyring: Keyring) -> set[str]:
    """Let everybody leave by the link in their letter; returns whose letters were on their way then."""
    async with rig.database.transaction() as session:
        if not rig.database.is_sqlite:  # it has one writer anyway: no claim is half done at the commit
            await (await session.connection()).execute(text("LOCK TABLE delivery IN EXCLUSIVE MODE"))
        proof = Proof(Method.ONE_CLICK, subscriptions.BY_LINK, utc_now())
        for reader in (await session.exec(select(Subscriber))).all():
            assert await subscriptions.leave(session, reader, [Channel.EMAIL], proof, keyring)
        query = (
            select(Subscriber.email)
            .join(Delivery, col(Delivery.subscriber_id) == col(Subscriber.id))
            .where(col(Delivery.status) == Status.SENDING)
        )
        return {email or "" for email in (await session.exec(query)).all()}


async def test_after_everybody_left_no_further_letter_begins(rig: Rig, keyring: Keyring) -> None:
    rig.relay.delay = 0.01
    await rig.prepare(READERS)
    campaign = await rig.schedule()
    async with rig.running():
        await rig.received(BEFORE)
        on_their_way = await _all_leave(rig, keyring)
        left_at = utc_now()
        await rig.sent(campaign)
    rows = await rig.rows(campaign)
    check_copies(rig.relay.copies, rows, extra=0)
    late = {copy.recipient for copy in rig.relay.copies if moment_of(copy) > left_at}
    assert late - on_their_way == set()
    assert len(by_recipient(rig.relay.copies)) < len(READERS), "everybody had the letter already"
    for who, row in rows.items():
        arrived = who in by_recipient(rig.relay.copies)
        assert (row.status, row.reason) == ((Status.SENT, "") if arrived else (Status.SKIPPED, Skip.LEFT))
    assert (await rig.progress(campaign)).balanced
