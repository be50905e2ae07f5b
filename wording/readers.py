"""Readers: the fields that a letter may name, and their values for one reader."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from domain.addressees import Addressee
from domain.languages import Language
from domain.projects import Project
from domain.sites import ServiceSettings

LINKS = ("unsubscribe_url", "preferences_url", "archive_url", "subscribe_url")
SAMPLE_ID = 0
"""The sample reader's number; nobody has it, so their unsubscribe link unsubscribes nobody."""


class Reader(NamedTuple):
    """What a letter may say about the person who reads it; empty where we do not know."""

    first_name: str
    name: str
    organisation: str
    language: str
    country: str
    region: str
    helix: str


FIELDS: Mapping[str, frozenset[str]] = {
    "subscriber": frozenset(Reader._fields),
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


NOBODY = Reader(*[""] * len(Reader._fields))
"""Whoever reads a letter where anybody may: nothing is known of them."""


def nobody(language: Language) -> Reader:
    """Return the reader of whom only the language is known."""
    return NOBODY._replace(language=language)


def reader_of(addressee: Addressee) -> Reader:
    """Return what letters may say about an addressee."""
    return Reader(
        first_name=addressee.first_name,
        name=addressee.name,
        organisation=addressee.organisation,
        language=addressee.language,
        country=addressee.country or "",
        region=addressee.region,
        helix=addressee.helix_group or "",
    )


def values(
    reader: Reader, project: Project | None, service: ServiceSettings, addresses: Mapping[str, str]
) -> dict[str, Any]:
    """Return the plain values with which a letter is rendered for one reader.

    Before a pack is imported the service stands in for the project.
    """
    return {
        "subscriber": reader._asdict(),
        "project": {
            "name": project.name if project else service.name,
            "website": project.website if project else service.base_url,
        },
        **addresses,
    }
