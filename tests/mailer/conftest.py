"""What the mailer's tests share: a relay, the project in the database, a clock."""

from collections.abc import AsyncIterator
from datetime import date, datetime
from pathlib import Path

import pytest

from demo.mail import Relay
from domain.database import Database
from domain.languages import Language
from domain.projects import Project
from domain.sites import ServiceSettings
from mailer.messages import MailSettings, Stationery
from tests.mailer.offices import Hand, Office
from wording.texts import Texts

ROOT = Path(__file__).parents[2]


@pytest.fixture
def clock(now: datetime) -> Hand:
    return Hand(now)


@pytest.fixture(scope="session")
def texts() -> Texts:
    return Texts(ROOT / "templates", ROOT / "locales")


@pytest.fixture(scope="session")
def stationery(texts: Texts) -> Stationery:
    service = ServiceSettings(
        secret="a-key-for-the-tests-only-0123456789",
        base_url="https://intra.example.org",
        operator="Example Agency",
        name="INTRA",
    )
    mail = MailSettings(
        sender="INTRA <news@example.org>",
        reply_to="hello@example.org",
        postal_address="Example Street 1, Maribor",
    )
    return Stationery(texts, service, mail)


@pytest.fixture
def project() -> Project:
    everywhere = list(Language)
    return Project(
        id="intra",
        name="INTRA",
        title={language: f"Title in {language}" for language in everywhere},
        summary={},
        programme="Interreg Europe",
        period="2014-2020",
        starts_on=date(2016, 4, 1),
        ends_on=date(2021, 3, 31),
        lead_partner="mda",
        website="https://project.example.org/",
        funding_statement={language: f"Funded, said in {language}." for language in everywhere},
        disclaimer={language: f"Disclaimer in {language}." for language in everywhere},
        branding={"primary": "#003399"},
    )


@pytest.fixture
async def relay() -> AsyncIterator[Relay]:
    async with Relay() as relay:
        yield relay


@pytest.fixture
async def office(
    database: Database, stationery: Stationery, relay: Relay, clock: Hand, project: Project
) -> Office:
    async with database.transaction() as session:
        session.add(project)
    return Office(database, stationery, relay, clock)
