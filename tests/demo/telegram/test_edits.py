"""The bot changes what it wrote, and answers to buttons."""

import pytest
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup
from telegram.error import BadRequest

from demo.telegram import Telegram

MARKUP = InlineKeyboardMarkup([[InlineKeyboardButton("Press", callback_data="go")]])


async def test_an_edit_replaces_text_and_buttons_in_place(state: Telegram, bot: Bot, reader: int) -> None:
    sent = await bot.send_message(reader, "One", reply_markup=MARKUP)
    await bot.edit_message_text("<i>Two</i>", reader, sent.message_id, parse_mode="HTML")
    (shown,) = state.messages(reader)
    assert (shown.html, shown.buttons, shown.edited_at is not None) == ("<em>Two</em>", [], True)


async def test_an_edit_that_changes_nothing_is_refused(bot: Bot, reader: int) -> None:
    sent = await bot.send_message(reader, "One", reply_markup=MARKUP)
    with pytest.raises(BadRequest, match="Message is not modified: specified new message content"):
        await bot.edit_message_text(" One ", reader, sent.message_id, reply_markup=MARKUP)
    with pytest.raises(BadRequest, match="Message is not modified"):
        await bot.edit_message_reply_markup(reader, sent.message_id, reply_markup=MARKUP)
    await bot.edit_message_reply_markup(reader, sent.message_id)


async def test_only_own_messages_that_exist_can_be_edited(state: Telegram, bot: Bot, reader: int) -> None:
    theirs = await state.send_text(reader, "Hello")
    with pytest.raises(BadRequest, match="Message can't be edited"):
        await bot.edit_message_text("x", reader, theirs.message_id)
    with pytest.raises(BadRequest, match="Message to edit not found"):
        await bot.edit_message_text("x", reader, 99)
    file = await bot.send_document(reader, b"x", filename="x.txt")
    with pytest.raises(BadRequest, match="There is no text in the message to edit"):
        await bot.edit_message_text("x", reader, file.message_id)


async def test_a_deleted_message_is_gone(state: Telegram, bot: Bot, reader: int) -> None:
    sent = await bot.send_message(reader, "One")
    await bot.delete_message(reader, sent.message_id)
    assert state.messages(reader) == []
    with pytest.raises(BadRequest, match="Message to delete not found"):
        await bot.delete_message(reader, sent.message_id)


async def test_a_pressed_button_reaches_the_bot_and_its_answer_the_person(
    state: Telegram, bot: Bot, reader: int
) -> None:
    sent = await bot.send_message(reader, "One", reply_markup=MARKUP)
    query_id = state.press(reader, sent.message_id, "go")
    (update,) = await bot.get_updates()
    query = update.callback_query
    assert query is not None
    assert (query.id, query.data, query.from_user.language_code) == (query_id, "go", "sl")
    assert query.message is not None
    assert query.message.message_id == sent.message_id
    await bot.answer_callback_query(query.id, "Gone", show_alert=True)
    assert [(answer.text, answer.alert) for answer in state.answers(reader)] == [("Gone", True)]


async def test_a_query_nobody_made_cannot_be_answered(bot: Bot) -> None:
    with pytest.raises(BadRequest, match="Query is too old and response timeout expired"):
        await bot.answer_callback_query("1")


async def test_a_person_cannot_press_what_is_not_shown(state: Telegram, bot: Bot, reader: int) -> None:
    sent = await bot.send_message(reader, "One", reply_markup=MARKUP)
    with pytest.raises(LookupError, match="no button 'other'"):
        state.press(reader, sent.message_id, "other")
