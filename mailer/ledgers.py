"""Ledgers: the mailer's view of the ledger. It claims what is due and records what became of it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog

from domain import campaigns, deliveries, subscribers
from domain.campaigns import Campaign
from domain.database import Database
from domain.deliveries import Claim, Outcome, Status
from domain.languages import Language
from domain.subscribers import Channel
from domain.times import Clock
from domain.waits import outlast
from mailer import issues
from mailer.issues import Issue
from mailer.messages import Stationery

SLICE = 50
WINDOW = 2 * SLICE
"""Deliveries in flight at most: claimed and not yet recorded."""
LEASE = timedelta(minutes=10)
"""Longer than an outage to be survived without an extra copy, and than the slowest relay's answer."""
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
        async with self._database.reading() as session:
            active = await campaigns.active(session)
        self._issues = {key: issue for key, issue in self._issues.items() if key[0] in active}
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
            for campaign_id, language in {(claim.campaign_id, claim.language) for claim in claims}:
                if (campaign_id, language) not in self._issues:
                    campaign = await session.get_one(Campaign, campaign_id)
                    opened = await issues.open_issue(session, self._stationery, campaign, language, now)
                    self._issues[campaign_id, language] = opened
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

    async def _review(self, claim: Claim) -> Outcome | None:
        async with self._database.reading() as session:
            return await campaigns.review(session, claim, self._clock())

    async def _record(self, outcomes: Sequence[Outcome]) -> None:
        async with self._database.transaction() as session:
            await deliveries.record(session, outcomes, self._clock())
        for outcome in outcomes:
            if outcome.status in (Status.FAILED, Status.UNCERTAIN):
                log.info("delivery_failed", delivery_id=outcome.claim.delivery_id, reason=outcome.reason)

    def _measure(self) -> None:
        if len(self._in_flight) <= WINDOW - SLICE:
            self._room.set()
        else:
            self._room.clear()
