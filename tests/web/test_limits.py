"""Limits: what is too large or too slow is refused while it streams, not after."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import httpx
import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from web.limits import FORM_BYTES, BodyLimits

Serve = Callable[[FastAPI], AbstractAsyncContextManager[str]]


@pytest.mark.parametrize("path", ["/subscribe", "/preferences", "/preferences/x", "/unsubscribe/1-0"])
async def test_a_body_larger_than_any_form_is_refused_in_words(
    visitor: httpx.AsyncClient, path: str, keyring: object
) -> None:
    path = path.replace("1-0", keyring.sign_unsubscribe(1))  # type: ignore[attr-defined]

    answer = await visitor.post(f"{path}?language=en", data={"name": "x" * FORM_BYTES})

    assert answer.status_code == 413
    assert "That is too much at once" in answer.text


async def test_a_form_of_the_allowed_size_is_read(visitor: httpx.AsyncClient) -> None:
    assert (await visitor.post("/subscribe", data={"name": "x" * (FORM_BYTES - 5)})).status_code == 422


async def test_the_refusal_comes_before_the_body_has_ended(app: FastAPI, serve: Serve) -> None:
    head = (
        "POST /subscribe HTTP/1.1\r\nHost: news.intra.example\r\nTransfer-Encoding: chunked\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    )
    chunk = f"{FORM_BYTES + 1:x}\r\n{'x' * (FORM_BYTES + 1)}\r\n"

    async with serve(app) as address, asyncio.timeout(20):
        _, port = address.rsplit(":", 1)
        reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
        writer.write((head + chunk).encode())  # and no last chunk: the body goes on
        answer = await reader.readline()
        writer.close()
        await writer.wait_closed()

    assert answer.startswith(b"HTTP/1.1 413 ")


async def read_all(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def test_a_body_that_comes_too_slowly_is_refused() -> None:
    app = BodyLimits(Starlette(routes=[Route("/", read_all, methods=["POST"])]), by_path={}, seconds=0.05)
    never = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"x"
        await never.wait()

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://a.example"
    ) as client:
        assert (await client.post("/", content=slow())).status_code == 408


async def test_a_body_within_the_limits_is_handed_on_whole() -> None:
    app = BodyLimits(Starlette(routes=[Route("/", read_all, methods=["POST"])]), by_path={"/": 10}, seconds=1)

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://a.example"
    ) as client:
        assert (await client.post("/", content=b"x" * 10)).text == "10"
        assert (await client.post("/", content=b"x" * 11)).status_code == 413
