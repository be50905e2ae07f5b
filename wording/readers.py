"""Readers: the fields that a letter may name, and their values for one reader."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from domain.languages import Language
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


NOBODY = Reader(*[""] * len(Reader.__slots__))
"""Whoever reads a letter where anybody may: nothing is known of them."""


def nobody(language: Language) -> Reader:
    """Return the reader of whom only the language is known."""
    return replace(NOBODY, language=language)


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


def values(
    reader: Reader, project: Project | None, service: ServiceSettings, addresses: Mapping[str, str]
) -> dict[str, Any]:
    """Return the plain values with which a letter is rendered for one reader.

    Before a pack is imported the service stands in for the project.
    """
    return {
        "subscriber": asdict(reader),
        "project": {
            "name": project.name if project else service.name,
            "website": project.website if project else service.base_url,
        },
        **addresses,
    }
