"""A process frozen for longer than its lease: another one ends its work, and it cannot undo that."""

import asyncio
import time

from domain.deliveries import Delivery, Status
from tests.faults.copies import by_recipient
from tests.faults.processes import Mailer
from tests.faults.rigs import WINDOW, Rig, check_copies
from tests.faults.scripts import Act, Moment
from tests.faults.stores import is_free

READERS = [f"reader+{number}" for number in range(120)]
VICTIM = "reader+30@example.org"
STALE = 0.5
"""Seconds after which a mailer looks at waiting claims again before it sends them."""


async def _freeze_outside_a_transaction(rig: Rig, mailer: Mailer) -> None:
    """Freeze it where it keeps nobody from the database: that would be a fault of its own."""

    async def frozen() -> bool:
        mailer.freeze()
        if await is_free(rig.url):
            return True
        mailer.thaw()
        return False

    await rig.until("it is frozen outside a transaction", frozen, rest=0.01)


def _told(rows: dict[str, Delivery]) -> dict[str, tuple[object, ...]]:
    return {who: (row.status, row.reason, row.attempts, row.finished_at) for who, row in rows.items()}


async def test_a_process_frozen_longer_than_its_lease_cannot_overwrite_newer_outcomes(rig: Rig) -> None:
    answer = asyncio.Event()
    rig.relay.scripts.plan(VICTIM, Moment.RCPT, Act(reply="550 5.1.1 nobody here", until=answer))
    rig.relay.delay = 0.01
    rig.constants = {"mailer.senders.STALE": STALE}
    await rig.prepare(READERS)
    campaign = await rig.schedule()
    old = rig.start()

    async def reached() -> bool:
        return VICTIM in rig.relay.tried_at

    await rig.until("the victim's turn has come", reached, rest=0.005)
    await _freeze_outside_a_transaction(rig, old)
    since = time.monotonic()
    answer.set()
    await rig.expire_leases()
    async with rig.running():
        await rig.sent(campaign)
        before = _told(await rig.rows(campaign))
        assert before[VICTIM][0] is Status.SENT
        await asyncio.sleep(max(0.0, STALE - (time.monotonic() - since)))
        old.thaw()
        old.terminate()
        assert await old.gone() == 0, old.log
    rows = await rig.rows(campaign)
    assert _told(rows) == before
    check_copies(rig.relay.copies, rows, extra=WINDOW)
    assert len(by_recipient(rig.relay.copies)[VICTIM]) == 1
    assert {row.status for row in rows.values()} == {Status.SENT}
