"""The access log: enough to run the service by, nothing to find a person with."""

from typing import Any

import httpx
from fastapi import FastAPI
from structlog.testing import capture_logs

from domain.subscribers import Subscriber


async def test_a_line_names_the_route_and_never_what_was_in_the_address(
    visitor: httpx.AsyncClient, reader: Subscriber, ask: Any, service: Any
) -> None:
    secret, token = await ask(), service.keyring.sign_unsubscribe(reader.id)

    with capture_logs() as lines:
        await visitor.get(f"/preferences/{secret}?language=sl")
        await visitor.post(f"/preferences/{secret}", data={"name": "Ana Novak"})
        await visitor.post(f"/unsubscribe/{token}")
        await visitor.get(f"/never/{secret}")
        await visitor.post("/subscribe", data={"email": "ana@example.org"})

    told = [(line["method"], line["route"], line["status"]) for line in lines]
    assert told == [
        ("GET", "/preferences/{secret}", 200),
        ("POST", "/preferences/{secret}", 200),
        ("POST", "/unsubscribe/{token}", 200),
        ("GET", "none", 404),
        ("POST", "/subscribe", 422),
    ]
    assert all(line["ms"] >= 0 for line in lines)
    for word in (secret, token, "Ana", "example.org"):
        assert word not in str(lines)


async def test_a_defect_is_a_line_with_status_500(app: FastAPI, visitor: httpx.AsyncClient) -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    app.add_api_route("/fail", fail)

    with capture_logs() as lines:
        await visitor.get("/fail")

    assert [(line["route"], line["status"]) for line in lines] == [("/fail", 500)]
