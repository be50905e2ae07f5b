"""Addressees: what writing to a subscriber needs to know of them, read in one go with much else."""

from typing import NamedTuple

from sqlalchemy import func
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
    assert subscriber.id is not None
    organisation = (
        await session.get(Organisation, subscriber.organisation_id) if subscriber.organisation_id else None
    )
    return Addressee(
        id=subscriber.id,
        email=subscriber.email,
        chat_id=subscriber.chat_id,
        name=subscriber.name,
        organisation=organisation.name if organisation else "",
        helix_group=subscriber.helix_group,
        country=subscriber.country,
        region=subscriber.region,
        language=subscriber.language,
    )
