"""The bot against the strict stand-in for Telegram, over real HTTP."""

import itertools
from collections.abc import AsyncIterator
from datetime import datetime

import pytest
import telegram

from bot import api
from bot.incoming import Self
from bot.limits import Limits
from bot.outbox import Outbox
from bot.settings import TelegramSettings
from bot.turns import Means
from demo.telegram import Flood, Telegram, served
from domain.database import Database
from domain.sites import ServiceSettings
from helixpost.places import LOCALES, TEMPLATES
from tests.bot import packs
from tests.bot.machines import FewAnswers, Machine
from tests.bot.talks import Talk
from wording.texts import Texts

TOKEN = "123456:a-token-of-the-tests"


@pytest.fixture(scope="session")
def texts() -> Texts:
    return Texts(TEMPLATES, LOCALES)


@pytest.fixture
def service() -> ServiceSettings:
    return ServiceSettings(
        name="INTRA news",
        base_url="http://127.0.0.1:8080",
        secret="a-key-for-the-tests-only-0123456789",
        operator="CAPITANK",
        contact="lead@example.org",
    )


@pytest.fixture
async def pack(database: Database, now: datetime) -> None:
    """A small project in the database."""
    await packs.import_small(database, now)


@pytest.fixture
def cloud() -> Telegram:
    """Telegram's side, patient with quick tests."""
    return Telegram(TOKEN, flood=Flood(rate=100, burst=100))


@pytest.fixture
async def settings(cloud: Telegram) -> AsyncIterator[TelegramSettings]:
    async with served(cloud) as address:
        yield TelegramSettings(token=TOKEN, api_url=address, mode="polling")


@pytest.fixture
async def client(settings: TelegramSettings) -> AsyncIterator[telegram.Bot]:
    async with api.opened(settings) as bot:
        await api.introduce(bot)
        yield bot


@pytest.fixture
def outbox(client: telegram.Bot) -> Outbox:
    """A way out whose limits see a second pass at every look, so that no test waits for them."""
    seconds = itertools.count()
    return Outbox(client, Limits(lambda: float(next(seconds))))


@pytest.fixture
def means(client: telegram.Bot, texts: Texts, service: ServiceSettings) -> Means:
    return Means(texts, service, FewAnswers(), Self(client.id, client.username))


@pytest.fixture
def machine(database: Database, means: Means, outbox: Outbox, now: datetime) -> Machine:
    return Machine(database, means, outbox, now)


@pytest.fixture
def ana(cloud: Telegram) -> Talk:
    return Talk(cloud, "Ana")
