"""The bot writes into a chat, as strictly as on the real service."""

import json
from datetime import timedelta

import httpx
import pytest
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, ReplyKeyboardMarkup, ReplyParameters
from telegram.constants import ChatAction, ParseMode
from telegram.error import BadRequest, Forbidden, InvalidToken, NetworkError, RetryAfter

from demo.telegram import Flood, Telegram, served

TOKEN = "123456:simulated"


def keyboard(**action: str) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([[InlineKeyboardButton("Press", **action)]])  # type: ignore[arg-type]


async def test_a_message_arrives_with_its_entities_and_buttons(
    state: Telegram, bot: Bot, reader: int
) -> None:
    markup = keyboard(callback_data="go")
    sent = await bot.send_message(reader, "<b>Hello</b> you", ParseMode.HTML, reply_markup=markup)
    shown = await state.wait_for_message(reader)
    assert (sent.message_id, sent.text, sent.entities[0].type) == (1, "Hello you", "bold")
    assert sent.reply_markup == markup
    assert (shown.html, shown.buttons[0].callback_data) == ("<strong>Hello</strong> you", "go")


async def test_message_ids_rise_in_each_chat_by_itself(state: Telegram, bot: Bot, reader: int) -> None:
    other = state.add_user("Ivo", started=True).id
    ids = [(await bot.send_message(person, "x")).message_id for person in (reader, other, reader)]
    assert ids == [1, 1, 2]


@pytest.mark.parametrize("text", ["", "  \n ", "<b></b>"])
async def test_an_empty_text_is_refused(bot: Bot, reader: int, text: str) -> None:
    with pytest.raises(BadRequest, match="Message text is empty"):
        await bot.send_message(reader, text, ParseMode.HTML)


async def test_the_length_counts_after_entities(bot: Bot, reader: int) -> None:
    await bot.send_message(reader, "<b>" + "&amp;" * 4096 + "</b>", ParseMode.HTML)
    with pytest.raises(BadRequest, match="Message is too long"):
        await bot.send_message(reader, "ж" * 4097)


async def test_html_errors_name_the_place(state: Telegram, bot: Bot, reader: int) -> None:
    reason = 'Can\'t parse entities: Unsupported start tag "p" at byte offset 3'
    with pytest.raises(BadRequest, match=f"(?i)^{reason}$"):
        await bot.send_message(reader, "ab <p>c</p>", ParseMode.HTML)
    assert state.messages(reader) == []


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        ({"callback_data": "ж" * 33}, "Button_data_invalid"),
        ({}, "Can't parse inline keyboard button: text buttons are unallowed in the inline keyboard"),
        ({"url": "ftp://a.example"}, ".*'ftp://a.example' is invalid: unsupported url protocol"),
        ({"url": "http://nowhere/x"}, ".*'http://nowhere/x' is invalid: wrong http url"),
    ],
)
async def test_buttons_are_checked(bot: Bot, reader: int, action: dict[str, str], reason: str) -> None:
    with pytest.raises(BadRequest, match=f"(?i)^{reason}$"):
        await bot.send_message(reader, "x", reply_markup=keyboard(**action))


@pytest.mark.parametrize("page", ["https://a.example/x", "tg://resolve?domain=x", "http://127.0.0.1:8000/x"])
async def test_buttons_may_open_pages_and_this_machine(bot: Bot, reader: int, page: str) -> None:
    await bot.send_message(reader, "x", reply_markup=keyboard(url=page))


async def test_sixty_four_bytes_of_callback_data_are_fine(bot: Bot, reader: int) -> None:
    await bot.send_message(reader, "x", reply_markup=keyboard(callback_data="ж" * 32))


async def test_a_reply_keyboard_is_shown_until_it_is_used(state: Telegram, bot: Bot, reader: int) -> None:
    markup = ReplyKeyboardMarkup([["Yes", "No"]], one_time_keyboard=True)
    await bot.send_message(reader, "Sure?", reply_markup=markup)
    assert state.chats[reader].reply_keyboard
    await state.send_text(reader, "Yes")
    assert state.chats[reader].reply_keyboard is None


async def test_unknown_chats_and_strangers_and_blockers_are_refused(state: Telegram, bot: Bot) -> None:
    with pytest.raises(BadRequest, match="Chat not found"):
        await bot.send_message(1, "x")
    stranger = state.add_user("Ivo").id
    with pytest.raises(Forbidden, match="Forbidden: bot can't initiate conversation with a user"):
        await bot.send_message(stranger, "x")
    await state.send_text(stranger, "/start")
    state.block(stranger)
    with pytest.raises(Forbidden, match="Forbidden: bot was blocked by the user"):
        await bot.send_message(stranger, "x")
    state.unblock(stranger)
    await bot.send_message(stranger, "x")


async def test_a_document_arrives_with_name_and_caption(state: Telegram, bot: Bot, reader: int) -> None:
    sent = await bot.send_document(
        reader, b"BEGIN", caption="<i>Faro</i>", filename="faro.ics", parse_mode="HTML"
    )
    assert sent.document is not None
    assert (sent.document.file_name, sent.document.file_size, sent.caption) == ("faro.ics", 5, "Faro")
    again = await bot.send_document(reader, sent.document.file_id)
    assert again.document == sent.document
    shown = state.messages(reader)[0].document
    assert shown is not None
    assert shown.content == b"BEGIN"
    with pytest.raises(BadRequest, match="Message caption is too long"):
        await bot.send_document(reader, b"x", caption="x" * 1025)


async def test_a_copy_carries_a_persons_words_to_another_chat(state: Telegram, bot: Bot, reader: int) -> None:
    lead = state.add_user("Lead", started=True).id
    question = await state.send_text(reader, "Who may come?")
    copied = await bot.copy_message(lead, reader, question.message_id)
    shown = state.messages(lead)[0]
    assert (shown.message_id, shown.text, shown.from_bot) == (copied.message_id, "Who may come?", True)
    with pytest.raises(BadRequest, match="Message to copy not found"):
        await bot.copy_message(lead, reader, 99)


async def test_a_reply_points_to_a_message_that_is_there(state: Telegram, bot: Bot, reader: int) -> None:
    asked = await state.send_text(reader, "When?")
    sent = await bot.send_message(reader, "Now", reply_parameters=ReplyParameters(asked.message_id))
    assert sent.reply_to_message is not None
    assert sent.reply_to_message.text == "When?"
    with pytest.raises(BadRequest, match="Message to be replied not found"):
        await bot.send_message(reader, "x", reply_parameters=ReplyParameters(99))


async def test_typing_is_seen_until_the_message_comes(state: Telegram, bot: Bot, reader: int) -> None:
    await bot.send_chat_action(reader, ChatAction.TYPING)
    assert state.chats[reader].typing_until > state.clock()
    await bot.send_message(reader, "x")
    assert state.chats[reader].typing_until < state.clock()


async def test_a_flood_is_stopped_and_the_wait_is_named() -> None:
    moment = [1_700_000_000.0]
    state = Telegram(TOKEN, flood=Flood(rate=0.5, burst=2), clock=lambda: moment[0])
    reader = state.add_user(started=True).id
    async with served(state) as url, Bot(TOKEN, base_url=f"{url}/bot") as bot:
        await bot.send_message(reader, "1")
        await bot.send_message(reader, "2")
        with pytest.raises(RetryAfter) as refusal:
            await bot.send_message(reader, "3")
        assert refusal.value.retry_after == timedelta(seconds=2)
        moment[0] += 2
        await bot.send_message(reader, "3")


async def test_a_forced_failure_happens_once_and_does_nothing(state: Telegram, bot: Bot, reader: int) -> None:
    state.fail_next("sendMessage", 429, "Too Many Requests: retry after 7", retry_after=7)
    with pytest.raises(RetryAfter):
        await bot.send_message(reader, "x")
    assert state.messages(reader) == []
    await bot.send_message(reader, "x")


@pytest.mark.parametrize("performed", [True, False])
async def test_a_lost_answer_leaves_the_bot_in_doubt(
    state: Telegram, bot: Bot, reader: int, performed: bool
) -> None:
    state.drop_next("sendMessage", performed=performed)
    with pytest.raises(NetworkError):
        await bot.send_message(reader, "x")
    assert len(state.messages(reader)) == performed


async def test_a_wrong_token_is_refused(url: str) -> None:
    async with httpx.AsyncClient() as client:
        response = await client.post(f"{url}/bot1:wrong/getMe")
    assert response.status_code == 401
    assert response.json() == {"ok": False, "error_code": 401, "description": "Unauthorized"}
    with pytest.raises(InvalidToken):
        async with Bot("1:wrong", base_url=f"{url}/bot"):
            pass


async def test_an_unknown_method_is_not_found(url: str) -> None:
    async with httpx.AsyncClient() as client:
        response = await client.post(f"{url}/bot{TOKEN}/sendTelepathy")
    assert (response.status_code, response.json()["ok"]) == (404, False)


@pytest.mark.parametrize("way", ["json", "data", "params", "files"])
async def test_parameters_come_in_every_form(url: str, state: Telegram, reader: int, way: str) -> None:
    markup = {"inline_keyboard": [[{"text": "Press", "callback_data": "go"}]]}
    nested = markup if way == "json" else json.dumps(markup)
    values = {"chat_id": str(reader), "text": "Hi", "reply_markup": nested}
    sent = {name: (None, value) for name, value in values.items()} if way == "files" else values
    async with httpx.AsyncClient() as client:
        response = await client.post(f"{url}/bot{TOKEN}/sendmessage", **{way: sent})  # type: ignore[arg-type]
    assert response.json()["ok"], response.text
    assert state.messages(reader)[0].markup == markup
