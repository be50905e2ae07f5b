"""Serves an application over HTTP inside the composition root's loop."""

import asyncio
import os
import socket
from contextlib import AbstractContextManager, nullcontext

import uvicorn
from starlette.applications import Starlette

from domain.errors import Invalid

DRAIN_SECONDS = 5
"""How long answers that are on their way may take when the service stops."""


async def serve(app: Starlette, listener: socket.socket, stop: asyncio.Event) -> None:
    """Serve an application on a listening socket until `stop` is set, and close it."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    server = _Server(config)
    watcher = asyncio.create_task(_exit_when(server, stop))
    try:
        await server.serve(sockets=[listener])
    finally:
        watcher.cancel()
        listener.close()


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; raises `Invalid` with the cure when the port cannot be had."""
    try:
        return socket.create_server((host, port), reuse_port=False)
    except OSError as error:
        raise Invalid(
            "port", f"{host}:{port} cannot be used ({os.strerror(error.errno or 0)}); choose another"
        ) from None


class _Server(uvicorn.Server):
    """A server that leaves the signals to the composition root."""

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
        return nullcontext()


async def _exit_when(server: uvicorn.Server, stop: asyncio.Event) -> None:
    await stop.wait()
    server.should_exit = True
