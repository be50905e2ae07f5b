"""Updates reach the bot by polling or webhook, and are kept until it confirms them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Request, Response
from telegram import Bot, Update
from telegram.error import BadRequest, Conflict
from telegram.ext import Application, CommandHandler, ContextTypes

from demo.telegram import Telegram
from demo.telegram.servers import _Server

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"


class Receiver:
    """A bot's webhook that refuses a few times first."""

    def __init__(self, refusals: int = 0) -> None:
        self.refusals = refusals
        self.seen: list[tuple[int, str | None]] = []

    async def receive(self, request: Request) -> Response:
        update = await request.json()
        self.seen.append((update["update_id"], request.headers.get(SECRET_HEADER)))
        self.refusals -= 1
        return Response(status_code=500 if self.refusals >= 0 else 200)


@asynccontextmanager
async def listening(receiver: Receiver) -> AsyncIterator[str]:
    app = FastAPI()
    app.add_api_route("/hook", receiver.receive, methods=["POST"])
    server = _Server(uvicorn.Config(app, port=0, log_config=None, log_level="critical", ws="none"))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/hook"
    server.should_exit = True
    await task


async def test_updates_come_again_until_a_higher_offset_confirms_them(
    state: Telegram, bot: Bot, reader: int
) -> None:
    await state.send_text(reader, "/start abc")
    await state.send_text(reader, "two")
    first, second = await bot.get_updates()
    assert second.update_id == first.update_id + 1
    assert first.message is not None
    assert first.message.parse_entities(["bot_command"]) == {first.message.entities[0]: "/start"}
    assert [update.update_id for update in await bot.get_updates(limit=1)] == [first.update_id]
    assert [update.update_id for update in await bot.get_updates(offset=second.update_id)] == [
        second.update_id
    ]
    assert await bot.get_updates(offset=second.update_id + 1) == ()
    assert await bot.get_updates() == ()


async def test_a_negative_offset_keeps_the_newest(state: Telegram, bot: Bot, reader: int) -> None:
    for text in ("one", "two", "three"):
        await state.send_text(reader, text)
    (update,) = await bot.get_updates(offset=-1)
    assert update.message is not None
    assert update.message.text == "three"


async def test_a_long_poll_waits_for_the_first_update(state: Telegram, bot: Bot, reader: int) -> None:
    poll = asyncio.create_task(bot.get_updates(timeout=5))
    await asyncio.sleep(0.1)
    assert not poll.done()
    await state.send_text(reader, "hi")
    assert len(await poll) == 1


async def test_only_wanted_kinds_are_queued(state: Telegram, bot: Bot, reader: int) -> None:
    await bot.get_updates(allowed_updates=["message"])
    state.block(reader)
    assert await bot.get_updates() == ()
    await bot.get_updates(allowed_updates=[])
    state.unblock(reader)
    (update,) = await bot.get_updates()
    assert update.my_chat_member is not None
    assert update.my_chat_member.new_chat_member.status == "member"


async def test_a_second_poller_ends_the_first_with_a_conflict(
    state: Telegram, bot: Bot, url: str, reader: int
) -> None:
    first = asyncio.create_task(bot.get_updates(timeout=5))
    await asyncio.sleep(0.1)
    async with Bot(state.token, base_url=f"{url}/bot") as other:
        second = asyncio.create_task(other.get_updates(timeout=5))
        with pytest.raises(Conflict, match="terminated by other getUpdates request"):
            await first
        await state.send_text(reader, "hi")
        assert len(await second) == 1


async def test_a_webhook_ends_a_poll_with_a_conflict(state: Telegram, bot: Bot) -> None:
    poll = asyncio.create_task(bot.get_updates(timeout=5))
    await asyncio.sleep(0.1)
    await bot.set_webhook("http://127.0.0.1:9/hook")
    with pytest.raises(Conflict, match="terminated by setWebhook request"):
        await poll


async def test_the_library_polls_to_the_end_of_a_conversation(state: Telegram, url: str, reader: int) -> None:
    async def greet(update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        assert update.effective_message is not None
        await update.effective_message.reply_text("Welcome")

    application = Application.builder().token(state.token).base_url(f"{url}/bot").build()
    application.add_handler(CommandHandler("start", greet))
    async with application:
        assert application.updater is not None
        await application.updater.start_polling()
        await application.start()
        asked = await state.send_text(reader, "/start")
        assert (await state.wait_for_message(reader, after=asked)).text == "Welcome"
        await application.updater.stop()
        await application.stop()
    assert state.updates.pending == []


async def test_people_act_from_another_thread(state: Telegram, bot: Bot, reader: int) -> None:
    poll = asyncio.create_task(bot.get_updates(timeout=5))
    await asyncio.sleep(0.1)
    await asyncio.to_thread(asyncio.run, state.send_text(reader, "hi"))
    assert len(await poll) == 1


async def test_a_webhook_gets_what_is_pending_with_its_secret(state: Telegram, bot: Bot, reader: int) -> None:
    await state.send_text(reader, "before")
    receiver = Receiver()
    async with listening(receiver) as hook:
        await bot.set_webhook(hook, secret_token="s3cret")
        await state.send_text(reader, "after")
        await state.wait_until(lambda: not state.updates.pending)
        with pytest.raises(Conflict, match="can't use getUpdates method while webhook is active"):
            await bot.get_updates()
        info = await bot.get_webhook_info()
        assert (info.url, info.pending_update_count, info.last_error_message) == (hook, 0, None)
        await bot.delete_webhook()
    assert [secret for _, secret in receiver.seen] == ["s3cret", "s3cret"]
    assert await bot.get_updates() == ()


async def test_a_webhook_that_fails_gets_the_same_update_again(
    state: Telegram, bot: Bot, reader: int
) -> None:
    state.courier.first_retry = 0.02
    receiver = Receiver(refusals=2)
    async with listening(receiver) as hook:
        await bot.set_webhook(hook)
        await state.send_text(reader, "hi")
        await state.wait_until(lambda: not state.updates.pending)
        info = await bot.get_webhook_info()
        await bot.delete_webhook()
    assert info.last_error_message == "Wrong response from the webhook: 500 Internal Server Error"
    assert len(receiver.seen) == 3
    assert len(set(receiver.seen)) == 1


async def test_a_webhook_nobody_answers_keeps_its_updates(state: Telegram, bot: Bot, reader: int) -> None:
    await bot.set_webhook("http://127.0.0.1:9/hook")
    await state.send_text(reader, "hi")
    webhook = state.courier.webhook
    assert webhook is not None
    await state.wait_until(lambda: webhook.last_error_message)
    await bot.delete_webhook()
    assert len(await bot.get_updates()) == 1


async def test_a_webhook_needs_https_and_a_plain_secret(bot: Bot) -> None:
    with pytest.raises(BadRequest, match="Bad webhook: an https url must be provided for webhook"):
        await bot.set_webhook("http://a.example/hook")
    with pytest.raises(BadRequest, match="Secret token contains unallowed characters"):
        await bot.set_webhook("https://a.example/hook", secret_token="a b")


async def test_dropping_pending_updates_forgets_them(state: Telegram, bot: Bot, reader: int) -> None:
    await state.send_text(reader, "hi")
    await bot.delete_webhook(drop_pending_updates=True)
    assert await bot.get_updates() == ()


async def test_a_closed_simulator_lets_the_server_stop(state: Telegram, bot: Bot) -> None:
    poll = asyncio.create_task(bot.get_updates(timeout=30))
    await asyncio.sleep(0.1)
    state.close()
    assert await poll == ()


async def test_an_unreadable_body_is_refused(url: str, state: Telegram) -> None:
    async with httpx.AsyncClient() as client:
        response = await client.post(
            f"{url}/bot{state.token}/getUpdates", content=b"{", headers={"Content-Type": "application/json"}
        )
    assert response.json()["description"] == "Bad Request: can't parse JSON object"
