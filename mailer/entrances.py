"""Entrances: the ways in for letters that came back, run side by side in the mailer's process."""

import asyncio
from typing import Protocol

from domain.database import Database
from domain.keys import Keyring
from domain.times import Clock
from mailer.bounce_settings import BouncesSettings
from mailer.return_paths import ReturnPaths
from mailer.returns import Returns


class _Way(Protocol):
    async def run(self, stop: asyncio.Event) -> None: ...


class Entrances:
    """Every way in that the settings name; there may be none, and then nothing is loaded for them."""

    def __init__(self, database: Database, settings: BouncesSettings, keyring: Keyring, clock: Clock) -> None:
        """Build the ways in; raises `Invalid` when the receiver's port cannot be had."""
        returns = Returns(database, ReturnPaths(settings.address, keyring), keyring, clock)
        self._ways: list[_Way] = []
        if settings.mailbox.host:
            from mailer.mailboxes import Mailbox

            self._ways.append(Mailbox(settings.mailbox, returns))
        if settings.receiver.host:
            from mailer.receivers import Receiver

            self._ways.append(Receiver(settings.receiver, returns))

    async def run(self, stop: asyncio.Event) -> None:
        """Take in what comes until `stop` is set."""
        async with asyncio.TaskGroup() as group:
            for way in self._ways:
                group.create_task(way.run(stop))
