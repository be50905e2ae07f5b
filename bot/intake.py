"""Updates from Telegram into our table: stored and committed first, confirmed after.

The library's Application confirms updates once they are in memory, handles one delivered twice twice,
and stops at one it cannot read: a crash would lose questions. So only its types and calls are used.
"""

import asyncio
from typing import Any

import structlog
import telegram

from bot.api import ALLOWED_UPDATES, fetch_updates, translated
from bot.troubles import BadToken, Busy, Taken, Trouble
from domain import updates
from domain.database import OUTAGES, Database
from domain.sites import WEBHOOK_PATH, ServiceSettings
from domain.times import Clock
from domain.waits import pause, unless

log = structlog.get_logger()

_OUTAGES: tuple[type[Exception], ...] = (Trouble, *OUTAGES)
"""Of either side: they are waited out."""
_FIRST_REST, _LONGEST_REST = 1.0, 30.0


class Polling:
    """Asks Telegram for updates, for as long as the service runs."""

    def __init__(self, bot: telegram.Bot, database: Database, clock: Clock) -> None:
        """Take a bot whose webhook is not set."""
        self.arrived = asyncio.Event()
        """Set whenever something new was stored."""
        self._bot, self._database, self._clock = bot, database, clock
        self._rest = _FIRST_REST

    async def run(self, stop: asyncio.Event) -> None:
        """Poll until `stop` is set; outages of either side are waited out."""
        offset: int | None = None
        while not stop.is_set():
            try:
                found = await unless(stop, fetch_updates(self._bot, offset))
                offset = await self._store(found or []) or offset
                self._rest = _FIRST_REST
            except BadToken:
                raise
            except _OUTAGES as problem:
                await self._wait_out(problem, stop)

    async def _store(self, found: list[Any]) -> int | None:
        """Commit the updates and return the offset that confirms them; None when there are none."""
        numbered = [raw for raw in found if isinstance(raw, dict) and isinstance(raw.get("update_id"), int)]
        if len(numbered) < len(found):
            log.error("updates_without_number", count=len(found) - len(numbered))
        if not numbered:
            return None
        async with self._database.transaction() as session:
            for raw in numbered:
                await updates.store(session, raw, updates.chat_of(raw), self._clock())
        self.arrived.set()
        return max(int(raw["update_id"]) for raw in numbered) + 1

    async def _wait_out(self, problem: Exception, stop: asyncio.Event) -> None:
        if isinstance(problem, Taken):
            log.error("polling_conflict", cure="stop the other process or webhook that uses this token")
        else:
            log.warning("polling_interrupted", problem=type(problem).__name__)
        await pause(problem.seconds if isinstance(problem, Busy) else self._rest, stop)
        self._rest = min(self._rest * 2, _LONGEST_REST)


async def set_webhook(bot: telegram.Bot, service: ServiceSettings) -> None:
    """Let Telegram push updates to our web pages, with a secret that only it and we know."""
    with translated():
        await bot.set_webhook(
            service.url(WEBHOOK_PATH),
            allowed_updates=ALLOWED_UPDATES,
            secret_token=service.keyring.webhook_secret(),
        )


async def delete_webhook(bot: telegram.Bot) -> None:
    """Make polling possible; updates that wait at Telegram stay there."""
    with translated():
        await bot.delete_webhook(drop_pending_updates=False)
