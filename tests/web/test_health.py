"""Health: honest within two seconds, whatever the database does."""

import asyncio
from collections.abc import AsyncIterator
from time import monotonic
from typing import Any

import httpx
import pytest

from domain.database import Database, DatabaseSettings
from domain.sites import ServiceSettings
from web.app import create_app
from web.health import PATIENCE_SECONDS
from wording.texts import Texts


async def test_a_healthy_service_names_its_schema(visitor: httpx.AsyncClient) -> None:
    answer = await visitor.get("/health")

    assert answer.status_code == 200
    assert answer.json()["status"] == answer.json()["database"] == "ok"
    assert answer.json()["schema"]


@pytest.fixture
async def silent_port() -> AsyncIterator[int]:
    """A server that takes connections and never says a word."""
    end = asyncio.Event()

    async def keep_silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await end.wait()
        writer.close()

    server = await asyncio.start_server(keep_silent, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    end.set()
    server.close()


@pytest.fixture
async def closed_port() -> int:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return port


async def ask(port: int, path: str, texts: Texts, service: ServiceSettings, clock: Any) -> httpx.Response:
    database = Database(DatabaseSettings(url=f"postgresql://nobody@127.0.0.1:{port}/nothing"))
    app = create_app(database, texts, service, telegram_enabled=False, clock=clock)
    transport = httpx.ASGITransport(app=app)
    try:
        async with httpx.AsyncClient(transport=transport, base_url="https://news.intra.example") as client:
            return await client.get(path)
    finally:
        await database.close()


async def test_a_database_that_refuses_is_unreachable(
    closed_port: int, texts: Texts, service: ServiceSettings, clock: Any
) -> None:
    answer = await ask(closed_port, "/health", texts, service, clock)

    assert answer.status_code == 503
    assert answer.json() == {"status": "unavailable", "database": "unreachable"}


async def test_a_database_that_keeps_silent_is_unreachable_after_two_seconds(
    silent_port: int, texts: Texts, service: ServiceSettings, clock: Any
) -> None:
    began = monotonic()

    answer = await ask(silent_port, "/health", texts, service, clock)

    assert answer.status_code == 503
    assert PATIENCE_SECONDS <= monotonic() - began + 0.1 < PATIENCE_SECONDS + 3


async def test_a_page_says_that_we_are_out_of_order_while_the_database_is_away(
    closed_port: int, texts: Texts, service: ServiceSettings, clock: Any
) -> None:
    answer = await ask(closed_port, "/events?language=en", texts, service, clock)

    assert answer.status_code == 503
    assert "We are out of order for a moment" in answer.text
    assert answer.headers["retry-after"] == "30"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
