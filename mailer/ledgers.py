"""Ledgers: the mailer's view of the ledger. It claims what is due and records what became of it."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlmodel.ext.asyncio.session import AsyncSession

from domain import campaigns, holds, leases, reviews
from domain.campaigns import Campaign, Reason
from domain.database import Database
from domain.deliveries import Status
from domain.languages import Language
from domain.leases import Claim, Outcome
from domain.subscribers import Channel
from domain.times import Clock
from domain.waits import outlast, pause
from mailer import issues
from mailer.issues import Issue
from mailer.messages import Stationery
from mailer.smtp import SLOWEST_SEND

LEASE = timedelta(minutes=15)
"""Longer than an outage to be survived without an extra copy, and than the slowest send, also of a
claim that waited for its turn."""

PATIENCE = 0.01
"""Seconds in which an outcome waits for others to be written in one commit, at most: commits cost as much as
sending does, and below full speed nobody waits for them."""

log = structlog.get_logger()

_Settled = tuple[Outcome, Reason | None]
"""What became of a claim, and why its campaign is to wait, where it is."""


class Ledger:
    """Claims in slices and records in batches. A known outcome is never dropped."""

    def __init__(self, database: Database, stationery: Stationery, clock: Clock, claimant: str) -> None:
        """Keep what is needed; `claimant` is the name under which this process holds its leases."""
        self._database = database
        self._stationery = stationery
        self._clock = clock
        self._claimant = claimant
        self._issues: dict[tuple[int, Language], Issue] = {}
        self._opened: Mapping[int, datetime] = {}
        """The campaigns whose letters are open, and since when they are sent."""
        self._in_flight: set[int] = set()
        """What this process claimed and has not recorded: it never claims that again itself."""
        self._settled: list[_Settled] = []
        """What is to be written down."""
        self._awaited = 1
        """How many outcomes the recorder waits for."""
        self._has_come_in = asyncio.Event()
        self._is_closed = False

    async def claim(self, limit: int) -> list[Claim]:
        """Return so many due deliveries at most, under a lease."""
        claims = await outlast(partial(self._claim, limit), "claiming")
        self._in_flight.update(claim.delivery_id for claim in claims)
        return claims

    def issue_of(self, claim: Claim) -> Issue:
        """Return the campaign, in the claim's language, ready to be filled in."""
        return self._issues[claim.campaign_id, claim.language]

    async def review(self, claims: Iterable[Claim]) -> dict[int, Outcome]:
        """Return what becomes of those claims that waited and may not be sent any more, by number."""
        outcomes = await outlast(partial(self._review, list(claims)), "reviewing")
        return {outcome.claim.delivery_id: outcome for outcome in outcomes}

    def settle(self, outcome: Outcome, hold: Reason | None = None) -> None:
        """Hand in what became of a claim, and why its campaign is to wait; the recorder writes it down."""
        self._settled.append((outcome, hold))
        if len(self._settled) >= self._awaited:
            self._has_come_in.set()

    def close(self) -> None:
        """Let the recorder end once everything handed in is written down."""
        self._is_closed = True
        self._has_come_in.set()

    async def record(
        self, recorded: Callable[[Sequence[Outcome], Collection[int]], None], *, at_once: int = 1
    ) -> None:
        """Write outcomes down until closed, each time all that has come in, which `at_once` are enough of.

        `recorded` hears of each batch once it is committed, and of the campaigns that are held by it.
        """
        while batch := await self._gather(at_once):
            held = await outlast(partial(self._record, batch), "recording")
            outcomes = [outcome for outcome, _ in batch]
            self._in_flight.difference_update(outcome.claim.delivery_id for outcome in outcomes)
            recorded(outcomes, held)

    async def _gather(self, enough: int) -> list[_Settled]:
        """Wait for an outcome, then for enough of them while patience lasts, and return all that came in.

        Nothing is returned when nothing can come any more.
        """
        for count, patience in ((1, None), (enough, PATIENCE)):
            self._awaited = count
            self._has_come_in.clear()
            if len(self._settled) < count and not self._is_closed:
                await pause(patience, self._has_come_in)
        batch, self._settled = self._settled, []
        return batch

    async def _claim(self, limit: int) -> list[Claim]:
        async with self._database.transaction() as session:
            running = await campaigns.active(session)
            claims = await leases.claim(
                session,
                Channel.EMAIL,
                [number for number in running if number in self._opened],
                self._clock(),
                limit=limit,
                lease=LEASE,
                held=self._in_flight,
                claimant=self._claimant,
            )
        has_news = await self._open(running)
        return await self._claim(limit) if has_news and not claims else claims

    async def _open(self, running: Mapping[int, datetime]) -> bool:
        """Open the letters of campaigns that run now or anew, close those of others; say if there were any.

        Compiling takes its time: it comes between claims, which on SQLite are the only writer.
        """
        if self._opened == running:
            return False
        kept = {key: issue for key, issue in self._issues.items() if key[0] in running}
        async with self._database.reading() as session:
            for campaign_id, _ in running.items() - self._opened.items():
                campaign = await session.get_one(Campaign, campaign_id)
                for language in await campaigns.variants(session, campaign_id):
                    kept[campaign_id, language] = await issues.open_issue(
                        session, self._stationery, campaign, language, self._clock()
                    )
        self._issues, self._opened = kept, running
        return True

    async def _review(self, claims: list[Claim]) -> list[Outcome]:
        async with self._database.reading() as session:
            return await reviews.review(session, claims, self._clock(), takes=SLOWEST_SEND)

    async def _record(self, batch: Sequence[_Settled]) -> list[int]:
        outcomes = [outcome for outcome, _ in batch]
        failed = [outcome for outcome in outcomes if outcome.status is Status.FAILED]
        async with self._database.transaction() as session:
            held = await _hold(session, batch)
            await leases.record(session, outcomes, self._clock())
            if failed:
                await self._record_refusals(session, failed)
        for outcome, reason in held:
            log.error(
                "campaign_held",
                campaign_id=outcome.claim.campaign_id,
                reason=reason,
                answer=outcome.reason,
            )
        for outcome in outcomes:
            if outcome.status in (Status.FAILED, Status.UNCERTAIN):
                log.info("delivery_failed", delivery_id=outcome.claim.delivery_id, reason=outcome.reason)
        return [outcome.claim.campaign_id for outcome, _ in held]

    async def _record_refusals(self, session: AsyncSession, failed: Sequence[Outcome]) -> None:
        """Let what the relay refused for good count as what comes back: an address may be given up."""
        from domain import bounces  # a megabyte, for lists on which every address works

        refusals = [
            bounces.Refusal(outcome.claim.campaign_id, outcome.claim.addressee.id, outcome.reason)
            for outcome in failed
        ]
        keyring = self._stationery.service.keyring
        await bounces.record_refusals(session, refusals, keyring, self._clock())


async def _hold(session: AsyncSession, batch: Sequence[_Settled]) -> list[tuple[Outcome, Reason]]:
    """Hold the campaigns that are to wait, and return because of what; somebody else may be first."""
    asked = {outcome.claim.campaign_id: (outcome, reason) for outcome, reason in batch if reason}
    return [asked[number] for number in sorted(asked) if await holds.hold(session, number, asked[number][1])]
