"""Takeovers: what a bot held that died on this machine is freed at once, not after its lease."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import structlog

from domain import claimants, leases, updates
from domain.claimants import Claimant
from domain.database import OUTAGES, Database
from domain.times import Clock
from domain.waits import pause

log = structlog.get_logger()

_LOOK_SECONDS = 1.0


@asynccontextmanager
async def enrolled(database: Database, clock: Clock) -> AsyncIterator[Claimant]:
    """Yield a claimant among the bots, which look after each other: no mailer need run beside them.

    What it still holds at a clean end is freed; after any other end, the next bot frees it.
    """
    claimant = Claimant(_folder(database))
    try:
        yield claimant
        await _hand_back(database, claimant, clock())
    finally:
        claimant.leave()


async def run(database: Database, clock: Clock, stop: asyncio.Event) -> None:
    """Take over from the dead until `stop` is set."""
    while not stop.is_set():
        try:
            await take_over(database, clock())
        except OUTAGES as problem:
            log.warning("takeover_waits", problem=type(problem).__name__)
        await pause(_LOOK_SECONDS, stop)


async def take_over(database: Database, now: datetime) -> None:
    """Free what dead bots held."""
    names = claimants.dead(_folder(database))
    if names:
        await _free(database, names, now)
        claimants.bury(_folder(database), names)


async def _hand_back(database: Database, claimant: Claimant, now: datetime) -> None:
    try:
        await _free(database, [claimant.name], now)
    except OUTAGES as problem:
        log.warning("not_handed_back", problem=type(problem).__name__)
    else:
        claimant.close()


async def _free(database: Database, names: Sequence[str], now: datetime) -> None:
    async with database.transaction() as session:
        letters = await leases.release(session, names, now)
        answers = await updates.release(session, names)
    if letters or answers:
        log.warning("claims_freed", deliveries=letters, updates=answers)


def _folder(database: Database) -> Path:
    return database.folder / "bots"
