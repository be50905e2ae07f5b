"""What the mailer's tests share: a relay, the project in the database, a clock."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from demo.mail import Relay
from domain.database import Database
from domain.projects import Project
from domain.sites import ServiceSettings
from mailer.mail_settings import MailSettings
from mailer.messages import Stationery
from mailer.return_paths import ReturnPaths
from mailer.returns import Returns
from tests.mailer.offices import Hand, Office, example_project
from tests.mailer.returned_mail import BOUNCES
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
    return example_project()


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


@dataclass(frozen=True)
class Desk:
    """Where reports about one letter that was sent are taken."""

    office: Office
    returns: Returns
    campaign: int
    path: str
    token: str
    message_id: str


@pytest.fixture
async def desk(office: Office) -> Desk:
    """A campaign that was sent to one reader, and the desk that takes what comes back."""
    reader = await office.add_reader("ana@example.org")
    campaign = await office.send_unseen()
    keyring = office.stationery.service.keyring
    paths = ReturnPaths(BOUNCES, keyring)
    return Desk(
        office,
        Returns(office.database, paths, keyring, office.clock),
        campaign,
        paths.of(campaign, reader.id or 0),
        keyring.sign_unsubscribe(reader.id or 0),
        keyring.message_id(campaign, reader.id or 0),
    )
