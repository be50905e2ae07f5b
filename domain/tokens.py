"""Tokens: links that do one thing once, within their time; stored as digests only."""

import secrets
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any

from sqlalchemy import JSON, delete, func, update
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.columns import UtcDateTime, word_of

RANDOM_BYTES = 24
"""192 bits, above the 128 that make guessing hopeless."""


class Purpose(StrEnum):
    """The one thing that a token is good for."""

    CONFIRM = "confirm"
    PREFERENCES = "preferences"


LIFETIMES = {Purpose.CONFIRM: timedelta(days=7), Purpose.PREFERENCES: timedelta(hours=2)}
COUNTED = timedelta(days=1)
"""How long a token is counted against its address, used, expired or neither."""


class Token(SQLModel, table=True):
    """A link that was sent to somebody; what it carries goes with it when it is used or expires."""

    __table_args__ = {"sqlite_autoincrement": True}  # the register cites these numbers

    id: int | None = Field(default=None, primary_key=True)
    digest: str = Field(unique=True, max_length=64)
    purpose: Purpose = Field(sa_type=word_of(Purpose))
    address_hash: str = Field(index=True, max_length=64)
    payload: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


async def issue(
    session: AsyncSession,
    purpose: Purpose,
    *,
    address_hash: str,
    payload: dict[str, Any],
    now: datetime,
) -> str:
    """Store a new token and return the secret that goes into the link; it is told nowhere else."""
    secret = secrets.token_urlsafe(RANDOM_BYTES)
    session.add(
        Token(
            digest=_digest(secret),
            purpose=purpose,
            address_hash=address_hash,
            payload=payload,
            created_at=now,
            expires_at=now + LIFETIMES[purpose],
        )
    )
    await session.flush()
    return secret


async def find(session: AsyncSession, purpose: Purpose, secret: str, now: datetime) -> Token | None:
    """Return the token when it is genuine, unused and in time; looking changes nothing."""
    query = select(Token).where(
        col(Token.digest) == _digest(secret),
        col(Token.purpose) == purpose,
        col(Token.used_at).is_(None),
        col(Token.expires_at) > now,
    )
    return (await session.exec(query)).first()


async def use(session: AsyncSession, purpose: Purpose, secret: str, now: datetime) -> Token | None:
    """Spend the token and return it; None when it was spent before, is out of time or unknown."""
    token = await find(session, purpose, secret, now)
    if token is None:
        return None
    spent = await session.exec(
        update(Token).where(col(Token.id) == token.id, col(Token.used_at).is_(None)).values(used_at=now)
    )
    return token if spent.rowcount == 1 else None


async def retire_older(session: AsyncSession, token: Token, now: datetime) -> None:
    """Spend the links that the same address was sent before for the same purpose: newer words stand."""
    await session.exec(
        update(Token)
        .where(
            col(Token.address_hash) == token.address_hash,
            col(Token.purpose) == token.purpose,
            col(Token.id) < token.id,
            col(Token.used_at).is_(None),
        )
        .values(used_at=now, payload={})
        .execution_options(synchronize_session=False)
    )


async def was_used(session: AsyncSession, purpose: Purpose, secret: str) -> bool:
    """Say whether a genuine token was spent already, so that a second click can be told kindly."""
    query = select(Token.used_at).where(col(Token.digest) == _digest(secret), col(Token.purpose) == purpose)
    return (await session.exec(query)).first() is not None


async def count_of_day(session: AsyncSession, address_hash: str, now: datetime) -> int:
    """Return how many tokens, whatever for, an address was sent in the day that ends now."""
    query = select(func.count(col(Token.id))).where(
        col(Token.address_hash) == address_hash, col(Token.created_at) > now - COUNTED
    )
    return (await session.exec(query)).one()


async def forget_expired(session: AsyncSession, now: datetime) -> int:
    """Empty tokens past their time, with the personal data of those who never confirmed.

    Returns how many of them were deleted: the bare rows stay while they count for the day.
    """
    expired = col(Token.expires_at) < now
    await session.exec(update(Token).where(expired).values(payload={}))
    gone = await session.exec(delete(Token).where(expired, col(Token.created_at) <= now - COUNTED))
    return gone.rowcount


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
