"""The role as the composition root runs it: in both modes, from the start to the bounded stop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bot.role import Bot
from bot.settings import TelegramSettings
from demo.telegram import Telegram
from domain import updates
from domain.database import Database
from domain.errors import Invalid
from domain.sites import ServiceSettings
from domain.times import utc_now
from tests.bot.machines import FewAnswers
from tests.bot.talks import Talk
from wording.texts import Texts

pytestmark = pytest.mark.usefixtures("pack")


@asynccontextmanager
async def _running(bot: Bot) -> AsyncIterator[None]:
    stop = asyncio.Event()
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        group.create_task(bot.run(stop))
        yield
        stop.set()


@pytest.fixture
def bot(database: Database, texts: Texts, service: ServiceSettings, settings: TelegramSettings) -> Bot:
    return Bot(database, texts, service, settings, FewAnswers(), clock=utc_now)


async def test_polling_it_starts_answers_and_stops_at_once(bot: Bot, cloud: Telegram, ana: Talk) -> None:
    async with _running(bot):
        assert "I am a machine" in (await ana.say("/start")).text
        await cloud.wait_until(lambda: len(cloud.profile.commands) == 7)
        moment = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - moment < 5
    assert not list(bot._database.folder.glob("bots/*")), "a clean end leaves no claimant behind"


async def test_it_waits_until_telegram_can_be_reached(bot: Bot, cloud: Telegram, ana: Talk) -> None:
    cloud.fail_next("getMe", 502, "Bad Gateway")
    async with _running(bot):
        assert "I am a machine" in (await ana.say("/start")).text


async def test_a_token_that_telegram_does_not_know_is_named(bot: Bot, cloud: Telegram) -> None:
    cloud.token = "1:another"
    with pytest.raises(Invalid, match=r"\[telegram\] token: .*@BotFather"):
        await bot.run(asyncio.Event())


async def test_asked_to_stop_before_it_could_start_it_stops(bot: Bot, cloud: Telegram) -> None:
    cloud.fail_next("getMe", 502, "Bad Gateway", count=100)
    async with _running(bot):
        await asyncio.sleep(0)


async def test_with_a_webhook_it_answers_what_the_web_pages_stored(
    database: Database,
    texts: Texts,
    service: ServiceSettings,
    settings: TelegramSettings,
    cloud: Telegram,
    ana: Talk,
) -> None:
    pushed = settings.model_copy(update={"mode": "webhook"})
    async with _running(Bot(database, texts, service, pushed, FewAnswers(), clock=utc_now)):
        await cloud.wait_until(lambda: cloud.courier.webhook)
        raw = await _written(cloud, ana)
        async with database.transaction() as session:
            await updates.store(session, raw, updates.chat_of(raw), utc_now())
        assert "I am a machine" in (await cloud.wait_for_message(ana.id)).text


async def _written(cloud: Telegram, ana: Talk) -> dict[str, object]:
    await cloud.send_text(ana.id, "/start")
    return dict(cloud.updates.pending[-1])


async def test_a_webhook_that_telegram_refuses_is_named(
    database: Database, texts: Texts, service: ServiceSettings, settings: TelegramSettings
) -> None:
    pushed = settings.model_copy(update={"mode": "webhook"})
    unsafe = service.model_copy(update={"base_url": "http://news.example.org"})
    with pytest.raises(Invalid, match=r"\[service\] base_url: .*https"):
        await Bot(database, texts, unsafe, pushed, FewAnswers(), clock=utc_now).run(asyncio.Event())
