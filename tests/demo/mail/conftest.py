"""A running relay, letters to send to it, and servers to talk to."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from email.message import EmailMessage

import aiosmtplib
import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from demo.mail import Relay, create_app

Write = Callable[..., EmailMessage]
Send = Callable[..., Awaitable[None]]
Serve = Callable[[FastAPI], AbstractAsyncContextManager[str]]


@pytest.fixture
async def relay() -> AsyncIterator[Relay]:
    async with Relay() as running:
        yield running


@pytest.fixture
async def client(relay: Relay) -> AsyncIterator[aiosmtplib.SMTP]:
    connection = aiosmtplib.SMTP(hostname=relay.host, port=relay.port, timeout=10)
    await connection.connect()
    yield connection
    connection.close()


@pytest.fixture
def write() -> Write:
    def write_letter(
        subject: str = "Hello", *, text: str = "Text part", html: str = "", **headers: str
    ) -> EmailMessage:
        letter = EmailMessage()
        letter["From"], letter["Subject"] = "INTRA <news@intra.example>", subject
        letter.set_content(text)
        if html:
            letter.add_alternative(html, subtype="html")
        for name, value in headers.items():
            letter[name.replace("_", "-")] = value
        return letter

    return write_letter


@pytest.fixture
def send(relay: Relay, write: Write) -> Send:
    """Send one letter over a connection of its own; the words after the address go to `write`."""

    async def send_letter(to: str, *args: str, **options: str) -> None:
        letter = write(*args, **options)
        letter["To"] = to
        await aiosmtplib.send(
            letter, sender="bounce@intra.example", recipients=[to], hostname=relay.host, port=relay.port
        )

    return send_letter


@pytest.fixture
async def inbox(relay: Relay) -> AsyncIterator[httpx.AsyncClient]:
    """The inbox where the demo mounts it."""
    app = FastAPI()
    app.mount("/inbox", create_app(relay, home_url="/"))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://demo.example") as browser:
        yield browser


class Listener:
    """An HTTP server that notes the requests it gets, byte for byte, and gives one answer to all."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        self.url = ""

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next((int(v) for k, _, v in _fields(head) if k == "content-length"), 0)
        self.requests.append(head + (await reader.readexactly(length)).decode())
        writer.write(self.answer.encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()


def _fields(head: str) -> list[tuple[str, str, str]]:
    return [line.lower().partition(": ") for line in head.split("\r\n")]


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    listening = Listener()
    server = await asyncio.start_server(listening, "127.0.0.1", 0)
    listening.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield listening


@pytest.fixture
def serve() -> Serve:
    """Serve an app over HTTP for as long as the block lasts; gives its address."""

    @asynccontextmanager
    async def running(app: FastAPI) -> AsyncIterator[str]:
        server = uvicorn.Server(uvicorn.Config(app, ws="none", lifespan="off", log_level="error"))
        # listening already, so that the first visitor waits for the server and nobody polls
        listening = socket.create_server(("127.0.0.1", 0))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving

    return running
