"""Waits: rests that end early when the service stops, and work that outlasts the database's outages."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from domain.database import OUTAGES

OUTAGE_REST = 1.0
"""Seconds between two attempts while the database is out."""

T = TypeVar("T")
log = structlog.get_logger()


async def rest(stop: asyncio.Event, seconds: float) -> None:
    """Return after that many seconds, or as soon as `stop` is set."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return


async def outlast(work: Callable[[], Awaitable[T]], during: str) -> T:
    """Return what the work returns, beginning it anew for as long as the database is out."""
    while True:
        try:
            return await work()
        except OUTAGES as error:
            # The kind alone: the words of a database error can carry what was to be stored.
            log.error("database_out", during=during, error=type(error).__name__)  # noqa: TRY400
            await asyncio.sleep(OUTAGE_REST)
