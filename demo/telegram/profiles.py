"""What the bot tells about itself: names, descriptions, commands, per language."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from demo.telegram.errors import bad_request
from demo.telegram.people import Person

COMMANDS = 100
COMMAND_LENGTH = 32
COMMAND_DESCRIPTION_LENGTH = 256
COMMAND_LETTERS = re.compile(r"[a-z0-9_]+")
SCOPES = (
    "default",
    "all_private_chats",
    "all_group_chats",
    "all_chat_administrators",
    "chat",
    "chat_administrators",
    "chat_member",
)
DEFAULT_SCOPE = {"type": "default"}
# longest texts: https://core.telegram.org/bots/api#setmydescription and its neighbours
LONGEST = {"name": 64, "description": 512, "short_description": 120}

Command = dict[str, str]


@dataclass
class Profile:
    """Texts and commands of the bot; language "" is for everybody without their own."""

    texts: dict[tuple[str, str], str] = field(default_factory=dict)
    commands: dict[tuple[str, str], list[Command]] = field(default_factory=dict)
    menu_button: dict[str, Any] = field(default_factory=lambda: {"type": "commands"})

    def set_text(self, kind: str, text: str, language: str) -> None:
        """Keep a text, or forget it where it is empty."""
        if len(text) > LONGEST[kind]:
            raise bad_request(f"bot {kind.replace('_', ' ')} is too long")
        self.texts[kind, check_language(language)] = text
        if not text:
            del self.texts[kind, language]

    def text(self, kind: str, language: str) -> str:
        """Return the text for a language, or the one for everybody."""
        return self.texts.get((kind, language)) or self.texts.get((kind, ""), "")

    def set_commands(self, commands: Iterable[object], scope: object, language: str) -> None:
        checked = [check_command(command) for command in commands]
        if len(checked) > COMMANDS:
            raise bad_request("BOT_COMMANDS_TOO_MUCH")
        self.commands[check_scope(scope), check_language(language)] = checked

    def delete_commands(self, scope: object, language: str) -> None:
        self.commands.pop((check_scope(scope), check_language(language)), None)

    def listed_commands(self, scope: object, language: str) -> list[Command]:
        """Return exactly what was set for this scope and language."""
        return self.commands.get((check_scope(scope), check_language(language)), [])

    def commands_for(self, person: Person) -> list[Command]:
        """Return the menu of a person, by the order of https://core.telegram.org/bots/api#botcommandscope."""
        scopes = ({"type": "chat", "chat_id": person.id}, {"type": "all_private_chats"}, DEFAULT_SCOPE)
        keys = [(check_scope(scope), code) for scope in scopes for code in (person.language_code, "")]
        return next((self.commands[key] for key in keys if self.commands.get(key)), [])


def check_language(language: str) -> str:
    """Return the language; Telegram takes two letters of ISO 639-1, or none for everybody."""
    if language and not re.fullmatch(r"[a-z]{2}", language):
        raise bad_request("invalid language code specified")
    return language


def check_scope(scope: object) -> str:
    """Return a scope in one spelling, usable as a key."""
    found = DEFAULT_SCOPE if scope is None else scope
    if not isinstance(found, dict) or found.get("type") not in SCOPES:
        raise bad_request("can't parse BotCommandScope: Unsupported type specified")
    wanted = {name: str(value) for name, value in found.items() if name in {"type", "chat_id", "user_id"}}
    return json.dumps(wanted, sort_keys=True)


def check_command(raw: object) -> Command:
    """Return a command without its slash, or refuse it as Telegram does."""
    if not isinstance(raw, dict):
        raise bad_request("can't parse BotCommand: Expected an Object")
    name = str(raw.get("command") or "").strip().removeprefix("/")
    description = str(raw.get("description") or "").strip()
    if trouble := _trouble(name, description):
        raise bad_request(trouble)
    return {"command": name, "description": description}


def _trouble(name: str, description: str) -> str:
    checks = (
        (not name, "command must be non-empty"),
        (len(name) > COMMAND_LENGTH, f"command length must not exceed {COMMAND_LENGTH}"),
        (not description, "command description must be non-empty"),
        (
            len(description) > COMMAND_DESCRIPTION_LENGTH,
            f"command description length must not exceed {COMMAND_DESCRIPTION_LENGTH}",
        ),
        (not COMMAND_LETTERS.fullmatch(name), "BOT_COMMAND_INVALID"),
    )
    return next((reason for wrong, reason in checks if wrong), "")
