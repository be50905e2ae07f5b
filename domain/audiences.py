"""Audiences: typed, saved queries over subscribers, never SQL text."""

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict, Field, field_validator
from sqlalchemy import ColumnElement, and_, false, func, not_, or_, true
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.helixes import HelixGroup, TargetGroup
from domain.languages import Language
from domain.subscribers import Channel, Subscriber, SubscriberTopic


class Filter(BaseModel):
    """Subscribers who match every list that is not empty, by any one of its entries."""

    model_config = ConfigDict(extra="forbid")

    helix: list[HelixGroup] = Field(default_factory=list)
    target_groups: list[TargetGroup] = Field(default_factory=list)
    countries: list[str] = Field(default_factory=list)
    regions: list[str] = Field(default_factory=list)
    languages: list[Language] = Field(default_factory=list)
    topics: list[str] = Field(default_factory=list)

    @field_validator("countries")
    @classmethod
    def _are_codes(cls, codes: list[str]) -> list[str]:
        for code in codes:
            if len(code) != 2 or not code.isalpha():
                raise ValueError(f"{code!r} is not an ISO 3166 code of two letters such as PT")
        return [code.upper() for code in codes]

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return one condition per list that is not empty."""
        lists: list[tuple[Iterable[object], ColumnElement[bool]]] = [
            (self.helix, col(Subscriber.helix_group).in_(self.helix)),
            (self.target_groups, col(Subscriber.target_group).in_(self.target_groups)),
            (self.countries, col(Subscriber.country).in_(self.countries)),
            (self.regions, col(Subscriber.region).in_(self.regions)),
            (self.languages, col(Subscriber.language).in_(self.languages)),
            (self.topics, _asked_for(self.topics)),
        ]
        return [condition for entries, condition in lists if entries]


class Audience(Filter):
    """Who a campaign is for. Empty = everyone; `exclude` takes out whoever matches it."""

    exclude: Filter = Field(default_factory=Filter)

    def condition(self) -> ColumnElement[bool]:
        """Return the whole query as one condition over subscribers."""
        excluded = self.exclude.conditions()
        # A null column makes a comparison null: coalesce keeps "unknown" from being excluded.
        out = func.coalesce(and_(*excluded), false()) if excluded else false()
        return and_(true(), *self.conditions(), not_(out))


def reachable(channel: Channel) -> ColumnElement[bool]:
    """Return the condition that a subscriber may be written to over a channel now."""
    if channel is Channel.EMAIL:
        return and_(
            col(Subscriber.email_consented_at).is_not(None),
            col(Subscriber.email).is_not(None),
            col(Subscriber.email_bounced_at).is_(None),
        )
    return and_(col(Subscriber.telegram_consented_at).is_not(None), col(Subscriber.chat_id).is_not(None))


async def count(session: AsyncSession, audience: Audience, channels: Iterable[Channel]) -> int:
    """Return how many subscribers would get a campaign over at least one of the channels."""
    query = select(func.count(col(Subscriber.id))).where(_reached(audience, channels))
    return (await session.exec(query)).one()


async def members(
    session: AsyncSession,
    audience: Audience,
    channels: Iterable[Channel],
    *,
    limit: int,
    after: int = 0,
    every: int = 1,
) -> list[Subscriber]:
    """Return the first of those subscribers, by number; with `after`, the first beyond that number.

    With `every`, only those whose number it divides: a sample spread over the whole list.
    """
    chosen = and_(_reached(audience, channels), col(Subscriber.id) > after)
    if every > 1:
        chosen = and_(chosen, col(Subscriber.id) % every == 0)
    query = select(Subscriber).where(chosen).order_by(col(Subscriber.id)).limit(limit)
    return list((await session.exec(query)).all())


async def count_languages(
    session: AsyncSession, audience: Audience, channels: Iterable[Channel]
) -> dict[Language, int]:
    """Return how many of those subscribers chose which language, most first."""
    query = (
        select(Subscriber.language, func.count())
        .where(_reached(audience, channels))
        .group_by(col(Subscriber.language))
        .order_by(func.count().desc(), col(Subscriber.language))
    )
    found = (await session.exec(query)).all()
    return {Language(language): size for language, size in found}


async def count_left_out(session: AsyncSession, audience: Audience, channels: Iterable[Channel]) -> int:
    """Return how many match the audience but may not be written to (left, bounced, never confirmed)."""
    ways = or_(false(), *(reachable(channel) for channel in channels))
    query = select(func.count(col(Subscriber.id))).where(audience.condition(), not_(ways))
    return (await session.exec(query)).one()


def _reached(audience: Audience, channels: Iterable[Channel]) -> ColumnElement[bool]:
    ways = or_(false(), *(reachable(channel) for channel in channels))
    return and_(audience.condition(), ways)


def _asked_for(topics: list[str]) -> ColumnElement[bool]:
    return (
        select(SubscriberTopic.topic)
        .where(
            col(SubscriberTopic.subscriber_id) == col(Subscriber.id),
            col(SubscriberTopic.topic).in_(topics),
        )
        .exists()
    )
