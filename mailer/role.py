"""The mailer as a role: everything that sends letters, run side by side and stopped within a bound."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import structlog

from domain.claimants import Claimant
from domain.database import Database
from domain.errors import Invalid
from domain.keys import Keyring
from domain.times import Clock, utc_now
from domain.waits import outlast, unless
from mailer.bounce_settings import BouncesSettings
from mailer.delays import ScheduleSettings
from mailer.ledgers import Ledger
from mailer.messages import Stationery
from mailer.notice_senders import NoticeSender
from mailer.relays import DeliverySettings, RelaySettings
from mailer.senders import Senders
from mailer.tickers import Ticker

if TYPE_CHECKING:
    from mailer.entrances import Entrances

DRAIN = 10.0
"""Seconds that letters already on their way get to end when the service stops."""

log = structlog.get_logger()


class Mailer:
    """Sends campaigns and notices, starts what is due, ends what balances, takes in what comes back."""

    def __init__(  # noqa: PLR0913 - what a role is made of
        self,
        database: Database,
        stationery: Stationery,
        relays: Sequence[RelaySettings],
        clock: Clock = utc_now,
        *,
        delivery: DeliverySettings | None = None,
        schedule: ScheduleSettings | None = None,
        bounces: BouncesSettings | None = None,
    ) -> None:
        """Keep the parts; raises `Invalid` without a relay, or for a port that cannot be had."""
        if not relays:
            raise Invalid("[[relays]]", "name at least one relay to send letters through")
        self._database = database
        self._stationery = stationery
        self._relays = relays
        self._clock = clock
        self._delivery = delivery or DeliverySettings()
        self._schedule = schedule
        keyring = stationery.service.keyring
        self._entrances = _open_entrances(database, bounces, keyring, clock)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then end within the bound; raises when any part dies."""
        claimant = Claimant(self._database.folder)
        work = asyncio.create_task(self._work(claimant.name, stop))
        stopped = asyncio.create_task(stop.wait())
        try:
            ends: set[asyncio.Future[Any]] = {work, stopped}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            drained, _ = await asyncio.wait({work}, timeout=DRAIN)
        finally:
            stopped.cancel()
            work.cancel()
        if not drained:
            # Its claims stay open under our lock, which the end of the process frees.
            await asyncio.wait({work}, timeout=1)
            log.warning("mailer_cut_off", after_seconds=DRAIN)
            return
        if work.exception() is None:
            claimant.close()
        else:
            claimant.leave()
        work.result()

    async def _work(self, claimant: str, stop: asyncio.Event) -> None:
        ticker = Ticker(self._database, self._stationery, self._clock, self._schedule)
        # Nothing is sent before it is known that this is no restored copy.
        await unless(stop, outlast(ticker.watch, "the first look"))
        ledger = Ledger(self._database, self._stationery, self._clock, claimant)
        senders = Senders(ledger, self._stationery, self._relays, self._clock, self._delivery)
        async with asyncio.TaskGroup() as group:
            group.create_task(ticker.run(stop))
            group.create_task(senders.run(stop))
            if self._entrances:
                group.create_task(self._entrances.run(stop))
            for relay in self._relays:
                sender = NoticeSender(self._database, self._stationery, relay, self._clock)
                group.create_task(sender.run(stop))


def _open_entrances(
    database: Database, bounces: BouncesSettings | None, keyring: Keyring, clock: Clock
) -> "Entrances | None":
    """Return the ways in, where there is one: most mailers would load what reads letters for nothing."""
    if bounces is None or not bounces.address:
        return None
    from mailer.entrances import Entrances

    return Entrances(database, bounces, keyring, clock)
