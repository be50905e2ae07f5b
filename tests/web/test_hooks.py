"""Telegram's hook: stored once, answered after the commit, closed to everybody else."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlmodel import select
from structlog.testing import capture_logs

from domain.database import Database
from domain.sites import WEBHOOK_PATH, ServiceSettings
from domain.updates import TelegramUpdate
from web.app import create_app
from web.hooks import LONGEST_UPDATE
from wording.texts import Texts

UPDATE = {"update_id": 7, "message": {"message_id": 1, "chat": {"id": 42}, "text": "Who leads \u0000 INTRA?"}}


@pytest.fixture
def secret(service: ServiceSettings) -> dict[str, str]:
    return {"X-Telegram-Bot-Api-Secret-Token": service.keyring.webhook_secret()}


async def stored(database: Database) -> list[tuple[int, int | None]]:
    async with database.reading() as session:
        return [(row.update_id, row.chat_id) for row in (await session.exec(select(TelegramUpdate))).all()]


async def test_an_update_is_stored_once_however_often_it_comes(
    visitor: httpx.AsyncClient, database: Database, secret: dict[str, str]
) -> None:
    answers = [await visitor.post(WEBHOOK_PATH, json=UPDATE, headers=secret) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert await stored(database) == [(7, 42)]


@pytest.mark.parametrize(
    ("update", "chat"),
    [
        ({"callback_query": {"id": "1", "message": {"chat": {"id": 5}}}}, 5),
        ({"my_chat_member": {"chat": {"id": -6}}}, -6),
        ({"poll": {"id": "1"}}, None),
    ],
)
async def test_the_chat_is_found_in_every_kind_of_update(
    visitor: httpx.AsyncClient,
    database: Database,
    secret: dict[str, str],
    update: dict[str, Any],
    chat: int | None,
) -> None:
    await visitor.post(WEBHOOK_PATH, json={"update_id": 1} | update, headers=secret)

    assert await stored(database) == [(1, chat)]


@pytest.mark.parametrize("told", ["", "wrong", "wröng"])
async def test_whoever_does_not_know_the_secret_finds_no_page_and_leaves_no_trace_of_it(
    visitor: httpx.AsyncClient, database: Database, told: str
) -> None:
    header = {b"X-Telegram-Bot-Api-Secret-Token": told.encode("latin-1")}

    with capture_logs() as lines:
        answer = await visitor.post(WEBHOOK_PATH, json=UPDATE, headers=header)

    assert answer.status_code == 404
    assert await stored(database) == []
    assert [line["event"] for line in lines] == ["request_answered"]
    assert not told or told not in str(lines)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"{}", b'{"update_id": "7"}', b'{"update_id": true}', b"[" * 9999]
)
async def test_what_is_no_update_is_refused(
    visitor: httpx.AsyncClient, database: Database, secret: dict[str, str], body: bytes
) -> None:
    answer = await visitor.post(WEBHOOK_PATH, content=body, headers=secret)

    assert answer.status_code == 400
    assert await stored(database) == []


async def test_a_number_that_no_column_holds_is_refused(
    visitor: httpx.AsyncClient, secret: dict[str, str]
) -> None:
    assert (await visitor.post(WEBHOOK_PATH, json={"update_id": 2**63}, headers=secret)).status_code == 400


async def test_an_update_may_be_larger_than_a_form_but_not_endless(
    visitor: httpx.AsyncClient, database: Database, secret: dict[str, str]
) -> None:
    large = UPDATE | {"note": "x" * 200_000}
    endless = UPDATE | {"update_id": 8, "note": "x" * LONGEST_UPDATE}

    assert (await visitor.post(WEBHOOK_PATH, json=large, headers=secret)).status_code == 200
    assert (await visitor.post(WEBHOOK_PATH, json=endless, headers=secret)).status_code == 413
    assert await stored(database) == [(7, 42)]


async def test_without_telegram_there_is_no_hook(
    database: Database, texts: Texts, service: ServiceSettings, clock: Any, secret: dict[str, str]
) -> None:
    app: FastAPI = create_app(database, texts, service, telegram_enabled=False, clock=clock)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="https://news.intra.example") as client:
        assert (await client.post(WEBHOOK_PATH, json=UPDATE, headers=secret)).status_code == 404
