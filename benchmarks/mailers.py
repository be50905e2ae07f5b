"""Mailers: our side of a comparison, `helixpost run mailer` on a fresh copy of a prepared database."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, func, select

from benchmarks import processes, products
from benchmarks.processes import Failed, Process
from benchmarks.products import Setup
from benchmarks.relays import Relay
from benchmarks.stages import Stage
from domain import campaigns
from domain.campaigns import Campaign
from domain.database import Database, DatabaseSettings
from domain.deliveries import Delivery, Status
from domain.times import utc_now

_PATIENCE = 120.0
"""Seconds without a letter sent after which a run is given up."""
_REST = 0.1
_STARTED = "service_started"


@dataclass(frozen=True, slots=True)
class Sending:
    """What one campaign took. Seconds of CPU are those of all our processes together."""

    messages: int
    seconds: float
    """From the first delivery recorded to the last."""
    rate: float
    """Letters per second in that time."""
    campaign_seconds: float
    """From the campaign's start, with the ledger still to be filled, to its end."""
    cpu: float
    """From the campaign's start on."""
    cpu_at_start: float
    """Of the start of the service: its imports, mostly."""
    server_cpu: float | None
    """Of the database's server, where there is one."""
    peak_memory: float
    """The most that one process ever had resident; MB."""


async def send(stage: Stage, relay: Relay, setup: Setup, *, instances: int = 1) -> Sending:
    """Send the stage's campaign and return what it took; raises `Failed`, also when a letter is missing."""
    async with stage.original.copy() as url:
        config = stage.folder / "run.toml"
        config.write_text(setup.settings(url, relay.port), encoding="utf-8")
        database = Database(DatabaseSettings(url=url))
        command = products.helixpost("run", "mailer", "--config", config)
        with ExitStack() as stack:
            mailers = [
                stack.enter_context(
                    processes.running(
                        command, stage.folder / f"mailer-{number}.log", **products.options(stage.folder)
                    )
                )
                for number in range(instances)
            ]
            try:
                return await _measure(stage, database, url, mailers)
            finally:
                await database.close()


async def _measure(stage: Stage, database: Database, url: str, mailers: Sequence[Process]) -> Sending:
    await _until_started(mailers)
    cpu_at_start = sum(mailer.cpu() for mailer in mailers)
    now = utc_now()
    async with database.transaction() as session:
        await campaigns.schedule(session, stage.campaign, now, products.ZONE, now)
    await _until_sent(stage, database, mailers)
    server_cpu = await stage.original.server_cpu(url)
    peak_memory = max(mailer.peak_memory() for mailer in mailers)
    cpu = sum(mailer.stop().cpu for mailer in mailers)
    first, last, after_first, campaign = await _ledger(stage, database)
    assert campaign.started_at is not None
    assert campaign.finished_at is not None
    # What the first commit recorded was sent before it; a list that one commit took counts from the start.
    seconds, counted = (last - first).total_seconds(), after_first
    if not after_first:
        seconds, counted = (last - campaign.started_at).total_seconds(), stage.readers
    return Sending(
        messages=stage.readers,
        seconds=seconds,
        rate=counted / seconds,
        campaign_seconds=(campaign.finished_at - campaign.started_at).total_seconds(),
        cpu=cpu - cpu_at_start,
        cpu_at_start=cpu_at_start,
        server_cpu=server_cpu,
        peak_memory=peak_memory,
    )


async def _until_started(mailers: Sequence[Process]) -> None:
    for mailer in mailers:
        while _STARTED not in mailer.log.read_text(encoding="utf-8"):
            _check_alive(mailers)
            await asyncio.sleep(_REST)
    await asyncio.sleep(1)  # the first tick of each belongs to its start


async def _until_sent(stage: Stage, database: Database, mailers: Sequence[Process]) -> None:
    """Wait for the campaign's end; raises `Failed` when it is held, or no letter leaves any more."""
    query = select(Campaign.status).where(col(Campaign.id) == stage.campaign)
    sent, looked = 0, time.monotonic()
    while True:
        _check_alive(mailers)
        async with database.reading() as session:
            status = (await session.exec(query)).one()
        if status is campaigns.Status.SENT:
            return
        if status is campaigns.Status.PAUSED:
            raise Failed(f"the campaign was held: {mailers[0].last_words()}")
        if time.monotonic() - looked > _PATIENCE:
            before, sent, looked = sent, await _count_sent(stage, database), time.monotonic()
            if sent == before:
                raise Failed(f"no letter left for {_PATIENCE:.0f} seconds; {sent} of {stage.readers} had")
        await asyncio.sleep(_REST)


def _check_alive(mailers: Sequence[Process]) -> None:
    for mailer in mailers:
        if mailer.ended:
            raise Failed(mailer.last_words())


async def _count_sent(stage: Stage, database: Database) -> int:
    async with database.reading() as session:
        return (await campaigns.progress(session, stage.campaign)).counts[Status.SENT]


async def _ledger(stage: Stage, database: Database) -> tuple[datetime, datetime, int, Campaign]:
    """Return when the first and the last letter were recorded, how many after the first, the campaign."""
    finished = col(Delivery.finished_at)
    ours = col(Delivery.campaign_id) == stage.campaign
    async with database.reading() as session:
        reached = await campaigns.progress(session, stage.campaign)
        if not reached.balanced or reached.counts[Status.SENT] != stage.readers:
            raise Failed(f"the campaign ended with {dict(reached.counts)} of {stage.readers} readers")
        first, last = (await session.exec(select(func.min(finished), func.max(finished)).where(ours))).one()
        assert first is not None
        assert last is not None
        after = select(func.count()).select_from(Delivery).where(ours, finished > first)
        return first, last, (await session.exec(after)).one(), reached.campaign
