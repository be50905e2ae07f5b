"""Senders: claimed deliveries become letters, go to the relays and come back as outcomes."""

import asyncio
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from domain.campaigns import Reason
from domain.deliveries import Status
from domain.errors import Invalid
from domain.leases import Claim, Outcome
from domain.times import Clock
from domain.waits import pause
from mailer import messages
from mailer.ledgers import Ledger
from mailer.messages import Stationery
from mailer.parcels import Parcel
from mailer.relays import DeliverySettings, RelaySettings
from mailer.results import Ambiguous, Permanent, Policy, Result, Sent
from mailer.retries import RELAY_REST, jittered, next_attempt
from mailer.routes import Route
from mailer.throttles import DomainLimit

IDLE_REST = 0.5
"""Seconds until the ledger is looked at again when nothing was due."""
MOST_COPIES = 5
"""A letter that may have arrived so often is left as uncertain."""
FAILURES_IN_A_ROW = 25
"""So many final refusals one after the other are about us or the list: the campaign waits for its lead."""
STALE = timedelta(seconds=3)
"""A parcel that waited so long is looked at again before it is sent: readers leave meanwhile."""
UNFIT = "unfit_to_send"
DIED = "sender_died"


class Senders:
    """The campaign loop for e-mail: claim, personalise, send, record."""

    def __init__(
        self,
        ledger: Ledger,
        stationery: Stationery,
        relays: Sequence[RelaySettings],
        clock: Clock,
        settings: DeliverySettings,
    ) -> None:
        """Keep what is needed; connections are opened when there is something to send."""
        self._ledger = ledger
        self._stationery = stationery
        self._clock = clock
        self._settings = settings
        self._hungry = asyncio.Event()
        self._routes = [Route(relay, self, self._hungry) for relay in relays]
        self._domains = {domain: DomainLimit(rate) for domain, rate in self._settings.per_domain.items()}
        self._window: set[int] = set()
        """Deliveries that were handed to a relay and whose outcome is not recorded yet."""
        self._stale: list[Parcel] = []
        self._stale_found = asyncio.Event()
        self._failures: Counter[int] = Counter()
        self._is_closing = False

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop` is set, then give back what has not begun and record what has.

        Raises when a task dies: a swallowed error would look like a campaign that hangs.
        """
        async with asyncio.TaskGroup() as recording:
            recording.create_task(self._ledger.record(self._recorded, at_once=self._settings.window // 2))
            async with asyncio.TaskGroup() as sending:
                sending.create_task(self._feed(stop))
                sending.create_task(self._review())
                for route in self._routes:
                    sending.create_task(route.run(stop))
            self._ledger.close()

    @property
    def has_room(self) -> bool:
        """Whether one more letter may be handed to a relay."""
        return len(self._window) < self._settings.window

    def admit(self, parcel: Parcel) -> bool:
        """Let a parcel go, written and in the window; one that waited too long is looked at again first."""
        now = self._clock()
        if now - parcel.seen_at >= STALE:
            self._stale.append(parcel)
            self._stale_found.set()
            return False
        if not self._write(parcel, now):
            return False
        self._window.add(parcel.claim.delivery_id)
        return True

    def settle(self, parcel: Parcel, result: Result) -> None:
        """Hand in what the relay's answer means."""
        hold = self._settings.ambiguous == "hold"
        outcome = outcome_of(parcel.claim, result, parcel.since, self._clock(), hold_doubtful=hold)
        self._ledger.settle(outcome, self._objection(parcel.claim.campaign_id, result))

    def put_back(self, parcel: Parcel, reason: str = "") -> None:
        """Let a letter that was not sent go over another relay, or wait where none can be used."""
        self._window.discard(parcel.claim.delivery_id)
        if not self._is_closing and (route := self._choose()):
            route.put(parcel, first=True)
            route.wake()
            return
        rest = jittered(RELAY_REST) if reason else timedelta()
        self._queue(parcel.claim, self._clock() + rest, reason)

    async def _feed(self, stop: asyncio.Event) -> None:
        """Claim as much as the relays will soon take, until `stop` is set."""
        while not stop.is_set():
            self._hungry.clear()
            wanted = self._appetite()
            claims = await self._ledger.claim(wanted) if wanted else []
            await self._post([parcel for claim in claims if (parcel := self._prepare(claim))])
            for route in self._routes:
                route.wake()
            if not claims:
                await self._rest(stop, is_fed=not wanted)
        self._is_closing = True
        for route in self._routes:
            route.close()
        self._stale_found.set()

    async def _rest(self, stop: asyncio.Event, *, is_fed: bool) -> None:
        """Wait for hunger where the lanes are full, else a little while for something to be due."""
        await (pause(None, self._hungry, stop) if is_fed else pause(IDLE_REST, stop))

    def _appetite(self) -> int:
        """Return how many letters can be shared out by weight without any lane overflowing."""
        routes = self._usable()
        total = sum(route.relay.weight or 1 for route in routes)
        shares = (route.appetite() * total // (route.relay.weight or 1) for route in routes)
        return min(shares, default=0)

    def _usable(self) -> list[Route]:
        """Return the relays that share the letters now; those of weight 0 step in for all others."""
        up = [route for route in self._routes if route.is_up]
        return [route for route in up if route.relay.weight] or up

    def _choose(self) -> Route | None:
        """Return the relay that is furthest behind its share; None when none can be used."""
        routes = self._usable()
        if len(routes) < 2:
            return routes[0] if routes else None
        for route in routes:
            route.credit += route.relay.weight or 1
        chosen = max(routes, key=lambda route: route.credit)
        chosen.credit -= sum(route.relay.weight or 1 for route in routes)
        return chosen

    def _prepare(self, claim: Claim) -> Parcel | None:
        """Return the parcel of a claim; one that cannot be sent now is settled."""
        now = self._clock()
        if claim.is_orphan and self._settings.ambiguous == "hold":
            self._ledger.settle(Outcome(claim, Status.UNCERTAIN, DIED))
        elif wait := self._wait_for_domain(claim):
            self._queue(claim, now + timedelta(seconds=wait))
        else:
            return Parcel(claim, self._ledger.issue_of(claim), now)
        return None

    def _write(self, parcel: Parcel, now: datetime) -> bool:
        """Write a parcel's letter; False for one that is unfit, which is settled."""
        try:
            parcel.write(now)
        except Invalid:
            self._ledger.settle(Outcome(parcel.claim, Status.FAILED, UNFIT))
            return False
        return True

    async def _post(self, parcels: list[Parcel]) -> None:
        """Put parcels into the lanes; where there is a key, written and signed side by side."""
        if self._stationery.signers:
            parcels = [parcel for parcel in parcels if self._write(parcel, self._clock())]
            await asyncio.gather(*map(self._seal, parcels))
        for parcel in parcels:
            if route := self._choose():
                route.put(parcel)
            else:
                self.put_back(parcel)

    async def _seal(self, parcel: Parcel) -> None:
        parcel.envelope = await messages.seal(self._stationery, parcel.envelope, self._clock())

    def _wait_for_domain(self, claim: Claim) -> float:
        """Return the seconds that a letter has to wait because its domain wants no more now."""
        if not self._domains:
            return 0.0
        limit = self._domains.get((claim.addressee.email or "").rpartition("@")[2].lower())
        return limit.wait(asyncio.get_running_loop().time()) if limit else 0.0

    async def _review(self) -> None:
        """Look again at parcels that waited, until the senders close."""
        while not self._is_closing or self._stale:
            await self._stale_found.wait()
            self._stale_found.clear()
            parcels, self._stale = self._stale, []
            outcomes = await self._ledger.review(parcel.claim for parcel in parcels)
            for outcome in outcomes.values():
                self._ledger.settle(outcome)
            self._return(parcel for parcel in parcels if parcel.claim.delivery_id not in outcomes)

    def _return(self, parcels: Iterable[Parcel]) -> None:
        """Put looked-at parcels back into lanes."""
        now = self._clock()
        for parcel in parcels:
            parcel.seen_at = now
            self.put_back(parcel)

    def _recorded(self, outcomes: Sequence[Outcome], held: Collection[int]) -> None:
        """Make room for as many letters as were recorded, and look again at those of campaigns held now."""
        self._window.difference_update(outcome.claim.delivery_id for outcome in outcomes)
        if held:
            self._stale += [parcel for route in self._routes for parcel in route.pull(held)]
            self._stale_found.set()
        for route in self._routes:
            route.wake()

    def _queue(self, claim: Claim, due_at: datetime, reason: str = "") -> None:
        self._ledger.settle(Outcome(claim, Status.QUEUED, reason, due_at))

    def _objection(self, campaign_id: int, result: Result) -> Reason | None:
        """Return why a campaign must not go on; final refusals in a row count anew once it was held."""
        match result:
            case Sent():
                self._failures.pop(campaign_id, None)
                return None
            case Policy():
                return Reason.REFUSED
            case Permanent():
                self._failures[campaign_id] += 1
        if self._failures[campaign_id] < FAILURES_IN_A_ROW:
            return None
        del self._failures[campaign_id]
        return Reason.FAILING


def outcome_of(
    claim: Claim, result: Result, since: datetime, now: datetime, *, hold_doubtful: bool = False
) -> Outcome:
    """Return what a relay's answer means for a delivery of a campaign that is sent since `since`."""
    if isinstance(result, Sent):
        return Outcome(claim, Status.SENT)
    again = next_attempt(claim.refusals + 1, since, now)
    match result:
        case Permanent(reason):
            return Outcome(claim, Status.FAILED, reason)
        case Ambiguous(reason) if hold_doubtful or again is None or claim.copies + 1 >= MOST_COPIES:
            return Outcome(claim, Status.UNCERTAIN, reason)
    if again is None:
        return Outcome(claim, Status.FAILED, f"too late: {result.reason}")
    return Outcome(
        claim,
        Status.QUEUED,
        result.reason,
        again,
        may_have_arrived=isinstance(result, Ambiguous),
        was_refused=True,
    )
