"""Subscribers: the stakeholders we may write to, by e-mail, by Telegram, or both."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, delete
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from domain import organisations
from domain.addresses import Address
from domain.columns import UtcDateTime, word_of
from domain.errors import NotFound
from domain.helixes import HelixGroup, TargetGroup
from domain.languages import FALLBACK, Language
from domain.organisations import Organisation


class Channel(StrEnum):
    """A way in which a subscriber is reached."""

    EMAIL = "email"
    TELEGRAM = "telegram"


class Subscriber(SQLModel, table=True):
    """A stakeholder. A channel may be used while its consent date is set; the register tells the story."""

    # SQLite would give an erased person's number, and with it their unsubscribe link, to the next one.
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    email: str | None = None
    email_key: str | None = Field(default=None, unique=True)
    chat_id: int | None = Field(default=None, unique=True, sa_type=BigInteger)
    name: str = ""
    organisation_id: int | None = Field(default=None, foreign_key="organisation.id", index=True)
    target_group: TargetGroup | None = Field(default=None, sa_type=word_of(TargetGroup))
    helix_group: HelixGroup | None = Field(default=None, sa_type=word_of(HelixGroup), index=True)
    country: str | None = Field(default=None, max_length=2)
    region: str = ""
    language: Language = Field(default=FALLBACK, sa_type=word_of(Language))
    email_consented_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    telegram_consented_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    email_bounced_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """Since when the address is known not to work; the consent stands, but no letter goes there."""
    created_at: datetime = Field(sa_type=UtcDateTime)

    @property
    def first_name(self) -> str:
        """The first word of the name, as a letter greets; empty when no name is known."""
        return self.name.split()[0] if self.name.strip() else ""

    def consented_at(self, channel: Channel) -> datetime | None:
        """Return since when this channel may be used; None when it may not."""
        return self.email_consented_at if channel is Channel.EMAIL else self.telegram_consented_at

    def set_consented_at(self, channel: Channel, at: datetime | None) -> None:
        """Set or clear the date; only the consent register calls this."""
        if channel is Channel.EMAIL:
            self.email_consented_at = at
        else:
            self.telegram_consented_at = at


class SubscriberTopic(SQLModel, table=True):
    """One subject that a subscriber asked to hear about."""

    __tablename__ = "subscriber_topic"

    subscriber_id: int = Field(foreign_key="subscriber.id", primary_key=True, ondelete="CASCADE")
    topic: str = Field(primary_key=True, max_length=64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What a person tells about themselves when subscribing or changing preferences."""

    language: Language
    name: str = ""
    organisation: str = ""
    target_group: TargetGroup | None = None
    helix_group: HelixGroup | None = None
    country: str | None = None
    region: str = ""
    topics: tuple[str, ...] = field(default=())


_NOT_ASKED_IN_CHAT = ("name", "organisation", "region")


async def find(session: AsyncSession, address: Address) -> Subscriber | None:
    """Return the subscriber with that address, if any."""
    found = await session.exec(select(Subscriber).where(col(Subscriber.email_key) == address.key))
    return found.first()


async def get(session: AsyncSession, address: Address) -> Subscriber:
    """Return the subscriber with that address; raises `NotFound`."""
    subscriber = await find(session, address)
    if subscriber is None:
        raise NotFound("subscriber", address.email)
    return subscriber


async def find_by_chat(session: AsyncSession, chat_id: int) -> Subscriber | None:
    """Return the subscriber who talks to the bot in that private chat, if any."""
    found = await session.exec(select(Subscriber).where(col(Subscriber.chat_id) == chat_id))
    return found.first()


async def add(session: AsyncSession, profile: Profile, now: datetime) -> Subscriber:
    """Add a subscriber with that profile and no way yet to reach them."""
    subscriber = Subscriber(language=profile.language, created_at=now)
    session.add(subscriber)
    await session.flush()
    await change(session, subscriber, profile)
    return subscriber


async def change(session: AsyncSession, subscriber: Subscriber, profile: Profile) -> None:
    """Write the profile over the subscriber's present one; the person's own words are the newest."""
    organisation = await organisations.find_or_add(
        session, profile.organisation, profile.target_group, profile.helix_group
    )
    subscriber.name = " ".join(profile.name.split())
    subscriber.organisation_id = organisation.id if organisation else None
    subscriber.target_group = profile.target_group
    subscriber.helix_group = profile.helix_group
    subscriber.country = profile.country
    subscriber.region = profile.region
    subscriber.language = profile.language
    session.add(subscriber)
    await _set_topics(session, subscriber, profile.topics)
    await session.flush()


async def complete(session: AsyncSession, subscriber: Subscriber, profile: Profile) -> None:
    """Write the newest words over the present profile, but for what the chat's form never asks.

    There a blank means "not asked", and what was told before stays; anywhere else it is an answer.
    """
    before = await profile_of(session, subscriber)
    kept = {name: getattr(profile, name) or getattr(before, name) for name in _NOT_ASKED_IN_CHAT}
    await change(session, subscriber, replace(profile, **kept))


async def profile_of(session: AsyncSession, subscriber: Subscriber) -> Profile:
    """Return the profile that a subscriber has now."""
    organisation = (
        await session.get(Organisation, subscriber.organisation_id) if subscriber.organisation_id else None
    )
    return Profile(
        language=subscriber.language,
        name=subscriber.name,
        organisation=organisation.name if organisation else "",
        target_group=subscriber.target_group,
        helix_group=subscriber.helix_group,
        country=subscriber.country,
        region=subscriber.region,
        topics=tuple(await topics_of(session, subscriber)),
    )


async def topics_of(session: AsyncSession, subscriber: Subscriber) -> list[str]:
    """Return the subjects that the subscriber asked for, in alphabetical order."""
    query = select(SubscriberTopic.topic).where(col(SubscriberTopic.subscriber_id) == subscriber.id)
    return list((await session.exec(query.order_by(col(SubscriberTopic.topic)))).all())


async def _set_topics(session: AsyncSession, subscriber: Subscriber, topics: Iterable[str]) -> None:
    assert subscriber.id is not None
    await session.exec(delete(SubscriberTopic).where(col(SubscriberTopic.subscriber_id) == subscriber.id))
    session.add_all(
        SubscriberTopic(subscriber_id=subscriber.id, topic=topic) for topic in sorted(set(topics))
    )
