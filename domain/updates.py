"""Telegram updates: stored before they are confirmed, handled once in effect, answered in order."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ColumnElement, delete, func, not_, or_, update
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
    claimed_by: str | None = Field(default=None, max_length=32)
    """Who sends the replies; the row is that process's own until `claimed_until`."""
    claimed_until: datetime | None = Field(default=None, sa_type=UtcDateTime)


_BLANK: dict[str, Any] = {"chat_id": None, "payload": {}, "replies": []}
"""An answered update keeps its number alone, so that it is known when it is delivered again."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A claimant's right to send an update's replies; it ends by itself, should the process die."""

    claimant: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """An update to be handled or answered, without what it says."""

    update_id: int
    chat_id: int | None
    is_held: bool
    """Whether another living process is answering it now."""


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
    session: AsyncSession, claimant: str, now: datetime, *, limit: int, except_chats: Collection[int] = ()
) -> list[Waiting]:
    """Return updates that are not handled, or whose replies are not out, oldest first.

    Those of `except_chats` are left out: somebody works on them, and a long row of theirs hides nobody.
    """
    others = or_(col(TelegramUpdate.chat_id).is_(None), col(TelegramUpdate.chat_id).not_in(except_chats))
    held = not_(_free_for(claimant, now)).label("is_held")
    query = (
        select(TelegramUpdate.update_id, TelegramUpdate.chat_id, held)
        .where(col(TelegramUpdate.answered_at).is_(None), others)
        .order_by(col(TelegramUpdate.update_id))
        .limit(limit)
    )
    return [Waiting(*row) for row in (await session.exec(query)).all()]


async def begin(session: AsyncSession, update_id: int, lease: Lease, now: datetime) -> bool:
    """Mark an update handled and claim its replies; False when another process did.

    The effects join this transaction.
    """
    marked = await session.exec(
        update(TelegramUpdate)
        .where(col(TelegramUpdate.update_id) == update_id, col(TelegramUpdate.handled_at).is_(None))
        .values(handled_at=now, claimed_by=lease.claimant, claimed_until=lease.until)
    )
    return marked.rowcount == 1


async def resume(session: AsyncSession, update_id: int, lease: Lease, now: datetime) -> TelegramUpdate | None:
    """Claim the replies that are left of a handled update and return it as it stands.

    None when they are all out, or when another process is sending them.
    """
    claimed = await session.exec(
        update(TelegramUpdate)
        .where(
            col(TelegramUpdate.update_id) == update_id,
            col(TelegramUpdate.answered_at).is_(None),
            _free_for(lease.claimant, now),
        )
        .values(claimed_by=lease.claimant, claimed_until=lease.until)
        .execution_options(synchronize_session=False)
    )
    return await session.get(TelegramUpdate, update_id) if claimed.rowcount else None


async def release(session: AsyncSession, claimants: Sequence[str]) -> int:
    """Let others go on with what these claimants held: they died, or they end."""
    released = await session.exec(
        update(TelegramUpdate)
        .where(col(TelegramUpdate.claimed_by).in_(claimants), col(TelegramUpdate.answered_at).is_(None))
        .values(claimed_by=None, claimed_until=None)
        .execution_options(synchronize_session=False)
    )
    return released.rowcount


async def decide(session: AsyncSession, update_id: int, replies: list[dict[str, Any]]) -> None:
    """Keep the replies that handling decided on, in the transaction of its effects."""
    await _set(session, update_id, replies=replies)


async def fail(session: AsyncSession, update_id: int, failure: str, now: datetime) -> None:
    """Record that an update cannot be handled; it never blocks the ones behind it. What was said goes."""
    await _set(session, update_id, failure=failure, handled_at=now, answered_at=now, **_BLANK)


async def begin_reply(session: AsyncSession, update_id: int, position: int, lease: Lease) -> bool:
    """Mark a reply as begun before it is sent; False when another process took the update over.

    A reply that was begun and not finished may have arrived: it is never sent blindly again.
    """
    marked = await session.exec(
        update(TelegramUpdate)
        .where(
            col(TelegramUpdate.update_id) == update_id,
            col(TelegramUpdate.replies_begun) == position,
            col(TelegramUpdate.claimed_by) == lease.claimant,
        )
        .values(replies_begun=position + 1, claimed_until=lease.until)
        .execution_options(synchronize_session=False)
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


async def finish(session: AsyncSession, update_id: int, claimant: str, now: datetime) -> None:
    """Record that every reply is out; what was said and where is no longer needed and goes.

    Only whoever holds the update may: another process may still be sending the last reply.
    """
    await session.exec(
        update(TelegramUpdate)
        .where(col(TelegramUpdate.update_id) == update_id, col(TelegramUpdate.claimed_by) == claimant)
        .values(answered_at=now, **_BLANK)
        .execution_options(synchronize_session=False)
    )


async def newest(session: AsyncSession) -> int | None:
    """Return the highest stored number, for the next `offset`; None when there is none."""
    return (await session.exec(select(func.max(TelegramUpdate.update_id)))).one()


async def forget(session: AsyncSession, before: datetime) -> int:
    """Delete answered updates received before that moment; Telegram redelivers for 24 hours at most."""
    answered = col(TelegramUpdate.answered_at).is_not(None)
    old = delete(TelegramUpdate).where(answered, col(TelegramUpdate.received_at) < before)
    return (await session.exec(old)).rowcount


def _free_for(claimant: str, now: datetime) -> ColumnElement[bool]:
    """Return the condition that no other living process holds an update."""
    until = col(TelegramUpdate.claimed_until)
    return or_(until.is_(None), until <= now, col(TelegramUpdate.claimed_by) == claimant)


async def _set(session: AsyncSession, update_id: int, **values: Any) -> None:
    await session.exec(
        update(TelegramUpdate)
        .where(col(TelegramUpdate.update_id) == update_id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
