"""Who takes part in a chat: people, and the one bot."""

from dataclasses import dataclass
from typing import Any

LANGUAGES = ("en", "sl", "bg", "es", "pt", "it")


@dataclass
class Person:
    """A simulated account; its id is also the id of its chat with the bot."""

    id: int
    first_name: str
    last_name: str | None = None
    username: str | None = None
    language_code: str = "en"

    @property
    def full_name(self) -> str:
        return " ".join(filter(None, (self.first_name, self.last_name)))

    def to_api(self) -> dict[str, Any]:
        user = {"id": self.id, "is_bot": False} | self._names()
        return user | {"language_code": self.language_code}

    def chat_to_api(self) -> dict[str, Any]:
        return {"id": self.id, "type": "private"} | self._names()

    def _names(self) -> dict[str, Any]:
        names = {"first_name": self.first_name, "last_name": self.last_name, "username": self.username}
        return {name: value for name, value in names.items() if value}


@dataclass
class BotAccount:
    """The account behind the token."""

    id: int
    first_name: str
    username: str

    def to_api(self) -> dict[str, Any]:
        return {"id": self.id, "is_bot": True, "first_name": self.first_name, "username": self.username}
