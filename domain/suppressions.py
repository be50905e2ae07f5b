"""Suppressions: addresses that no import may revive, kept as keyed hashes that survive erasure."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import delete
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.columns import UtcDateTime, word_of


class Reason(StrEnum):
    """Why we stopped writing to an address."""

    LEFT = "left"
    ERASED = "erased"
    BOUNCED = "bounced"
    COMPLAINED = "complained"


class Suppression(SQLModel, table=True):
    """One address we no longer write to, known only by its keyed hash."""

    address_hash: str = Field(primary_key=True, max_length=64)
    reason: Reason = Field(sa_type=word_of(Reason))
    at: datetime = Field(sa_type=UtcDateTime)


async def suppress(session: AsyncSession, address_hash: str, reason: Reason, at: datetime) -> None:
    """Stop writing to an address; the newest reason stands."""
    await session.merge(Suppression(address_hash=address_hash, reason=reason, at=at))
    await session.flush()


async def find(session: AsyncSession, address_hash: str) -> Suppression | None:
    """Return the suppression of an address, if any."""
    return await session.get(Suppression, address_hash)


async def lift(session: AsyncSession, address_hash: str) -> None:
    """Write to an address again: the person's own confirmation does this, or the cure of a bounce."""
    await session.exec(delete(Suppression).where(col(Suppression.address_hash) == address_hash))


async def suppressed(session: AsyncSession, address_hashes: list[str]) -> dict[str, Reason]:
    """Return those of the given addresses that are suppressed, with the reason."""
    query = select(Suppression).where(col(Suppression.address_hash).in_(address_hashes))
    return {row.address_hash: row.reason for row in (await session.exec(query)).all()}
