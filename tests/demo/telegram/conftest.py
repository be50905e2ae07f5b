"""One simulator per test, served over real HTTP, and the real library as its bot."""

from collections.abc import AsyncIterator

import httpx
import pytest
from telegram import Bot

from demo.telegram import Telegram, served

TOKEN = "123456:simulated"


@pytest.fixture(autouse=True)
def _durations(monkeypatch: pytest.MonkeyPatch) -> None:
    # the library warns about its old seconds otherwise, and warnings are errors
    monkeypatch.setenv("PTB_TIMEDELTA", "1")


@pytest.fixture
def state() -> Telegram:
    return Telegram(TOKEN, username="intra_bot", name="INTRA")


@pytest.fixture
async def url(state: Telegram) -> AsyncIterator[str]:
    async with served(state) as address:
        yield address


@pytest.fixture
async def bot(url: str) -> AsyncIterator[Bot]:
    async with Bot(TOKEN, base_url=f"{url}/bot") as started:
        yield started


@pytest.fixture
async def browser(url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A browser without scripts."""
    headers = {"Accept-Language": "sl-SI,sl;q=0.9"}
    async with httpx.AsyncClient(base_url=url, headers=headers, follow_redirects=True) as client:
        yield client


@pytest.fixture
def reader(state: Telegram) -> int:
    """The id of somebody who wrote to the bot before."""
    return state.add_user("Ana", language_code="sl", started=True).id
