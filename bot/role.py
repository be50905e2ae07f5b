"""The bot as one role of the service: started in order, run side by side, stopped within a bound."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
import telegram

from bot import api, intake, menus, takeovers
from bot.incoming import Self
from bot.intake import Polling
from bot.limits import Limits
from bot.newsletters import Newsletters
from bot.outbox import Outbox
from bot.processing import Processor
from bot.settings import TelegramSettings
from bot.troubles import BadToken, Busy, Refused, Trouble
from bot.turns import Answering, Means
from domain.database import Database
from domain.errors import Invalid
from domain.sites import ServiceSettings
from domain.times import Clock
from domain.waits import pause, unless
from wording.texts import Texts

Result = TypeVar("Result")
log = structlog.get_logger()

STOP_SECONDS = 10.0
_FIRST_REST, _LONGEST_REST = 1.0, 30.0


class Bot:
    """Telegram in and out, in polling or webhook mode."""

    def __init__(
        self,
        database: Database,
        texts: Texts,
        service: ServiceSettings,
        telegram: TelegramSettings,
        answers: Answering,
        *,
        clock: Clock,
    ) -> None:
        """Take the parts; nothing is sent before `run`."""
        self._database, self._texts, self._service = database, texts, service
        self._settings, self._answers, self._clock = telegram, answers, clock

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set; returns within `STOP_SECONDS` of that, and raises when a part dies."""
        async with api.opened(self._settings) as bot:
            work = asyncio.ensure_future(self._work(bot, stop))
            stopped = asyncio.ensure_future(stop.wait())
            try:
                await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
                done, _ = await asyncio.wait({work}, timeout=STOP_SECONDS)
            finally:
                stopped.cancel()
                work.cancel()
                await asyncio.wait({work})
        if done:
            work.result()
        else:
            log.warning("bot_stopped_midway", seconds=STOP_SECONDS)

    async def _work(self, bot: telegram.Bot, stop: asyncio.Event) -> None:
        username = await self._start(bot, stop)
        if username is None:
            return
        outbox = Outbox(bot, Limits())
        means = Means(self._texts, self._service, self._answers, Self(bot.id, username))
        log.info("bot_started", mode=self._settings.mode)
        async with takeovers.enrolled(self._database, self._clock) as claimant:
            processor = Processor(self._database, means, outbox, self._clock, claimant.name)
            newsletters = Newsletters(self._database, means, outbox, self._clock, claimant.name)
            polling = Polling(bot, self._database, self._clock)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._publish(bot, stop))
                group.create_task(takeovers.run(self._database, self._clock, stop))
                group.create_task(processor.run(stop, polling.arrived))
                group.create_task(newsletters.run(stop))
                if self._settings.mode == "polling":
                    group.create_task(polling.run(stop))

    async def _start(self, bot: telegram.Bot, stop: asyncio.Event) -> str | None:
        """Introduce the bot, say where updates go, and return its user name; None when stopped before."""
        try:
            username = await _insist(lambda: api.introduce(bot), stop)
        except BadToken as bad:
            raise Invalid("[telegram] token", str(bad)) from None
        try:
            await _insist(lambda: self._choose_intake(bot), stop)
        except Refused as refused:
            raise Invalid("[service] base_url", f"Telegram refuses it for the webhook ({refused})") from None
        return username

    async def _choose_intake(self, bot: telegram.Bot) -> None:
        if self._settings.mode == "webhook":
            await intake.set_webhook(bot, self._service)
        else:
            await intake.delete_webhook(bot)

    async def _publish(self, bot: telegram.Bot, stop: asyncio.Event) -> None:
        """Publish menus and descriptions; conversations do not wait for them."""
        try:
            await _insist(lambda: menus.publish(bot, self._texts, self._service), stop)
        except Refused as refused:
            log.warning("menus_refused", why=str(refused))


async def _insist(call: Callable[[], Awaitable[Result]], stop: asyncio.Event) -> Result | None:
    """Repeat a call until Telegram can be reached; None when `stop` was set first."""
    rest = _FIRST_REST
    while not stop.is_set():
        try:
            return await unless(stop, call())
        except (BadToken, Refused):
            raise
        except Trouble as trouble:
            log.warning("telegram_unreachable", trouble=type(trouble).__name__, why=str(trouble))
            await pause(trouble.seconds if isinstance(trouble, Busy) else rest, stop)
            rest = min(rest * 2, _LONGEST_REST)
    return None
