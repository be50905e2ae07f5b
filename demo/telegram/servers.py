"""Serving the simulator on this machine, inside a process that has other work."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator

import uvicorn
from fastapi import FastAPI

from demo.telegram.api import bot_api
from demo.telegram.cloud import Telegram
from demo.telegram.page import chat_page


def create_app(state: Telegram) -> FastAPI:
    """Return the simulator: the Bot API under /bot<token>/, the app under /chat."""
    app = FastAPI(title="Telegram stand-in", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(bot_api(state))
    app.include_router(chat_page(state))
    return app


@contextlib.asynccontextmanager
async def served(state: Telegram, *, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Serve while the block runs; yields the address, such as http://127.0.0.1:40001."""
    listening = socket.create_server((host, port))
    config = uvicorn.Config(
        create_app(state), log_config=None, log_level="critical", ws="none", lifespan="off"
    )
    server = _Server(config)
    running = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        while not server.started:  # noqa: ASYNC110 - uvicorn sets a flag, no event
            await asyncio.sleep(0.01)
        yield f"http://{host}:{listening.getsockname()[1]}"
    finally:
        state.close()
        server.should_exit = True
        await running
        listening.close()


class _Server(uvicorn.Server):
    """Leaves signals to the process around it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
