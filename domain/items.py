"""Items: pieces of knowledge with their texts per language, phrasings, sources and date."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, UniqueConstraint, func
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.columns import UtcDateTime, word_of
from domain.languages import FALLBACK, Language


class Item(SQLModel, table=True):
    """One piece of knowledge."""

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True, max_length=64)
    topic: str
    references: list[str] = Field(default_factory=list, sa_type=JSON)
    sources: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    as_of: date | None = None
    fingerprint: str = ""
    changed_at: datetime = Field(sa_type=UtcDateTime)
    retired_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class ItemText(SQLModel, table=True):
    """An item's title and answer in one language, as Markdown."""

    __tablename__ = "item_text"
    __table_args__ = (UniqueConstraint("item_id", "language"),)

    id: int | None = Field(default=None, primary_key=True)
    item_id: int = Field(foreign_key="item.id", ondelete="CASCADE")
    language: Language = Field(sa_type=word_of(Language))
    title: str
    body: str


class Phrasing(SQLModel, table=True):
    """One way in which people ask for an item."""

    id: int | None = Field(default=None, primary_key=True)
    item_id: int = Field(foreign_key="item.id", index=True, ondelete="CASCADE")
    language: Language = Field(sa_type=word_of(Language))
    text: str
    gap: bool = False
    """Whether the item says that nobody can answer this: then its text explains why."""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """An item with all that is said about it."""

    item: Item
    texts: dict[Language, ItemText]
    phrasings: dict[Language, list[str]]
    gaps: dict[Language, list[str]]

    def text_in(self, language: Language) -> ItemText:
        """Return the text in that language, else in English."""
        return self.texts.get(language) or self.texts[FALLBACK]


async def listing(session: AsyncSession) -> list[Knowledge]:
    """Return every item that is not retired, with texts and phrasings, by key."""
    active = select(Item).where(col(Item.retired_at).is_(None)).order_by(col(Item.key))
    found = {
        item.id: Knowledge(item=item, texts={}, phrasings={}, gaps={})
        for item in (await session.exec(active)).all()
    }
    for text in (await session.exec(select(ItemText))).all():
        if text.item_id in found:
            found[text.item_id].texts[text.language] = text
    for phrasing in (await session.exec(select(Phrasing).order_by(col(Phrasing.id)))).all():
        if phrasing.item_id in found:
            known = found[phrasing.item_id]
            kind = known.gaps if phrasing.gap else known.phrasings
            kind.setdefault(phrasing.language, []).append(phrasing.text)
    return list(found.values())


async def find_by_key(session: AsyncSession, key: str) -> Item | None:
    """Return the item of that key unless it is retired."""
    query = select(Item).where(col(Item.key) == key, col(Item.retired_at).is_(None))
    return (await session.exec(query)).first()


async def version(session: AsyncSession) -> tuple[int, datetime | None]:
    """Return a mark that changes whenever an item does, so that an index knows it is old."""
    query = select(func.count(col(Item.id)), func.max(Item.changed_at))
    number, changed = (await session.exec(query)).one()
    return number, changed
