"""Notices: single letters outside campaigns (confirm, welcome, …), queued in the asking transaction."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Index, delete, text, update
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.columns import UtcDateTime, word_of
from domain.languages import Language


class Kind(StrEnum):
    """Which letter: the value is the name of its folder under `templates/email/`, with hyphens."""

    CONFIRM = "confirm"
    WELCOME = "welcome"
    PREFERENCES = "preferences"
    QUESTION = "question"


class Status(StrEnum):
    """Where a notice stands."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"


_OPEN = text("status IN ('queued', 'sending')")
"""Written out, so that both databases see that the partial index over open rows answers the claim."""


class Notice(SQLModel, table=True):
    """One letter to one address. Its payload may carry a link's secret and is emptied at the end."""

    __table_args__ = (Index("ix_notice_due", "due_at", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    kind: Kind = Field(sa_type=word_of(Kind))
    email: str
    language: Language = Field(sa_type=word_of(Language))
    payload: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    status: Status = Field(default=Status.QUEUED, sa_type=word_of(Status))
    reason: str = ""
    attempts: int = 0
    created_at: datetime = Field(sa_type=UtcDateTime)
    due_at: datetime = Field(sa_type=UtcDateTime)
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


async def queue(
    session: AsyncSession,
    kind: Kind,
    email: str,
    language: Language,
    payload: dict[str, Any],
    now: datetime,
) -> None:
    """Queue a letter; it leaves only if the surrounding transaction commits."""
    session.add(
        Notice(kind=kind, email=email, language=language, payload=payload, created_at=now, due_at=now)
    )
    await session.flush()


async def claim(session: AsyncSession, now: datetime, *, limit: int, lease: timedelta) -> list[Notice]:
    """Take due notices for sending, for the time of the lease; a dead sender's return when it ends."""
    due = (
        select(Notice.id)
        .where(
            _OPEN,
            col(Notice.due_at) <= now,
        )
        .order_by(col(Notice.due_at), col(Notice.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids: Sequence[int | None] = (await session.exec(due)).all()
    if not ids:
        return []
    await session.exec(
        update(Notice)
        .where(col(Notice.id).in_(ids))
        .values(status=Status.SENDING, attempts=col(Notice.attempts) + 1, due_at=now + lease)
        .execution_options(synchronize_session=False)
    )
    claimed = select(Notice).where(col(Notice.id).in_(ids)).order_by(col(Notice.id))
    return list((await session.exec(claimed)).all())


async def finish(session: AsyncSession, notice: Notice, now: datetime) -> None:
    """Record that the letter went out; its payload, with any secret in it, is emptied."""
    await _close(session, notice, status=Status.SENT, sent_at=now, payload={}, reason="")


async def give_up(session: AsyncSession, notice: Notice, reason: str) -> None:
    """Record that the letter will never go out, and why."""
    await _close(session, notice, status=Status.FAILED, payload={}, reason=reason)


async def postpone(session: AsyncSession, notice: Notice, due_at: datetime, reason: str) -> None:
    """Put the letter back for a later attempt."""
    await _close(session, notice, status=Status.QUEUED, due_at=due_at, reason=reason)


async def drop_open(session: AsyncSession, reason: str) -> int:
    """Give up every letter that waits, and return how many did; secrets in them are emptied."""
    dropped = await session.exec(
        update(Notice)
        .where(col(Notice.status).in_([Status.QUEUED, Status.SENDING]))
        .values(status=Status.FAILED, payload={}, reason=reason)
        .execution_options(synchronize_session=False)
    )
    return dropped.rowcount


async def forget(session: AsyncSession, before: datetime) -> int:
    """Delete notices that ended before that moment: their addresses are no longer needed."""
    ended = col(Notice.status).in_([Status.SENT, Status.FAILED])
    return (await session.exec(delete(Notice).where(ended, col(Notice.created_at) < before))).rowcount


async def _close(session: AsyncSession, notice: Notice, **values: Any) -> None:
    """Write an outcome unless somebody else has claimed the notice since (fenced by the attempt)."""
    await session.exec(
        update(Notice)
        .where(
            col(Notice.id) == notice.id,
            col(Notice.attempts) == notice.attempts,
            col(Notice.status) == Status.SENDING,
        )
        .values(**values)
        .execution_options(synchronize_session=False)
    )
