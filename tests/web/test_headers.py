"""Headers: no script, no frame, no trace of where a visitor came from, no cookie."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from domain.subscribers import Subscriber

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)


async def fail() -> None:
    raise ZeroDivisionError


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/static/site.css", 200),
        ("/colours.css", 200),
        ("/health", 200),
        ("/archive/feed.xml", 200),
        ("/never", 404),
        ("/fail", 500),
    ],
)
async def test_every_answer_carries_the_security_headers_and_no_cookie(
    app: FastAPI, visitor: httpx.AsyncClient, path: str, status: int
) -> None:
    app.add_api_route("/fail", fail)

    answer = await visitor.get(path)

    assert answer.status_code == status
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert "set-cookie" not in answer.headers


async def test_https_is_promised_only_where_it_is_served(
    database: Any, texts: Any, service: Any, clock: Any
) -> None:
    from web.app import create_app

    plain = service.model_copy(update={"base_url": "http://127.0.0.1:8080"})
    transport = httpx.ASGITransport(
        app=create_app(database, texts, plain, telegram_enabled=False, clock=clock)
    )
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
        assert "strict-transport-security" not in (await client.get("/")).headers


async def test_pages_behind_a_secret_are_neither_stored_nor_indexed(
    visitor: httpx.AsyncClient, reader: Subscriber, ask: Any, service: Any
) -> None:
    secret, token = await ask(), service.keyring.sign_unsubscribe(reader.id)
    answers = [
        await visitor.get(f"/preferences/{secret}"),
        await visitor.get("/preferences/invented"),
        await visitor.get("/confirm/invented"),
        await visitor.get(f"/unsubscribe/{token}"),
        await visitor.get("/unsubscribe/invented"),
        await visitor.post(f"/unsubscribe/{token}"),
        await visitor.post(f"/unsubscribe/{token}/undo"),
    ]

    for answer in answers:
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-robots-tag"] == "noindex"
        assert '<meta name="robots" content="noindex">' in answer.text
        assert "canonical" not in answer.text
