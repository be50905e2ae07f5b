"""Operators: people with access to the console."""

from datetime import datetime
from enum import StrEnum

from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.addresses import Address
from domain.columns import UtcDateTime, word_of
from domain.errors import Invalid


class Role(StrEnum):
    """What an operator may do."""

    LEAD = "lead"
    EDITOR = "editor"
    VIEWER = "viewer"


class Operator(SQLModel, table=True):
    """One person with access."""

    id: int | None = Field(default=None, primary_key=True)
    email: str
    email_key: str = Field(unique=True)
    role: Role = Field(sa_type=word_of(Role))
    created_at: datetime = Field(sa_type=UtcDateTime)


async def add(session: AsyncSession, address: Address, role: Role, now: datetime) -> Operator:
    """Add an operator; raises `Invalid` when the address has access already."""
    query = select(Operator).where(col(Operator.email_key) == address.key)
    if (await session.exec(query)).first() is not None:
        raise Invalid("email", f"{address.email} is an operator already")
    operator = Operator(email=address.email, email_key=address.key, role=role, created_at=now)
    session.add(operator)
    await session.flush()
    return operator


async def listing(session: AsyncSession) -> list[Operator]:
    """Return every operator, by address."""
    return list((await session.exec(select(Operator).order_by(col(Operator.email_key)))).all())
