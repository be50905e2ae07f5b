"""Turns: one thing that a person did in a chat, and what the bot says to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from sqlmodel.ext.asyncio.session import AsyncSession

from bot import markup
from bot.incoming import Incoming, Self
from bot.replies import AnswerButton, Button, EditText, Reply, Rows, SendFile, SendText
from domain.chats import Chat
from domain.languages import Language
from domain.sites import ServiceSettings
from knowledge.answers import Answer
from wording.texts import Texts


class Answering(Protocol):
    """What the bot needs of the room that knows the answers."""

    async def refresh(self, session: AsyncSession) -> None:
        """Do now the slow work that new content causes, so that no answer has to."""

    async def answer(
        self, session: AsyncSession, question: str, *, language: Language, now: datetime
    ) -> Answer:
        """Return the answer to a question, or that there is none."""

    async def about(self, session: AsyncSession, key: str, *, language: Language) -> Answer | None:
        """Return the answer of one item that somebody chose; None when it is gone."""


@dataclass(frozen=True, slots=True)
class Means:
    """What every conversation may use."""

    texts: Texts
    service: ServiceSettings
    answers: Answering
    me: Self


@dataclass(slots=True)
class Turn:
    """What a conversation gets; it changes rows through `session` and speaks through this."""

    means: Means
    session: AsyncSession
    chat: Chat
    incoming: Incoming
    now: datetime
    replies: list[Reply] = field(default_factory=list)
    in_place: bool = True
    """Whether a pressed button's message is to be changed rather than a new one written."""

    @property
    def language(self) -> Language:
        """The language that this chat speaks now."""
        return self.chat.language

    @property
    def labels(self) -> Mapping[str, str]:
        """The words on buttons."""
        return self.means.texts.labels("bot/labels.jinja", self.language)

    @property
    def service(self) -> ServiceSettings:
        """Who runs the bot."""
        return self.means.service

    @property
    def is_button(self) -> bool:
        """Whether the person pressed a button."""
        return self.incoming.query_id is not None

    def page(self, path: str) -> str:
        """Return the address of one of our web pages, in the language of the chat."""
        return self.service.url(f"{path}?language={self.language}")

    def button(self, label: str, data: str) -> Button:
        """Return a button with one of the labels."""
        return Button(text=self.labels[label], data=data)

    def words(self, template: str, **values: Any) -> str:
        """Return a text of `templates/bot/` in the language of the chat."""
        return self.means.texts.render(f"bot/{template}", self.language, **values)

    def say(self, html: str, buttons: Rows = ()) -> None:
        """Write a new message; a long text becomes several, the buttons hang on the last."""
        *first, last = markup.split(html)
        answers = None if self.incoming.is_private or self.is_button else self.incoming.message_id
        for part in first:
            self.replies.append(SendText(chat_id=self.chat.id, html=part, answers=answers))
        self.replies.append(SendText(chat_id=self.chat.id, html=last, buttons=buttons, answers=answers))

    def show(self, html: str, buttons: Rows = ()) -> None:
        """Change the message whose button was pressed, or write a new one."""
        parts = markup.split(html)
        if not (self.in_place and self.is_button and self.incoming.message_id and len(parts) == 1):
            self.say(html, buttons)
            return
        self.replies.append(
            EditText(
                chat_id=self.chat.id, message_id=self.incoming.message_id, html=parts[0], buttons=buttons
            )
        )

    def hand_over(self, name: str, content: str, html: str = "") -> None:
        """Send a small text file with a caption."""
        self.replies.append(SendFile(chat_id=self.chat.id, name=name, content=content, html=html))

    def hint(self, text: str = "") -> None:
        """Answer the pressed button with a short note above the chat; only the first one is shown."""
        if self.incoming.query_id and not any(isinstance(reply, AnswerButton) for reply in self.replies):
            self.replies.insert(0, AnswerButton(query_id=self.incoming.query_id, text=text))
