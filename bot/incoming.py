"""What came in: an update, read with the library and reduced to what conversations need."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from telegram import CallbackQuery, ChatMember, ChatMemberUpdated, Message, Update, User
from telegram.constants import ChatType, MessageEntityType

_GROUPS = (ChatType.GROUP, ChatType.SUPERGROUP)
_COMMAND = re.compile(r"/([A-Za-z0-9_]+)(?:@([A-Za-z0-9_]+))?(?:\s+(.*))?", re.DOTALL)
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
"""PostgreSQL takes neither NUL nor half a character in a text."""


class Arrival(StrEnum):
    """What happened to the bot's own place in a chat."""

    CAME = "came"
    LEFT = "left"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """One thing that somebody did: wrote, pressed a button, or let the bot in or out."""

    update_id: int
    chat_id: int
    is_private: bool
    language_code: str | None = None
    message_id: int | None = None
    text: str = ""
    command: str = ""
    argument: str = ""
    query_id: str | None = None
    data: str = ""
    arrival: Arrival | None = None

    @property
    def is_question(self) -> bool:
        """Whether it is free text, for which people are shown that an answer is on its way."""
        return bool(self.text) and not self.command


@dataclass(frozen=True, slots=True)
class Self:
    """Who the bot is among the others of a group."""

    id: int
    username: str


def read(raw: dict[str, Any], me: Self) -> Incoming | None:
    """Return what an update means for us; None when it is not for us.

    Raises whatever the library raises on an update that it cannot read.
    """
    update = Update.de_json(raw, None)
    if update.callback_query:
        return _pressed(update.update_id, update.callback_query)
    if update.message:
        return _written(update.update_id, update.message, me)
    if update.my_chat_member:
        return _arrived(update.update_id, update.my_chat_member)
    return None


def _pressed(update_id: int, query: CallbackQuery) -> Incoming | None:
    if query.message is None or query.data is None:
        return None
    return Incoming(
        update_id=update_id,
        chat_id=query.message.chat.id,
        is_private=query.message.chat.type == ChatType.PRIVATE,
        language_code=query.from_user.language_code,
        message_id=query.message.message_id,
        query_id=query.id,
        data=query.data,
    )


def _written(update_id: int, message: Message, me: Self) -> Incoming | None:
    author = message.from_user
    if author is None or author.is_bot or message.chat.type not in (ChatType.PRIVATE, *_GROUPS):
        return None
    is_private = message.chat.type == ChatType.PRIVATE
    text = _UNSTORABLE.sub("", message.text or "").strip()
    command = _COMMAND.fullmatch(text)
    if command and command[2] and command[2].lower() != me.username.lower():
        return None
    if not is_private and not (command or _is_addressed(message, me)):
        return None
    return Incoming(
        update_id=update_id,
        chat_id=message.chat.id,
        is_private=is_private,
        language_code=author.language_code,
        message_id=message.message_id,
        text=_without_mention(text, me),
        command=command[1].lower() if command else "",
        argument=(command[3] or "").strip() if command else "",
    )


def _is_addressed(message: Message, me: Self) -> bool:
    """Whether a group's message is meant for the bot: it names it, or answers it."""
    answered = message.reply_to_message
    if answered and answered.from_user and answered.from_user.id == me.id:
        return True
    if not message.text:
        return False
    mentions = message.parse_entities([MessageEntityType.MENTION, MessageEntityType.TEXT_MENTION])
    return any(
        name.lower() == f"@{me.username}".lower() or _is_me(entity.user, me)
        for entity, name in mentions.items()
    )


def _is_me(user: User | None, me: Self) -> bool:
    return user is not None and user.id == me.id


def _without_mention(text: str, me: Self) -> str:
    return re.sub(rf"@{re.escape(me.username)}\b", "", text, flags=re.IGNORECASE).strip()


def _arrived(update_id: int, change: ChatMemberUpdated) -> Incoming | None:
    here = change.new_chat_member.status not in (ChatMember.LEFT, ChatMember.BANNED)
    was_here = change.old_chat_member.status not in (ChatMember.LEFT, ChatMember.BANNED)
    if here == was_here or change.chat.type not in (ChatType.PRIVATE, *_GROUPS):
        return None
    return Incoming(
        update_id=update_id,
        chat_id=change.chat.id,
        is_private=change.chat.type == ChatType.PRIVATE,
        language_code=change.from_user.language_code,
        arrival=Arrival.CAME if here else Arrival.LEFT,
    )
