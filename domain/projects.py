"""The project as its pack describes it: identity, funding statement, partners, documents, topics."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.columns import UtcDateTime, word_of
from domain.errors import NotFound
from domain.events import Texts


class Project(SQLModel, table=True):
    """The one project this service speaks for."""

    id: str = Field(primary_key=True, max_length=64)
    name: str
    title: Texts = Field(sa_type=JSON)
    summary: Texts = Field(sa_type=JSON)
    programme: str
    period: str
    reference: str = ""
    starts_on: date
    ends_on: date
    lead_partner: str
    communication_partner: str = ""
    website: str = ""
    funding_statement: Texts = Field(sa_type=JSON)
    disclaimer: Texts = Field(sa_type=JSON)
    emblem_note: Texts = Field(default_factory=dict, sa_type=JSON)
    """What stands where the programme's emblem goes; empty = nothing does."""
    branding: dict[str, str] = Field(default_factory=dict, sa_type=JSON)
    topics: dict[str, Texts] = Field(default_factory=dict, sa_type=JSON)
    """Newsletter subjects a subscriber may choose: key → label per language."""
    references: list[str] = Field(default_factory=list, sa_type=JSON)
    fingerprint: str = ""


class Role(StrEnum):
    """What a partner does in the project."""

    LEAD = "lead"
    COMMUNICATION = "communication"
    EXCHANGE = "exchange"
    PARTNER = "partner"


class Partner(SQLModel, table=True):
    """A partner organisation of the project, with every name people use for it."""

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True, max_length=64)
    position: int = 0
    name: str
    other_names: list[str] = Field(default_factory=list, sa_type=JSON)
    role: Role = Field(sa_type=word_of(Role))
    country: str = Field(max_length=2)
    region: Texts = Field(sa_type=JSON)
    city: Texts = Field(sa_type=JSON)
    about: Texts = Field(sa_type=JSON)
    references: list[str] = Field(default_factory=list, sa_type=JSON)
    sources: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    as_of: date | None = None
    fingerprint: str = ""
    retired_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Document(SQLModel, table=True):
    """A publication of the project, by its public address."""

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True, max_length=64)
    title: Texts = Field(sa_type=JSON)
    about: Texts = Field(sa_type=JSON)
    published: str = ""
    pages: int | None = None
    language: str = "en"
    url: str
    references: list[str] = Field(default_factory=list, sa_type=JSON)
    sources: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    fingerprint: str = ""
    added_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    retired_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


async def find(session: AsyncSession) -> Project | None:
    """Return the project, or None before its pack is imported."""
    return (await session.exec(select(Project))).first()


async def get(session: AsyncSession) -> Project:
    """Return the project; raises `NotFound` before its pack is imported."""
    project = await find(session)
    if project is None:
        raise NotFound("project in the database yet:", "run `helixpost content import PATH` first")
    return project


async def partners(session: AsyncSession) -> list[Partner]:
    """Return the partners, in the order of the pack."""
    query = select(Partner).where(col(Partner.retired_at).is_(None)).order_by(col(Partner.position))
    return list((await session.exec(query)).all())


async def documents(session: AsyncSession) -> list[Document]:
    """Return the documents, newest first."""
    query = select(Document).where(col(Document.retired_at).is_(None))
    return sorted((await session.exec(query)).all(), key=lambda found: found.published, reverse=True)
