"""Stored before confirmed: what Telegram forgets is in our table."""

import asyncio

import pytest
import telegram
from sqlmodel import select

from bot import intake
from bot.troubles import BadToken, Refused
from demo.telegram import Telegram
from domain import updates
from domain.database import Database
from domain.sites import ServiceSettings
from domain.updates import TelegramUpdate
from tests.bot.machines import Machine
from tests.bot.talks import Talk


async def _numbers(database: Database) -> list[int]:
    async with database.reading() as session:
        query = select(TelegramUpdate.update_id).order_by(TelegramUpdate.update_id)  # type: ignore[arg-type]
        return list((await session.exec(query)).all())


async def test_what_is_confirmed_is_stored(machine: Machine, cloud: Telegram, ana: Talk) -> None:
    await cloud.send_text(ana.id, "one")
    await cloud.send_text(ana.id, "two")
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(machine.polling.run(stop))
        await cloud.wait_until(lambda: not cloud.updates.pending)
        assert len(await _numbers(machine.database)) == 2
        stop.set()


async def test_what_was_stored_and_not_confirmed_is_stored_once(
    machine: Machine, cloud: Telegram, ana: Talk
) -> None:
    await cloud.send_text(ana.id, "one")
    [raw] = cloud.updates.pending
    async with machine.database.transaction() as session:
        await updates.store(session, raw, ana.id, machine.now)
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(machine.polling.run(stop))
        await cloud.wait_until(lambda: not cloud.updates.pending)
        stop.set()
    assert await _numbers(machine.database) == [raw["update_id"]]


async def test_an_update_that_the_library_cannot_read_is_stored_too(
    machine: Machine, cloud: Telegram, ana: Talk
) -> None:
    cloud.updates.add("message", {"chat": {"id": ana.id}, "date": "yesterday"})
    await cloud.send_text(ana.id, "two")
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(machine.polling.run(stop))
        await cloud.wait_until(lambda: not cloud.updates.pending)
        stop.set()
    assert len(await _numbers(machine.database)) == 2


@pytest.mark.parametrize(
    ("status", "words"), [(502, "Bad Gateway"), (409, "Conflict: terminated by other getUpdates request")]
)
async def test_polling_goes_on_after_a_trouble(
    machine: Machine, cloud: Telegram, ana: Talk, status: int, words: str
) -> None:
    cloud.fail_next("getUpdates", status, words)
    await cloud.send_text(ana.id, "one")
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(machine.polling.run(stop))
        await cloud.wait_until(lambda: not cloud.updates.pending)
        stop.set()
    assert len(await _numbers(machine.database)) == 1


async def test_a_token_that_telegram_does_not_know_ends_the_polling(
    machine: Machine, cloud: Telegram
) -> None:
    cloud.fail_next("getUpdates", 401, "Unauthorized")
    with pytest.raises(BadToken):
        await machine.polling.run(asyncio.Event())


async def test_the_webhook_has_a_secret_and_is_taken_back_for_polling(
    client: telegram.Bot, cloud: Telegram, service: ServiceSettings
) -> None:
    await intake.set_webhook(client, service)
    assert cloud.courier.webhook is not None
    assert cloud.courier.webhook.url == "http://127.0.0.1:8080/telegram/webhook"
    assert cloud.courier.webhook.secret_token == service.keyring.webhook_secret()
    assert cloud.updates.allowed == ["message", "callback_query", "my_chat_member"]
    await intake.delete_webhook(client)
    assert cloud.courier.webhook is None


async def test_a_webhook_without_https_is_refused(client: telegram.Bot, service: ServiceSettings) -> None:
    elsewhere = service.model_copy(update={"base_url": "http://news.example.org"})
    with pytest.raises(Refused, match="https"):
        await intake.set_webhook(client, elsewhere)
