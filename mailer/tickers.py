"""Tickers: what happens by the clock. Every tick is a state check, so two processes are safe."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import UTC, timedelta
from typing import Any

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from domain import campaigns, chats, claimants, deliveries, notices, questions, tokens, updates
from domain.database import OUTAGES, Database
from domain.errors import DomainError, NotAllowed
from domain.times import Clock, utc_now
from mailer import issues
from mailer.messages import Stationery

KEEP_NOTICES = timedelta(days=7)
KEEP_QUESTIONS = timedelta(days=30)
KEEP_UPDATES = timedelta(days=2)

log = structlog.get_logger()


class Ticker:
    """Starts campaigns that are due, ends those that balance, and forgets what is no longer needed."""

    def __init__(self, database: Database, stationery: Stationery, clock: Clock) -> None:
        """Keep what is needed; nothing ticks yet."""
        self._database = database
        self._stationery = stationery
        self._clock = clock
        self._running: set[asyncio.Future[Any]] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Tick until `stop` is set; raises what a tick raises, but for an outage of the database."""
        broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        scheduler = self._scheduler(broken)
        stopped = asyncio.create_task(stop.wait())
        try:
            ends: set[asyncio.Future[Any]] = {stopped, broken}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            scheduler.pause()
            if self._running:  # the scheduler's own end would cut a job off in its transaction
                await asyncio.wait(self._running)
        finally:
            stopped.cancel()
            scheduler.shutdown(wait=False)
        if broken.done():
            broken.result()

    async def tick(self) -> None:
        """Start what is due, take over what dead processes held, end what balances."""
        await self._take_over()
        async with self._database.reading() as session:
            due = await campaigns.due(session, self._clock())
        for campaign_id in due:
            await self._start(campaign_id)
        async with self._database.transaction() as session:
            await campaigns.settle_cancelled(session, self._clock())
            ended = await campaigns.finish_balanced(session, self._clock())
        for campaign_id in ended:
            log.info("campaign_sent", campaign_id=campaign_id)

    async def forget(self) -> None:
        """Delete what has served its purpose (GDPR, Article 5(1)(e): storage limitation)."""
        now = self._clock()
        async with self._database.transaction() as session:
            await tokens.forget_expired(session, now)
            await notices.forget(session, now - KEEP_NOTICES)
            await questions.forget(session, now - KEEP_QUESTIONS)
            await updates.forget(session, now - KEEP_UPDATES)
            await chats.forget_dialogues(session, now)

    async def _start(self, campaign_id: int) -> None:
        """Start a campaign; one whose letters cannot be made is paused for the lead to see."""
        now = self._clock()
        try:
            async with self._database.reading() as session:
                letters = await issues.compile_letters(session, self._stationery, campaign_id, now)
        except DomainError as problem:
            log.error("campaign_held", campaign_id=campaign_id, reason=str(problem))  # noqa: TRY400
            await self._hold(campaign_id)
            return
        parts = {language: letter.as_parts() for language, letter in letters.items()}
        async with self._database.transaction() as session:
            if await campaigns.start(session, campaign_id, parts, now):
                log.info("campaign_started", campaign_id=campaign_id)

    async def _hold(self, campaign_id: int) -> None:
        async with self._database.transaction() as session:
            with contextlib.suppress(NotAllowed):  # somebody else held it first
                await campaigns.pause(session, campaign_id)

    async def _take_over(self) -> None:
        names = claimants.dead(self._database.folder)
        if not names:
            return
        async with self._database.transaction() as session:
            released = await deliveries.release(session, names, self._clock())
        claimants.bury(self._database.folder, names)
        log.warning("claims_taken_over", deliveries=released)

    def _scheduler(self, broken: asyncio.Future[None]) -> AsyncIOScheduler:
        """Return a started scheduler; a defect in a job goes into `broken`."""
        scheduler = AsyncIOScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        for job, interval in ((self.tick, {"seconds": 1}), (self.forget, {"hours": 1})):
            scheduler.add_job(
                self._guarded, "interval", args=[job, broken], next_run_time=utc_now(), **interval
            )
        scheduler.start()
        return scheduler

    async def _guarded(self, job: Callable[[], Awaitable[None]], broken: asyncio.Future[None]) -> None:
        """Run a job; the next tick makes up for an outage, and anything else brings the role down."""
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        try:
            await job()
        except OUTAGES as error:
            log.error("database_out", during="a tick", error=type(error).__name__)  # noqa: TRY400
        except Exception as error:  # noqa: BLE001 - the scheduler would swallow it; `run` raises it
            if not broken.done():
                broken.set_exception(error)
        finally:
            self._running.discard(task)
