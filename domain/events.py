"""Events of the project: meetings, study visits, conferences, with what is known of their dates."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.columns import UtcDateTime, word_of
from domain.languages import FALLBACK, Language

Texts = dict[str, str]
"""One text per language code; English is always there."""


class Access(StrEnum):
    """Who may come; reports count public events as RCO115 and invited ones as RCO81."""

    PUBLIC = "public"
    INVITATION = "invitation"
    INTERNAL = "internal"


class Kind(StrEnum):
    """What sort of event it is."""

    MEETING = "meeting"
    STUDY_VISIT = "study_visit"
    WORKSHOP = "workshop"
    CONFERENCE = "conference"
    STAKEHOLDER_MEETING = "stakeholder_meeting"
    SIGNING = "signing"


class Event(SQLModel, table=True):
    """One event. `period` ("2016-12", "2018") stands in where the exact days are not known.

    Of some events no source gives any date, or the country: those fields are empty then.
    """

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True, max_length=64)
    kind: Kind = Field(sa_type=word_of(Kind))
    access: Access = Field(sa_type=word_of(Access))
    title: Texts = Field(sa_type=JSON)
    place: Texts = Field(sa_type=JSON)
    summary: Texts = Field(sa_type=JSON)
    country: str = Field(default="", max_length=2)
    starts_on: date | None = None
    ends_on: date | None = None
    period: str = ""
    partners: list[str] = Field(default_factory=list, sa_type=JSON)
    references: list[str] = Field(default_factory=list, sa_type=JSON)
    sources: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    as_of: date | None = None
    fingerprint: str = ""
    added_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    retired_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

    @property
    def sort_key(self) -> str:
        """A text that orders events by time as far as it is known."""
        return self.starts_on.isoformat() if self.starts_on else self.period

    def is_over(self, today: date) -> bool:
        """Whether the event lies in the past; one known by month or year counts until that is over.

        An event without any date is never announced as one to come.
        """
        last = self.ends_on or self.starts_on
        if last is not None:
            return last < today
        return not self.period or self.period < today.isoformat()[: len(self.period)]


def text_in(texts: Texts, language: Language) -> str:
    """Return the text in that language, else in English."""
    return texts.get(language) or texts[FALLBACK]


async def listing(session: AsyncSession) -> list[Event]:
    """Return every event that is not retired, by time."""
    query = select(Event).where(col(Event.retired_at).is_(None))
    return sorted((await session.exec(query)).all(), key=lambda event: event.sort_key)


async def upcoming(session: AsyncSession, today: date) -> list[Event]:
    """Return events that are not over, soonest first."""
    return [event for event in await listing(session) if not event.is_over(today)]


async def past(session: AsyncSession, today: date) -> list[Event]:
    """Return events that are over, latest first."""
    return [event for event in reversed(await listing(session)) if event.is_over(today)]


async def find(session: AsyncSession, key: str) -> Event | None:
    """Return the event of that key unless it is retired."""
    query = select(Event).where(col(Event.key) == key, col(Event.retired_at).is_(None))
    return (await session.exec(query)).first()
