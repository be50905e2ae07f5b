"""What the chat page shows: the whole of it, and what changed since."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from demo.telegram.chats import Chat
from demo.telegram.cloud import Telegram
from demo.telegram.messages import Message
from demo.telegram.personas import OWN_NAMES

NEWEST = 200
KILOBYTE = 1024


class ChatView:
    """Renders one person's app."""

    def __init__(self, telegram: Telegram, folder: Path) -> None:
        self._telegram = telegram
        self._templates = Environment(
            loader=FileSystemLoader(folder),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters.update(
            initials=_initials, size=_size, moment=_moment, clock=_clock_time, words=self._words
        )

    def page(self, chat: Chat, start: str) -> str:
        """Return the page; `start` is the payload of a deep link."""
        return self._templates.get_template("chat.html").render(self._facts(chat, start))

    def changes(self, chat: Chat, start: str) -> dict[str, Any]:
        """Return what the page's script puts into place."""
        facts = self._facts(chat, start)
        bubble = self._templates.get_template("_message.html")
        answer = facts["answer"]
        return {
            "revision": chat.revision,
            "name": facts["bot_name"],
            "typing": facts["typing"],
            "answer": {"text": answer.text, "alert": answer.alert} if answer else None,
            "intro": self._templates.get_template("_intro.html").render(facts),
            "dock": self._templates.get_template("_dock.html").render(facts),
            "messages": [
                {
                    "id": message.message_id,
                    "revision": message.revision,
                    "html": bubble.render(facts, message=message),
                }
                for message in facts["messages"]
            ],
        }

    def _facts(self, chat: Chat, start: str) -> dict[str, Any]:
        profile, language = self._telegram.profile, chat.person.language_code
        return {
            "bot": self._telegram.bot,
            "bot_name": profile.text("name", language) or self._telegram.bot.first_name,
            "description": profile.text("description", language),
            "commands": profile.commands_for(chat.person),
            "chat": chat,
            "person": chat.person,
            "languages": OWN_NAMES,
            "messages": self._telegram.messages(chat.id)[-NEWEST:],
            "quoted": chat.kept,
            "typing": chat.typing_until > self._telegram.clock(),
            "answer": chat.unseen_answer(),
            "start": start,
        }

    def _words(self, message: Message) -> Markup:
        """Return a message's text as HTML; links to this very bot stay inside the demo."""
        own = re.compile(
            rf'href="https://t\.me/{re.escape(self._telegram.bot.username)}\?start=([\w-]+)" target="_blank"',
            re.IGNORECASE,
        )
        # render() escapes everything that came from outside
        return Markup(own.sub(r'href="chat?start=\1"', message.html))  # noqa: S704


def _initials(name: str) -> str:
    return "".join(word[0] for word in name.split()[:2]).upper()


def _size(content: bytes) -> str:
    kilobytes = len(content) / KILOBYTE
    return f"{kilobytes / KILOBYTE:.1f} MB" if kilobytes >= KILOBYTE else f"{max(kilobytes, 0.1):.1f} kB"


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def _clock_time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%H:%M")
