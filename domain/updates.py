"""Telegram updates: stored before they are confirmed, handled once in effect, answered in order."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, delete, func, or_, update
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.columns import UtcDateTime


class TelegramUpdate(SQLModel, table=True):
    """One update as Telegram sent it, and the replies that handling it decided on."""

    __tablename__ = "telegram_update"

    update_id: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    chat_id: int | None = Field(default=None, sa_type=BigInteger)
    payload: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    received_at: datetime = Field(sa_type=UtcDateTime)
    handled_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)
    failure: str = ""
    replies: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    replies_begun: int = 0
    answered_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)


def chat_of(raw: Mapping[str, Any]) -> int | None:
    """Return the chat that an update came from, whatever kind of update it is; None for one without."""
    for content in raw.values():
        if not isinstance(content, dict):
            continue
        inner = content.get("message")  # a pressed button carries the message it hangs on
        place = content if "chat" in content or not isinstance(inner, dict) else inner
        chat = place.get("chat")
        if isinstance(chat, dict) and isinstance(chat.get("id"), int):
            return int(chat["id"])
    return None


async def store(session: AsyncSession, raw: dict[str, Any], chat_id: int | None, now: datetime) -> bool:
    """Store an update under its number; False when it is there already (it was delivered twice)."""
    update_id = int(raw["update_id"])
    if await session.get(TelegramUpdate, update_id) is not None:
        return False
    session.add(TelegramUpdate(update_id=update_id, chat_id=chat_id, payload=raw, received_at=now))
    await session.flush()
    return True


async def pending(
    session: AsyncSession, *, limit: int, except_chats: Collection[int] = ()
) -> list[TelegramUpdate]:
    """Return updates that are not handled, or whose replies are not out, oldest first.

    Those of `except_chats` are left out: somebody works on them, and a long row of theirs hides nobody.
    """
    others = or_(col(TelegramUpdate.chat_id).is_(None), col(TelegramUpdate.chat_id).not_in(except_chats))
    query = (
        select(TelegramUpdate)
        .where(col(TelegramUpdate.answered_at).is_(None), others)
        .order_by(col(TelegramUpdate.update_id))
        .limit(limit)
    )
    return list((await session.exec(query)).all())


async def begin(session: AsyncSession, update_id: int, now: datetime) -> bool:
    """Mark an update handled; False when another process did. The effects join this transaction."""
    marked = await session.exec(
        update(TelegramUpdate)
        .where(col(TelegramUpdate.update_id) == update_id, col(TelegramUpdate.handled_at).is_(None))
        .values(handled_at=now)
    )
    return marked.rowcount == 1


async def decide(session: AsyncSession, update_id: int, replies: list[dict[str, Any]]) -> None:
    """Keep the replies that handling decided on, in the transaction of its effects."""
    await _set(session, update_id, replies=replies)


async def fail(session: AsyncSession, update_id: int, failure: str, now: datetime) -> None:
    """Record that an update cannot be handled; it never blocks the ones behind it. What was said goes."""
    await _set(session, update_id, failure=failure, handled_at=now, answered_at=now, payload={}, replies=[])


async def begin_reply(session: AsyncSession, update_id: int, position: int) -> bool:
    """Mark a reply as begun before it is sent; False when it was begun before.

    A reply that was begun and not finished may have arrived: it is never sent blindly again.
    """
    marked = await session.exec(
        update(TelegramUpdate)
        .where(
            col(TelegramUpdate.update_id) == update_id,
            col(TelegramUpdate.replies_begun) == position,
        )
        .values(replies_begun=position + 1)
    )
    return marked.rowcount == 1


async def take_back_reply(session: AsyncSession, update_id: int, position: int) -> None:
    """Unmark a reply of which we know that it did not leave: it will be begun again."""
    await session.exec(
        update(TelegramUpdate)
        .where(
            col(TelegramUpdate.update_id) == update_id,
            col(TelegramUpdate.replies_begun) == position + 1,
        )
        .values(replies_begun=position)
        .execution_options(synchronize_session=False)
    )


async def finish(session: AsyncSession, update_id: int, now: datetime) -> None:
    """Record that every reply is out; what was said is no longer needed and goes."""
    await _set(session, update_id, answered_at=now, payload={}, replies=[])


async def newest(session: AsyncSession) -> int | None:
    """Return the highest stored number, for the next `offset`; None when there is none."""
    return (await session.exec(select(func.max(TelegramUpdate.update_id)))).one()


async def forget(session: AsyncSession, before: datetime) -> int:
    """Delete answered updates received before that moment; Telegram redelivers for 24 hours at most."""
    answered = col(TelegramUpdate.answered_at).is_not(None)
    old = delete(TelegramUpdate).where(answered, col(TelegramUpdate.received_at) < before)
    return (await session.exec(old)).rowcount


async def _set(session: AsyncSession, update_id: int, **values: Any) -> None:
    await session.exec(
        update(TelegramUpdate)
        .where(col(TelegramUpdate.update_id) == update_id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
