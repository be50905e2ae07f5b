"""A tour whose campaign the test moves along, and the page over it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI

from demo.landing import Tour, create_app

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)

Serve = Callable[[FastAPI], AbstractAsyncContextManager[str]]


class Campaign:
    """What the service would tell about its campaign."""

    def __init__(self) -> None:
        self.told: dict[str, Any] | None = {
            "name": "Study visit",
            "status": "scheduled",
            "scheduled_at": "2026-05-01T12:02:05Z",
            "counts": {},
            "audience": 200,
        }

    def becomes(self, status: str, **counts: int) -> None:
        assert self.told is not None
        self.told |= {"status": status, "counts": counts}

    async def progress(self) -> dict[str, Any] | None:
        return self.told


@pytest.fixture
def campaign() -> Campaign:
    return Campaign()


@pytest.fixture
def tour(campaign: Campaign) -> Tour:
    return Tour(
        service_url="http://127.0.0.1:8025/",
        chat_url="/chat/",
        inbox_url="/inbox/",
        project_name="INTRA",
        commands=['helixpost ask "When?"', "helixpost campaigns status 1 --json", "helixpost events list"],
        progress=campaign.progress,
    )


@pytest.fixture
def app(tour: Tour) -> FastAPI:
    return create_app(tour, now=lambda: NOW)


@pytest.fixture
def serve() -> Serve:
    """Serve an app over HTTP for as long as the block lasts; gives its address."""

    @asynccontextmanager
    async def running(app: FastAPI) -> AsyncIterator[str]:
        server = uvicorn.Server(uvicorn.Config(app, ws="none", lifespan="off", log_level="error"))
        listening = socket.create_server(("127.0.0.1", 0))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving

    return running
