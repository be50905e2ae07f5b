"""Ledgers: the mailer's view of the ledger. It claims what is due and records what became of it."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlmodel.ext.asyncio.session import AsyncSession

from domain import campaigns, deliveries, subscribers
from domain.campaigns import Campaign
from domain.database import Database
from domain.deliveries import Claim, Outcome, Status
from domain.errors import NotAllowed
from domain.languages import Language
from domain.subscribers import Channel
from domain.times import Clock
from domain.waits import outlast
from mailer import issues
from mailer.issues import Issue
from mailer.messages import Stationery
from mailer.smtp import SLOWEST_SEND

SLICE = 50
WINDOW = 2 * SLICE
"""Deliveries in flight at most: claimed and not yet recorded."""
LEASE = timedelta(minutes=15)
"""Longer than an outage to be survived without an extra copy, and than the slowest send, also of a
claim that waited for its turn."""
STALE = timedelta(seconds=3)
"""A claim that waited so long is looked at again before it is sent: readers leave meanwhile."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Parcel:
    """A claimed delivery with all that sending it needs."""

    claim: Claim
    issue: Issue
    organisation: str
    claimed_at: datetime


class Ledger:
    """Claims in slices and records in batches. A known outcome is never dropped."""

    def __init__(self, database: Database, stationery: Stationery, clock: Clock, claimant: str) -> None:
        """Keep what is needed; `claimant` is the name under which this process holds its leases."""
        self._database = database
        self._stationery = stationery
        self._clock = clock
        self._claimant = claimant
        self._issues: dict[tuple[int, Language], Issue] = {}
        self._in_flight: set[int] = set()
        self._outcomes: asyncio.Queue[Outcome | None] = asyncio.Queue()
        self._room = asyncio.Event()
        self._room.set()

    async def claim(self) -> list[Parcel]:
        """Wait until a slice fits into the window, then return what is due."""
        await self._room.wait()
        parcels = await outlast(self._claim, "claiming")
        self._in_flight.update(parcel.claim.delivery_id for parcel in parcels)
        self._measure()
        return parcels

    async def review(self, parcel: Parcel) -> Outcome | None:
        """Return what becomes of a parcel that waited and may not be sent any more; None when it may."""
        if self._clock() - parcel.claimed_at < STALE:
            return None
        return await outlast(partial(self._review, parcel.claim), "reviewing")

    def settle(self, outcome: Outcome) -> None:
        """Hand in what became of a parcel; the recorder writes it down."""
        self._outcomes.put_nowait(outcome)

    def close(self) -> None:
        """Let the recorder end once everything handed in is written down."""
        self._outcomes.put_nowait(None)

    async def record(self) -> None:
        """Write outcomes down until closed: back to back, each time all that has come in."""
        while (first := await self._outcomes.get()) is not None:
            batch, closed = [first], False
            while not self._outcomes.empty() and not closed:
                more = self._outcomes.get_nowait()
                closed = more is None
                batch += [more] if more else []
            await outlast(partial(self._record, batch), "recording")
            self._in_flight.difference_update(outcome.claim.delivery_id for outcome in batch)
            self._measure()
            if closed:
                return

    async def _claim(self) -> list[Parcel]:
        active = await self._open_issues()
        if not active:
            return []
        now = self._clock()
        async with self._database.transaction() as session:
            claims = await deliveries.claim(
                session,
                Channel.EMAIL,
                active,
                now,
                limit=SLICE,
                lease=LEASE,
                held=self._in_flight,
                claimant=self._claimant,
            )
            names = await subscribers.organisation_names(session, (claim.subscriber for claim in claims))
        return [
            Parcel(
                claim,
                self._issues[claim.campaign_id, claim.language],
                names.get(claim.subscriber.id or 0, ""),
                now,
            )
            for claim in claims
        ]

    async def _open_issues(self) -> list[int]:
        """Return the running campaigns, their letters open.

        Compiling takes its time: it comes before the claim, which on SQLite is the only writer.
        """
        async with self._database.reading() as session:
            active = await campaigns.active(session)
            kept = {key: issue for key, issue in self._issues.items() if key[0] in active}
            for campaign_id in set(active) - {number for number, _ in kept}:
                campaign = await session.get_one(Campaign, campaign_id)
                for language in await campaigns.variants(session, campaign_id):
                    kept[campaign_id, language] = await issues.open_issue(
                        session, self._stationery, campaign, language, self._clock()
                    )
        self._issues = kept
        return active

    async def _review(self, claim: Claim) -> Outcome | None:
        async with self._database.reading() as session:
            return await campaigns.review(session, claim, self._clock(), takes=SLOWEST_SEND)

    async def _record(self, outcomes: Sequence[Outcome]) -> None:
        refusals = {
            outcome.claim.campaign_id: outcome.reason for outcome in outcomes if outcome.holds_campaign
        }
        async with self._database.transaction() as session:
            held = [campaign_id for campaign_id in sorted(refusals) if await _hold(session, campaign_id)]
            await deliveries.record(session, outcomes, self._clock())
        for campaign_id in held:
            log.error("campaign_held", campaign_id=campaign_id, reason=refusals[campaign_id])
        for outcome in outcomes:
            if outcome.status in (Status.FAILED, Status.UNCERTAIN):
                log.info("delivery_failed", delivery_id=outcome.claim.delivery_id, reason=outcome.reason)

    def _measure(self) -> None:
        if len(self._in_flight) <= WINDOW - SLICE:
            self._room.set()
        else:
            self._room.clear()


async def _hold(session: AsyncSession, campaign_id: int) -> bool:
    """Pause a campaign; False when somebody else held or ended it first."""
    with contextlib.suppress(NotAllowed):
        await campaigns.pause(session, campaign_id)
        return True
    return False
