"""Waits: rests that end early when the service stops, and work that outlasts the database's outages."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from domain.database import OUTAGES

OUTAGE_REST = 1.0
"""Seconds between two attempts while the database is out."""

Result = TypeVar("Result")
log = structlog.get_logger()


async def pause(seconds: float | None, *events: asyncio.Event) -> None:
    """Wait so long, or until one of the events is set; None = for an event alone."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


async def unless(stop: asyncio.Event, work: Awaitable[Result]) -> Result | None:
    """Return what the work returns; None when `stop` was set first, and the work is cancelled."""
    task, stopped = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        stopped.cancel()
        task.cancel()
        await asyncio.wait({task})


async def outlast(work: Callable[[], Awaitable[Result]], during: str) -> Result:
    """Return what the work returns, beginning it anew for as long as the database is out."""
    while True:
        try:
            return await work()
        except OUTAGES as error:
            # The kind alone: the words of a database error can carry what was to be stored.
            log.error("database_out", during=during, error=type(error).__name__)  # noqa: TRY400
            await asyncio.sleep(OUTAGE_REST)
