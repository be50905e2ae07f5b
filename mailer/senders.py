"""Senders: carry claimed deliveries to the relays, over a few connections each."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

import structlog

from domain.deliveries import Claim, Outcome, Status
from domain.errors import Invalid
from domain.times import Clock
from domain.waits import pause
from mailer.ledgers import Ledger, Parcel
from mailer.messages import Stationery
from mailer.relays import RelaySettings
from mailer.retries import RELAY_REST, jittered, next_attempt
from mailer.smtp import Ambiguous, Connection, Permanent, Policy, Result, Sent, Unreachable

log = structlog.get_logger()

CONNECTIONS = 4
"""Per relay."""
IDLE_REST = 0.5
"""Seconds until the ledger is looked at again when nothing was due."""
MOST_COPIES = 5
"""A letter that may have arrived so often is left as uncertain."""
UNFIT = "unfit_to_send"


class Senders:
    """The campaign loop for e-mail: claim, personalise, send, record."""

    def __init__(
        self, ledger: Ledger, stationery: Stationery, relays: Sequence[RelaySettings], clock: Clock
    ) -> None:
        """Keep what is needed; connections are opened when there is something to send."""
        self._ledger = ledger
        self._stationery = stationery
        self._connections = [Connection(relay) for relay in relays for _ in range(CONNECTIONS)]
        self._clock = clock
        self._parcels: asyncio.Queue[Parcel | None] = asyncio.Queue()

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop` is set, then give back what has not begun and record what has.

        Raises when a task dies: a swallowed error would look like a campaign that hangs.
        """
        async with asyncio.TaskGroup() as recording:
            recording.create_task(self._ledger.record())
            async with asyncio.TaskGroup() as sending:
                sending.create_task(self._feed(stop))
                for connection in self._connections:
                    sending.create_task(self._carry(connection, stop))
            self._ledger.close()

    async def _feed(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            parcels = await self._ledger.claim()
            for parcel in parcels:
                self._parcels.put_nowait(parcel)
            if not parcels:
                await pause(IDLE_REST, stop)
        for _ in self._connections:
            self._parcels.put_nowait(None)

    async def _carry(self, connection: Connection, stop: asyncio.Event) -> None:
        try:
            while (parcel := await self._parcels.get()) is not None:
                if stop.is_set():
                    self._ledger.settle(Outcome(parcel.claim, Status.QUEUED, due_at=self._clock()))
                elif not await self._deliver(connection, parcel):
                    log.warning("relay_rests", relay=connection.relay.name)
                    await pause(jittered(RELAY_REST).total_seconds(), stop)
        finally:
            await connection.close()

    async def _deliver(self, connection: Connection, parcel: Parcel) -> bool:
        """Bring one parcel to its outcome; False when the relay could not be used at all."""
        outcome = await self._ledger.review(parcel)
        if outcome is not None:
            self._ledger.settle(outcome)
            return True
        claim, now = parcel.claim, self._clock()
        try:
            letter = parcel.issue.address(self._stationery, claim.subscriber, parcel.organisation, now)
        except Invalid:
            self._ledger.settle(Outcome(claim, Status.FAILED, UNFIT))
            return True
        result = await connection.send(letter)
        since = parcel.issue.started_at or now
        self._ledger.settle(outcome_of(claim, result, since, self._clock()))
        return not isinstance(result, Unreachable)


def outcome_of(claim: Claim, result: Result, since: datetime, now: datetime) -> Outcome:
    """Return what a relay's answer means for a delivery of a campaign that started at `since`."""
    again = next_attempt(claim.attempt, since, now)
    match result:
        case Sent():
            return Outcome(claim, Status.SENT)
        case Permanent(reason):
            return Outcome(claim, Status.FAILED, reason)
        case Ambiguous(reason) if again is None or claim.copies + 1 >= MOST_COPIES:
            return Outcome(claim, Status.UNCERTAIN, reason)
    if again is None:
        return Outcome(claim, Status.FAILED, f"too late: {result.reason}")
    return Outcome(
        claim,
        Status.QUEUED,
        result.reason,
        now + jittered(RELAY_REST) if isinstance(result, Unreachable) else again,
        may_have_arrived=isinstance(result, Ambiguous),
        holds_campaign=isinstance(result, Policy),
    )
