"""The consent register: append-only proof of who agreed to which text, when and how.

GDPR, Article 7(1): the controller must be able to show consent; 7(3): leaving is as easy as joining.
The database itself refuses to change a row (see the migrations); only erasure removes it.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.columns import UtcDateTime, word_of
from domain.database import add_if_new
from domain.languages import Language
from domain.subscribers import Channel, Subscriber


class Action(StrEnum):
    """What the person did."""

    GRANTED = "granted"
    WITHDRAWN = "withdrawn"


class Method(StrEnum):
    """How the person did it."""

    WEB = "web"
    CHAT = "chat"
    IMPORT = "import"
    ONE_CLICK = "one_click"
    OPERATOR = "operator"
    BLOCKED = "blocked"
    COMPLAINT = "complaint"


class ConsentText(SQLModel, table=True):
    """One exact text that was shown; its number is the digest of its words, so it proves itself."""

    __tablename__ = "consent_text"

    id: str = Field(primary_key=True, max_length=64)
    language: Language = Field(sa_type=word_of(Language))
    body: str


class Consent(SQLModel, table=True):
    """One line of the register."""

    id: int | None = Field(default=None, primary_key=True)
    subscriber_id: int = Field(foreign_key="subscriber.id", index=True, ondelete="CASCADE")
    purpose: str = "newsletter"
    channel: Channel = Field(sa_type=word_of(Channel))
    action: Action = Field(sa_type=word_of(Action))
    text_id: str | None = Field(default=None, foreign_key="consent_text.id")
    at: datetime = Field(sa_type=UtcDateTime)
    method: Method = Field(sa_type=word_of(Method))
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """How and when the person acted, and where that can be looked up."""

    method: Method
    evidence: str
    at: datetime


async def keep_text(session: AsyncSession, body: str, language: Language) -> str:
    """Store the exact words once and return their digest."""
    digest = sha256(f"{language}\n{body}".encode()).hexdigest()
    if await session.get(ConsentText, digest) is None:
        await add_if_new(session, ConsentText, {"id": digest, "language": language, "body": body})
    return digest


async def grant(
    session: AsyncSession, subscriber: Subscriber, channel: Channel, text_id: str, proof: Proof
) -> None:
    """Record that the person agreed; from now on the channel may be used."""
    subscriber.set_consented_at(channel, proof.at)
    await _record(session, subscriber, channel, Action.GRANTED, text_id, proof)


async def withdraw(session: AsyncSession, subscriber: Subscriber, channel: Channel, proof: Proof) -> bool:
    """Record that the person left; returns False, and records nothing, when they had left before."""
    if subscriber.consented_at(channel) is None:
        return False
    subscriber.set_consented_at(channel, None)
    await _record(session, subscriber, channel, Action.WITHDRAWN, None, proof)
    return True


async def bring_over(session: AsyncSession, old: Subscriber, new: Subscriber, evidence: str) -> None:
    """Record every line about one record again for the other, which is the same person's.

    The register is append-only: each new line tells how and when the person acted and cites the old.
    """
    for line, _ in await history(session, old):
        cited = f"{line.evidence}; was line {line.id} of the register; {evidence}"
        proof = Proof(line.method, cited, line.at)
        await _record(session, new, line.channel, line.action, line.text_id, proof)


async def history(session: AsyncSession, subscriber: Subscriber) -> list[tuple[Consent, ConsentText | None]]:
    """Return every line about a subscriber with the text that was shown, oldest first."""
    query = (
        select(Consent, ConsentText)
        .outerjoin(ConsentText, col(ConsentText.id) == col(Consent.text_id))
        .where(col(Consent.subscriber_id) == subscriber.id)
        .order_by(col(Consent.id))
    )
    return [(consent, text) for consent, text in (await session.exec(query)).all()]


async def _record(
    session: AsyncSession,
    subscriber: Subscriber,
    channel: Channel,
    action: Action,
    text_id: str | None,
    proof: Proof,
) -> None:
    assert subscriber.id is not None
    session.add(subscriber)
    line = Consent(
        subscriber_id=subscriber.id,
        channel=channel,
        action=action,
        text_id=text_id,
        at=proof.at,
        method=proof.method,
        evidence=proof.evidence,
    )
    session.add(line)
    await session.flush()
