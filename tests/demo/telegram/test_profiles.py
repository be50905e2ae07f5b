"""What the bot tells about itself, per language and scope."""

import pytest
from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
    MenuButtonCommands,
)
from telegram.error import BadRequest

from demo.telegram import Telegram


async def test_the_bot_knows_itself(bot: Bot) -> None:
    me = await bot.get_me()
    assert (me.id, me.username, me.first_name, me.is_bot) == (123456, "intra_bot", "INTRA", True)


async def test_a_chat_tells_whose_it_is(bot: Bot, reader: int) -> None:
    chat = await bot.get_chat(reader)
    assert (chat.id, chat.type, chat.first_name) == (reader, "private", "Ana")


async def test_commands_are_kept_per_scope_and_language(bot: Bot) -> None:
    await bot.set_my_commands([BotCommand("help", "Help")])
    await bot.set_my_commands([BotCommand("help", "Pomoč")], language_code="sl")
    assert [command.description for command in await bot.get_my_commands()] == ["Help"]
    assert [command.description for command in await bot.get_my_commands(language_code="sl")] == ["Pomoč"]
    await bot.delete_my_commands(language_code="sl")
    assert await bot.get_my_commands(language_code="sl") == ()


async def test_a_person_sees_the_nearest_commands(state: Telegram, bot: Bot, reader: int) -> None:
    person = state.chats[reader].person
    steps = (
        (None, None, "everybody"),
        (None, "sl", "slovenian"),
        (BotCommandScopeAllPrivateChats(), None, "private"),
        (BotCommandScopeChat(reader), None, "this chat"),
        (BotCommandScopeChat(reader), "sl", "this chat in slovenian"),
    )
    for scope, language, description in steps:
        await bot.set_my_commands([BotCommand("help", description)], scope, language)
        assert state.profile.commands_for(person)[0]["description"] == description


@pytest.mark.parametrize(
    ("name", "description", "reason"),
    [
        ("Help", "x", "Bot_command_invalid"),
        ("помощ", "x", "Bot_command_invalid"),
        ("h" * 33, "x", "Command length must not exceed 32"),
        ("help", "x" * 257, "Command description length must not exceed 256"),
        ("help", " ", "Command description must be non-empty"),
    ],
)
async def test_commands_are_checked(bot: Bot, name: str, description: str, reason: str) -> None:
    with pytest.raises(BadRequest, match=f"(?i)^{reason}$"):
        await bot.set_my_commands([(name, description)])


async def test_names_and_descriptions_fall_back_to_the_one_for_everybody(bot: Bot) -> None:
    assert (await bot.get_my_name()).name == "INTRA"
    await bot.set_my_name("INTRA pomočnik", language_code="sl")
    await bot.set_my_description("Ask me")
    await bot.set_my_short_description("Short")
    assert (await bot.get_my_name(language_code="sl")).name == "INTRA pomočnik"
    assert (await bot.get_my_description(language_code="sl")).description == "Ask me"
    assert (await bot.get_my_short_description()).short_description == "Short"
    await bot.set_my_description("")
    assert (await bot.get_my_description()).description == ""


async def test_a_description_has_a_longest_length(bot: Bot) -> None:
    with pytest.raises(BadRequest):
        await bot.set_my_description("x" * 513)


async def test_the_menu_button_can_be_set(bot: Bot) -> None:
    assert await bot.set_chat_menu_button(menu_button=MenuButtonCommands())
    assert await bot.get_chat_menu_button() == MenuButtonCommands()
