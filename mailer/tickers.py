"""Tickers: what happens by the clock. Every tick is a state check, so two processes are safe."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from sqlmodel.ext.asyncio.session import AsyncSession

from domain import (
    campaigns,
    chats,
    claimants,
    heartbeats,
    holds,
    leases,
    notices,
    questions,
    schedules,
    tokens,
    updates,
)
from domain.campaigns import Campaign, Reason
from domain.database import OUTAGES, Database
from domain.errors import DomainError
from domain.heartbeats import Gap
from domain.times import Clock, utc_now
from mailer import digests, issues
from mailer.delays import ScheduleSettings
from mailer.messages import Stationery

TICK = 1.0
"""Seconds between two looks at what is due and what balances."""
KEEP_NOTICES = timedelta(days=7)
KEEP_QUESTIONS = timedelta(days=30)
KEEP_UPDATES = timedelta(days=2)

log = structlog.get_logger()


class Ticker:
    """Starts campaigns that are due, ends those that balance, and forgets what is no longer needed."""

    def __init__(
        self,
        database: Database,
        stationery: Stationery,
        clock: Clock,
        settings: ScheduleSettings | None = None,
    ) -> None:
        """Keep what is needed; nothing ticks yet."""
        self._max_late = (settings or ScheduleSettings()).max_late
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
        await self.watch()
        await self._take_over()
        await self._occur()
        due = await self._due()
        for campaign_id in due:
            await self._start(campaign_id)
        async with self._database.transaction() as session:
            await campaigns.settle_cancelled(session, self._clock())
            ended = await campaigns.finish_balanced(session, self._clock())
        for campaign_id in ended:
            log.info("campaign_sent", campaign_id=campaign_id)

    async def watch(self) -> None:
        """Say that somebody looks; hold what must not go on by itself after a gap or in a restored copy.

        Senders begin after the first look. What nobody watched for too long, or what this database cannot
        know to have been sent, waits for a person's word.
        """
        folder, now = self._database.folder, self._clock()
        async with self._database.transaction() as session:
            look = await heartbeats.look(session, folder, now, patience=self._max_late)
            held = await _hold_after(session, look.gap, now) if look.gap else []
        heartbeats.stamp(folder, look)
        if look.gap:
            log.warning("gap_found", kind=look.gap, campaigns_held=held)

    async def forget(self) -> None:
        """Delete what has served its purpose (GDPR, Article 5(1)(e): storage limitation)."""
        now = self._clock()
        async with self._database.transaction() as session:
            await tokens.forget_expired(session, now)
            await notices.forget(session, now - KEEP_NOTICES)
            await questions.forget(session, now - KEEP_QUESTIONS)
            await updates.forget(session, now - KEEP_UPDATES)
            await chats.forget_dialogues(session, now)

    async def _occur(self) -> None:
        """Make the campaigns of schedules whose time has come, each in a transaction of its own."""
        async with self._database.reading() as session:
            due = await schedules.due(session, self._clock())
        for schedule_id in due:
            async with self._database.transaction() as session:
                made = await schedules.occur(session, schedule_id, self._clock())
            if made:
                log.info(
                    "campaign_repeated",
                    schedule_id=schedule_id,
                    campaign_id=made.campaign_id,
                    missed=made.missed,
                )

    async def _due(self) -> list[int]:
        """Return what starts now; what is too late for that is held, and asks."""
        now = self._clock()
        async with self._database.transaction() as session:
            late = await holds.hold_late(session, now - self._max_late)
        for campaign_id in late:
            log.warning("campaign_held", campaign_id=campaign_id, reason=Reason.LATE)
        async with self._database.reading() as session:
            return await campaigns.due(session, now)

    async def _start(self, campaign_id: int) -> None:
        """Start a campaign; one whose letters cannot be made is held for the lead to see."""
        now = self._clock()
        try:
            async with self._database.reading() as session:
                campaign = await session.get_one(Campaign, campaign_id)
                written = await digests.write(session, self._stationery, campaign, now)
                if written.has_nothing_new:
                    letters = {}
                else:
                    letters = await issues.compile_letters(
                        session, self._stationery, campaign_id, now, written=written
                    )
        except DomainError as problem:
            log.error("campaign_held", campaign_id=campaign_id, reason=str(problem))  # noqa: TRY400
            async with self._database.transaction() as session:
                await holds.hold(session, campaign_id, Reason.UNFIT)
            return
        if written.has_nothing_new:
            await self._pass_over(campaign_id, now)
            return
        parts = {language: letter.as_parts() for language, letter in letters.items()}
        async with self._database.transaction() as session:
            if await campaigns.start(session, campaign_id, parts, now, bodies=written.filled):
                log.info("campaign_started", campaign_id=campaign_id)

    async def _pass_over(self, campaign_id: int, now: datetime) -> None:
        async with self._database.transaction() as session:
            if await holds.pass_over(session, campaign_id, now):
                log.info("campaign_passed_over", campaign_id=campaign_id, reason=Reason.NOTHING_NEW)

    async def _take_over(self) -> None:
        names = claimants.dead(self._database.folder)
        if not names:
            return
        async with self._database.transaction() as session:
            released = await leases.release(session, names, self._clock())
        claimants.bury(self._database.folder, names)
        log.warning("claims_taken_over", deliveries=released)

    def _scheduler(self, broken: asyncio.Future[None]) -> AsyncIOScheduler:
        """Return a started scheduler; a defect in a job goes into `broken`."""
        scheduler = AsyncIOScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        for job, interval in ((self.tick, {"seconds": TICK}), (self.forget, {"hours": 1})):
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


async def _hold_after(session: AsyncSession, gap: Gap, now: datetime) -> list[int]:
    """Hold what must not go on by itself, and return the campaigns; what has ended already just ends."""
    await campaigns.finish_balanced(session, now)
    if gap is Gap.SLEPT:
        return await holds.hold_running(session, Reason.LATE)
    await schedules.stop_all(session, Reason.RESTORED, now)
    await notices.drop_open(session, "restored")
    return await holds.hold_all(session, Reason.RESTORED)
