"""Who the bot is and what it offers: names, descriptions, commands, the menu button."""

from collections.abc import Callable
from typing import Any

from demo.telegram.cloud import Telegram
from demo.telegram.errors import bad_request
from demo.telegram.parameters import Parameters
from demo.telegram.profiles import Command

Answer = dict[str, Any]
MENU_BUTTONS = {"commands", "default", "web_app"}


def get_me(telegram: Telegram, _: Parameters) -> Answer:
    abilities = {
        "can_join_groups": False,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }
    return telegram.bot.to_api() | abilities


def get_chat(telegram: Telegram, parameters: Parameters) -> Answer:
    chat = telegram.chat_of_bot(parameters.text("chat_id"))
    gifts = (
        "unlimited_gifts",
        "limited_gifts",
        "unique_gifts",
        "premium_subscription",
        "gifts_from_channels",
    )
    full = {
        "accent_color_id": chat.id % 7,
        "max_reaction_count": 11,
        "accepted_gift_types": dict.fromkeys(gifts, False),
    }
    return chat.person.chat_to_api() | full


def set_my_commands(telegram: Telegram, parameters: Parameters) -> bool:
    commands = parameters.listed("commands")
    if commands is None:
        raise bad_request("can't parse commands: expected an Array of BotCommand")
    scope, language = _audience(parameters)
    telegram.profile.set_commands(commands, scope, language)
    return _show(telegram)


def get_my_commands(telegram: Telegram, parameters: Parameters) -> list[Command]:
    return telegram.profile.listed_commands(*_audience(parameters))


def delete_my_commands(telegram: Telegram, parameters: Parameters) -> bool:
    telegram.profile.delete_commands(*_audience(parameters))
    return _show(telegram)


def set_chat_menu_button(telegram: Telegram, parameters: Parameters) -> bool:
    button = parameters.nested("menu_button") or {"type": "default"}
    if not isinstance(button, dict) or button.get("type") not in MENU_BUTTONS:
        raise bad_request("can't parse MenuButton: Unsupported type specified")
    telegram.profile.menu_button = button
    return True


def get_chat_menu_button(telegram: Telegram, _: Parameters) -> Answer:
    return telegram.profile.menu_button


def _audience(parameters: Parameters) -> tuple[Any, str]:
    return parameters.nested("scope"), parameters.text("language_code")


def _show(telegram: Telegram) -> bool:
    """Let open chat pages show the change."""
    for chat in list(telegram.chats.values()):
        telegram.touch(chat)
    return True


def _setter(kind: str) -> Callable[[Telegram, Parameters], bool]:
    def set_text(telegram: Telegram, parameters: Parameters) -> bool:
        telegram.profile.set_text(kind, parameters.text(kind), parameters.text("language_code"))
        return _show(telegram)

    return set_text


def _getter(kind: str) -> Callable[[Telegram, Parameters], Answer]:
    def get_text(telegram: Telegram, parameters: Parameters) -> Answer:
        text = telegram.profile.text(kind, parameters.text("language_code"))
        return {kind: text or (telegram.bot.first_name if kind == "name" else "")}

    return get_text


METHODS: dict[str, Callable[[Telegram, Parameters], Any]] = {
    "getMe": get_me,
    "getChat": get_chat,
    "setMyCommands": set_my_commands,
    "getMyCommands": get_my_commands,
    "deleteMyCommands": delete_my_commands,
    "setMyName": _setter("name"),
    "getMyName": _getter("name"),
    "setMyDescription": _setter("description"),
    "getMyDescription": _getter("description"),
    "setMyShortDescription": _setter("short_description"),
    "getMyShortDescription": _getter("short_description"),
    "setChatMenuButton": set_chat_menu_button,
    "getChatMenuButton": get_chat_menu_button,
}
