"""Addressees: what writing to a subscriber needs to know of them, read in one go with much else."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.helixes import HelixGroup
from domain.languages import Language
from domain.organisations import Organisation
from domain.subscribers import Subscriber


class Addressee(NamedTuple):
    """A subscriber as a letter sees them; a tuple, because a campaign reads a million."""

    id: int
    email: str | None = None
    chat_id: int | None = None
    name: str = ""
    organisation: str = ""
    helix_group: HelixGroup | None = None
    country: str | None = None
    region: str = ""
    language: Language = Language.ENGLISH

    @property
    def first_name(self) -> str:
        """The first word of the name, as a letter greets; empty when no name is known."""
        return self.name.split()[0] if self.name.strip() else ""


COLUMNS = (
    col(Subscriber.id),
    col(Subscriber.email),
    col(Subscriber.chat_id),
    col(Subscriber.name),
    func.coalesce(col(Organisation.name), ""),
    col(Subscriber.helix_group),
    col(Subscriber.country),
    col(Subscriber.region),
    col(Subscriber.language),
)
"""What an `Addressee` is made of, in its order; `Organisation` is joined from outside."""


async def of(session: AsyncSession, subscriber: Subscriber) -> Addressee:
    """Return a subscriber as a letter sees them."""
    return (await of_each(session, [subscriber]))[0]


async def of_each(session: AsyncSession, subscribers: Iterable[Subscriber]) -> list[Addressee]:
    """Return subscribers as letters see them, in their order."""
    wanted = {subscriber.id: subscriber for subscriber in subscribers}
    query = (
        select(*COLUMNS)
        .outerjoin(Organisation, col(Organisation.id) == col(Subscriber.organisation_id))
        .where(col(Subscriber.id).in_(wanted))
    )
    rows: Sequence[Any] = (await (await session.connection()).execute(query)).all()
    found = {row[0]: Addressee(*row) for row in rows}
    return [found[number] for number in wanted if number in found]
