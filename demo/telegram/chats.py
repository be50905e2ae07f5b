"""A person's private chat with the bot: its messages and what the app shows around them."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from demo.telegram.keyboards import Markup
from demo.telegram.messages import Draft, Message
from demo.telegram.people import BotAccount, Person
from demo.telegram.texts import FormattedText

TYPING_SECONDS = 5.0


@dataclass(frozen=True)
class Answer:
    """What answerCallbackQuery showed: a toast, or an alert to close."""

    query_id: str
    text: str
    alert: bool
    serial: int


@dataclass
class Chat:
    """State of one private chat; `revision` rises with every change somebody could see."""

    person: Person
    bot: BotAccount
    started: bool = False
    blocked: bool = False
    revision: int = 0
    typing_until: float = 0.0
    reply_keyboard: Markup | None = None
    answers: list[Answer] = field(default_factory=list)
    answers_shown: int = 0
    kept: dict[int, Message] = field(default_factory=dict)
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def id(self) -> int:
        return self.person.id

    def add(self, draft: Draft, *, from_bot: bool, date: int) -> Message:
        """Put a message at the end of the chat."""
        message = Message(
            next(self._ids),
            self.id,
            from_bot,
            date,
            draft.said,
            document=draft.document,
            markup=draft.markup,
            reply_to=draft.reply_to,
        )
        self.kept[message.message_id] = message
        self._follow_keyboard(message)
        self._mark(message)
        return message

    def edit(self, message: Message, said: FormattedText, markup: Markup | None, *, date: int) -> None:
        message.said, message.markup, message.edited_at = said, markup, date
        self._mark(message)

    def delete(self, message: Message) -> None:
        del self.kept[message.message_id]
        self.revision += 1

    def answer(self, query_id: str, text: str, *, alert: bool) -> None:
        self.answers.append(Answer(query_id, text, alert, len(self.answers) + 1))
        self.revision += 1

    def unseen_answer(self) -> Answer | None:
        """Return the newest answer with words that was not shown yet, and call it shown."""
        unseen = [answer for answer in self.answers[self.answers_shown :] if answer.text]
        self.answers_shown = len(self.answers)
        return unseen[-1] if unseen else None

    def type_until(self, moment: float) -> None:
        self.typing_until = moment
        self.revision += 1

    def describe(self, message: Message) -> dict[str, Any]:
        """Return the message as the Bot API shows it."""
        found = self._describe_alone(message)
        original = self.kept.get(message.reply_to or 0)
        if original:
            found["reply_to_message"] = self._describe_alone(original)
        return found

    def _describe_alone(self, message: Message) -> dict[str, Any]:
        """Return the message without the one it answers: Telegram nests one level."""
        author = self.bot.to_api() if message.from_bot else self.person.to_api()
        return message.to_api() | {"from": author, "chat": self.person.chat_to_api()}

    def _mark(self, message: Message) -> None:
        self.revision += 1
        message.revision = self.revision

    def _follow_keyboard(self, message: Message) -> None:
        self.typing_until = 0.0
        markup = message.markup or {}
        if "keyboard" in markup:
            self.reply_keyboard = markup
        elif "remove_keyboard" in markup or self._is_used_up(message):
            self.reply_keyboard = None

    def _is_used_up(self, message: Message) -> bool:
        return not message.from_bot and bool((self.reply_keyboard or {}).get("one_time_keyboard"))
