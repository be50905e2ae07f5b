"""Builds the roles out of the settings and runs them until they are asked to stop, or one dies.

A room is imported when something of it is built: most commands need the database and little else.
"""

import asyncio
import gc
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from enum import StrEnum
from functools import cached_property, partial
from typing import TYPE_CHECKING

import structlog

from domain.database import Database
from domain.errors import Invalid
from domain.times import Clock, utc_now
from helixpost import schema
from helixpost.places import LOCALES, TEMPLATES
from helixpost.settings import Settings

if TYPE_CHECKING:
    from knowledge.answers import Answers
    from mailer.messages import Stationery
    from mailer.return_paths import ReturnPaths
    from mailer.signatures import Signers
    from wording.texts import Texts

log = structlog.get_logger()


class Role(StrEnum):
    """A part of the service that can run in a process of its own."""

    WEB = "web"
    BOT = "bot"
    MAILER = "mailer"


Run = Callable[[asyncio.Event], Awaitable[None]]
"""What a role is once it is built: it runs until the event is set, and raises when it dies."""


class Service:
    """The parts that every role shares: settings, database, words, clock."""

    def __init__(self, settings: Settings, clock: Clock = utc_now) -> None:
        """Build the parts; nothing runs yet."""
        self.settings = settings
        self.clock = clock
        self.database = Database(settings.database)

    @cached_property
    def texts(self) -> "Texts":
        """Every sentence of the service."""
        from wording.texts import Texts

        return Texts(TEMPLATES, LOCALES)

    @cached_property
    def answers(self) -> "Answers":
        """The answer engine; its index is built when it is first asked."""
        from knowledge.answers import Answers

        return Answers(self.texts, self.settings.service)

    @cached_property
    def stationery(self) -> "Stationery":
        """What every letter is written on; raises `Invalid` where `[mail]` or a key cannot be used."""
        from mailer.messages import Stationery

        mail, _ = self.settings.sending
        signers = self._signers(mail.domain) if self.settings.dkim else None
        return Stationery(self.texts, self.settings.service, mail, signers, self._return_paths())

    def roles(self, names: Iterable[Role]) -> dict[Role, Run]:
        """Build the named roles; raises `Invalid` for one that the settings do not allow."""
        builders = {Role.WEB: self._web, Role.BOT: self._bot, Role.MAILER: self._mailer}
        return {name: builders[name]() for name in names}

    def default_roles(self) -> list[Role]:
        """Return every role that the settings have switched on."""
        off = {Role.BOT} if self.settings.telegram.mode == "off" else set()
        return [role for role in Role if role not in off]

    def _web(self) -> Run:
        from helixpost.serving import listen, serve
        from web.app import create_app

        settings = self.settings
        enabled = settings.telegram.mode == "webhook"
        app = create_app(
            self.database,
            self.texts,
            settings.service,
            enabled,
            self.clock,
            bot_url=settings.web.bot_url,
        )
        # A taken port is said before any role has begun its work.
        return partial(serve, app, listen(settings.web.host, settings.web.port))

    def _bot(self) -> Run:
        settings = self.settings
        if settings.telegram.mode == "off":
            raise Invalid("[telegram] mode", "it is off; set polling or webhook to run the bot")
        from bot.role import Bot

        bot = Bot(
            self.database, self.texts, settings.service, settings.telegram, self.answers, clock=self.clock
        )
        return bot.run

    def _signers(self, domain: str) -> "Signers":
        from mailer.signatures import open_signers  # cryptography is heavy, and most have no key

        return open_signers(self.settings.dkim, domain)

    def _return_paths(self) -> "ReturnPaths | None":
        from mailer.return_paths import ReturnPaths

        address = self.settings.bounces.address
        return ReturnPaths(address, self.settings.service.keyring) if address else None

    def _mailer(self) -> Run:
        from mailer.role import Mailer

        settings = self.settings
        _, relays = settings.sending
        mailer = Mailer(
            self.database,
            self.stationery,
            relays,
            self.clock,
            delivery=settings.delivery,
            schedule=settings.schedule,
            bounces=settings.bounces,
        )
        return mailer.run


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Service]:
    """Build a service on a database of the right schema, and close it at the end."""
    service = Service(settings)
    try:
        await schema.check(service.database)
        yield service
    finally:
        await service.database.close()


async def run(settings: Settings, names: Iterable[Role]) -> None:
    """Run roles until SIGTERM or SIGINT; a role that dies takes the others down with it, loudly."""
    async with opened(settings) as service:
        roles = service.roles(list(names) or service.default_roles())
        stop = stop_on_signals()
        # What is imported lives as long as the process, and what comes after it seldom leaves cycles.
        gc.freeze()
        gc.set_threshold(10_000)
        log.info("service_started", roles=sorted(roles))
        await run_together(roles.values(), stop)
        log.info("service_stopped")


async def run_together(runs: Iterable[Run], stop: asyncio.Event) -> None:
    """Run everything side by side until `stop` is set."""
    async with asyncio.TaskGroup() as group:
        for role in runs:
            group.create_task(_until_stopped(role, stop))


def stop_on_signals() -> asyncio.Event:
    """Return an event that SIGTERM and SIGINT set."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def _until_stopped(role: Run, stop: asyncio.Event) -> None:
    await role(stop)
    if not stop.is_set():
        raise RuntimeError("a role ended although nobody asked it to")
