"""Questions: what people asked, and those that wait for a human."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, update
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.columns import UtcDateTime, word_of
from domain.languages import Language


class Status(StrEnum):
    """Whether a question is settled: an open one waits for a human."""

    SETTLED = "settled"
    OPEN = "open"
    CLOSED = "closed"


class Question(SQLModel, table=True):
    """One question and what the service made of it; the chat is whom a reply goes to."""

    id: int | None = Field(default=None, primary_key=True)
    chat_id: int | None = Field(default=None, sa_type=BigInteger, index=True)
    language: Language = Field(sa_type=word_of(Language))
    text: str
    outcome: str = Field(max_length=16)
    item_key: str | None = None
    helpful: bool | None = None
    status: Status = Field(default=Status.SETTLED, sa_type=word_of(Status), index=True)
    asked_at: datetime = Field(sa_type=UtcDateTime)
    opened_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


async def record(  # noqa: PLR0913 - the columns of one line
    session: AsyncSession,
    *,
    chat_id: int | None,
    language: Language,
    text: str,
    outcome: str,
    item_key: str | None,
    now: datetime,
) -> Question:
    """Keep a question with its outcome, so that misses can be seen and a human can be asked."""
    question = Question(
        chat_id=chat_id, language=language, text=text, outcome=outcome, item_key=item_key, asked_at=now
    )
    session.add(question)
    await session.flush()
    return question


async def ask_team(session: AsyncSession, question_id: int, chat_id: int, now: datetime) -> Question | None:
    """Open a question for the team; None when it is not this chat's or was opened before."""
    question = await session.get(Question, question_id)
    if question is None or question.chat_id != chat_id or question.status is not Status.SETTLED:
        return None
    question.status, question.opened_at = Status.OPEN, now
    await session.flush()
    return question


async def rate(session: AsyncSession, question_id: int, chat_id: int, *, helpful: bool) -> bool:
    """Keep whether an answer helped; False when it is not this chat's question."""
    rated = await session.exec(
        update(Question)
        .where(col(Question.id) == question_id, col(Question.chat_id) == chat_id)
        .values(helpful=helpful)
        .execution_options(synchronize_session=False)
    )
    return rated.rowcount == 1


async def waiting(session: AsyncSession) -> list[Question]:
    """Return the open questions, the longest waiting first."""
    query = select(Question).where(col(Question.status) == Status.OPEN).order_by(col(Question.opened_at))
    return list((await session.exec(query)).all())


async def forget(session: AsyncSession, before: datetime) -> int:
    """Blank what was asked before that moment, unless it waits for a human; the counts stay."""
    forgotten = await session.exec(
        update(Question)
        .where(col(Question.status) != Status.OPEN, col(Question.asked_at) < before, col(Question.text) != "")
        .values(text="", chat_id=None)
        .execution_options(synchronize_session=False)
    )
    return forgotten.rowcount
