"""Readers: the fields that a letter may name, and their values for one reader."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.languages import Language
from domain.organisations import Organisation
from domain.projects import Project
from domain.sites import ServiceSettings
from domain.subscribers import Subscriber

LINKS = ("unsubscribe_url", "preferences_url", "archive_url", "subscribe_url")
SAMPLE_ID = 0
"""The sample reader's number; nobody has it, so their unsubscribe link unsubscribes nobody."""


@dataclass(frozen=True, slots=True)
class Reader:
    """What a letter may say about the person who reads it; empty where we do not know."""

    first_name: str
    name: str
    organisation: str
    language: str
    country: str
    region: str
    helix: str


FIELDS: Mapping[str, frozenset[str]] = {
    "subscriber": frozenset(Reader.__slots__),
    "project": frozenset({"name", "website"}),
} | {link: frozenset() for link in LINKS}
"""Every name a letter may use, with its parts."""

SAMPLE = Reader(
    first_name="Ana",
    name="Ana Example",
    organisation="Example Institute",
    language="en",
    country="SI",
    region="Podravje",
    helix="academia",
)


def reader_of(subscriber: Subscriber, organisation: str) -> Reader:
    """Return what letters may say about a subscriber of that organisation."""
    return Reader(
        first_name=subscriber.first_name,
        name=subscriber.name,
        organisation=organisation,
        language=subscriber.language,
        country=subscriber.country or "",
        region=subscriber.region,
        helix=subscriber.helix_group or "",
    )


async def organisations_of(session: AsyncSession, subscribers: Iterable[Subscriber]) -> dict[int, str]:
    """Return the names of the subscribers' organisations, by number of the subscriber."""
    wanted = {reader.id: reader.organisation_id for reader in subscribers if reader.organisation_id}
    query = select(Organisation.id, Organisation.name).where(col(Organisation.id).in_(wanted.values()))
    names = dict((await session.exec(query)).all())
    return {reader: names[organisation] for reader, organisation in wanted.items() if reader is not None}


def values(reader: Reader, project: Project, addresses: Mapping[str, str]) -> dict[str, Any]:
    """Return the plain values with which a letter is rendered for one reader."""
    return {
        "subscriber": asdict(reader),
        "project": {"name": project.name, "website": project.website},
        **addresses,
    }


def links(service: ServiceSettings, language: Language, archive: str, token: str) -> dict[str, str]:
    """Return the addresses that every letter to a subscriber leads to, in the letter's language."""
    pages = {
        "unsubscribe_url": f"/unsubscribe/{token}",
        "preferences_url": "/preferences",
        "archive_url": archive,
        "subscribe_url": "/subscribe",
    }
    return {name: service.url(f"{path}?language={language}") for name, path in pages.items()}
