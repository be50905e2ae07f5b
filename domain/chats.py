"""Chats: people who talk with the bot, with their language and where a dialogue stands."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, BigInteger, null, update
from sqlmodel import Field, SQLModel, col
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.columns import UtcDateTime, word_of
from domain.languages import Language

DIALOGUE_LASTS = timedelta(days=1)
"""Whoever comes back later starts again; an abandoned form must not keep an address for ever."""


class Chat(SQLModel, table=True):
    """One private chat; no name and no user name is kept (GDPR, Article 5: minimisation)."""

    id: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    language: Language = Field(sa_type=word_of(Language))
    dialogue: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    dialogue_begun_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)
    greeted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    blocked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


async def find_or_add(session: AsyncSession, chat_id: int, language: Language, now: datetime) -> Chat:
    """Return the chat, added with that language when it is new."""
    chat = await session.get(Chat, chat_id)
    if chat is None:
        chat = Chat(id=chat_id, language=language, created_at=now)
        session.add(chat)
        await session.flush()
    return chat


async def forget_dialogues(session: AsyncSession, now: datetime) -> int:
    """Blank dialogues that nobody ended within their time."""
    old = (
        update(Chat)
        .where(col(Chat.dialogue_begun_at) <= now - DIALOGUE_LASTS)
        .values(dialogue=null(), dialogue_begun_at=None)
        .execution_options(synchronize_session=False)
    )
    return (await session.exec(old)).rowcount
