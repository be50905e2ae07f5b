"""The pages over a database, a project to show on them, and people who visit."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import date, datetime, timedelta

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from sqlmodel import col, select

from domain import campaigns, subscriptions
from domain.addresses import address_of
from domain.audiences import Audience
from domain.campaigns import Draft, Text
from domain.consents import Method, Proof
from domain.database import Database
from domain.events import Access, Event, Kind
from domain.languages import Language
from domain.notices import Notice
from domain.projects import Document, Partner, Project, Role
from domain.sites import ServiceSettings
from domain.subscribers import Channel, Profile, Subscriber
from domain.subscriptions import Request
from helixpost.places import LOCALES, TEMPLATES
from web.app import create_app
from wording.texts import Texts

Visitor = httpx.AsyncClient
Serve = Callable[[FastAPI], AbstractAsyncContextManager[str]]
Subscribe = Callable[..., Awaitable[httpx.Response]]
Queued = Callable[[], Awaitable[list[Notice]]]
Ask = Callable[[], Awaitable[str]]

SOURCE = {"title": "INTRA project site", "url": "https://intra.example/about"}
LETTER = """Dear {{ subscriber.first_name or "reader" }},

# What {{ project.name }} learnt

Six regions compared [three schemes]({{ project.website }}).

<script>alert("never")</script>

[Leave]({{ unsubscribe_url }})
"""


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        self.now += by


@pytest.fixture
def clock(now: datetime) -> Clock:
    return Clock(now)


@pytest.fixture(scope="session")
def texts() -> Texts:
    return Texts(TEMPLATES, LOCALES)


@pytest.fixture
def service() -> ServiceSettings:
    return ServiceSettings(
        name="Helixpost",
        base_url="https://news.intra.example",
        time_zone="Europe/Rome",
        secret="a-key-for-the-tests-only-0123456789",
        operator="CAPITANK",
        contact="privacy@intra.example",
    )


@pytest.fixture
def app(database: Database, texts: Texts, service: ServiceSettings, clock: Clock) -> FastAPI:
    return create_app(
        database, texts, service, telegram_enabled=True, clock=clock, bot_url="https://t.me/IntraBot"
    )


@pytest.fixture
async def visitor(app: FastAPI) -> AsyncIterator[Visitor]:
    """A browser that speaks no language in particular and follows no redirect."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="https://news.intra.example") as client:
        yield client


@pytest.fixture
async def project(database: Database) -> Project:
    """A project that has ended, with its partners, documents and events."""
    told = Project(
        id="intra",
        name="INTRA",
        title={"en": "Internationalisation of regional SMEs", "sl": "Internacionalizacija regionalnih MSP"},
        summary={"en": "Six regions helped small firms to work across borders."},
        programme="Interreg Europe",
        period="2014-2020",
        starts_on=date(2016, 4, 1),
        ends_on=date(2021, 3, 31),
        lead_partner="mda",
        communication_partner="capitank",
        website="https://intra.example/",
        funding_statement={"en": "INTRA was co-financed by the European Union."},
        disclaimer={"en": "This text shows only the views of its authors."},
        branding={"primary": "#003399", "accent": "#0e6e6e"},
        topics={"events": {"en": "Events and meetings", "sl": "Dogodki"}, "policy": {"en": "Policy"}},
    )
    async with database.transaction() as session:
        session.add_all([told, *_partners(), *_documents(), *_events()])
    return told


def _partners() -> list[Partner]:
    return [
        Partner(
            key="mda",
            name="Maribor Development Agency",
            other_names=["MDA"],
            role=Role.LEAD,
            country="SI",
            region={"en": "Podravje"},
            city={"en": "Maribor"},
            about={"en": "A regional development agency."},
            sources=[SOURCE],
            as_of=date(2021, 3, 31),
        ),
        Partner(
            key="capitank",
            position=1,
            name="CAPITANK",
            role=Role.COMMUNICATION,
            country="IT",
            region={"en": "Abruzzo"},
            city={},
            about={},
        ),
    ]


def _documents() -> list[Document]:
    return [
        Document(
            key="strategy",
            title={"en": "Knowledge Sharing Strategy"},
            about={"en": "The framework for learning."},
            published="2016-09",
            pages=20,
            url="https://intra.example/strategy.pdf",
        ),
        Document(
            key="handbook",
            title={"en": "Good practice handbook"},
            about={},
            published="2018",
            url="https://intra.example/handbook.pdf",
        ),
    ]


def _events() -> list[Event]:
    return [
        Event(
            key="kick-off",
            kind=Kind.MEETING,
            access=Access.INTERNAL,
            title={"en": "Kick-off meeting in Maribor", "sl": "Uvodno srečanje v Mariboru"},
            place={"en": "Maribor, Slovenia"},
            summary={"en": "The partners met for the first time."},
            country="SI",
            starts_on=date(2016, 5, 18),
            ends_on=date(2016, 5, 19),
            partners=["mda", "capitank"],
            sources=[SOURCE],
            as_of=date(2021, 3, 31),
        ),
        Event(
            key="badajoz",
            kind=Kind.STUDY_VISIT,
            access=Access.INVITATION,
            title={"en": "Study visit in Badajoz"},
            place={"en": "Badajoz, Spain"},
            summary={"en": "Second visit."},
            country="ES",
            period="2016-12",
        ),
        Event(
            key="unknown",
            kind=Kind.SIGNING,
            access=Access.PUBLIC,
            title={"en": "Signing of the agreement"},
            place={},
            summary={},
            country="",
        ),
    ]


@pytest.fixture
async def letter(database: Database, project: Project, now: datetime) -> int:
    """The number of a campaign that went out in English and Slovenian."""
    draft = Draft(
        name="first",
        audience=Audience(),
        channels=(Channel.EMAIL,),
        template="newsletter",
        content_hash="0",
        texts={
            Language.ENGLISH: Text("Faro: what {{ project.name }} learnt", "Three schemes", LETTER),
            Language.SLOVENIAN: Text("Faro: kaj smo se naučili", "Tri sheme", "Pozdravljeni!"),
        },
    )
    async with database.transaction() as session:
        campaign = await campaigns.create(session, draft, now)
        assert campaign.id is not None
        campaign.status, campaign.scheduled_at = campaigns.Status.SCHEDULED, now
        letters = {
            language: {"subject": text.subject, "preheader": text.preheader}
            for language, text in draft.texts.items()
        }
        await session.flush()
        assert await campaigns.start(session, campaign.id, letters, now)
        return campaign.id


@pytest.fixture
def queued(database: Database) -> Queued:
    """Return every single letter that was queued so far."""

    async def read() -> list[Notice]:
        async with database.reading() as session:
            return list((await session.exec(select(Notice).order_by(col(Notice.id)))).all())

    return read


@pytest.fixture
def subscribe(visitor: Visitor) -> Subscribe:
    """Fill in the form as a person would: open the page, then send what is on it."""

    async def fill_in(page: str = "en", /, **fields: str | list[str]) -> httpx.Response:
        shown = (await visitor.get("/subscribe", params={"language": page})).text
        text = re.search(r'name="agreed_text" value="(\w+)"', shown)
        assert text
        sent = {"email": "ana@example.org", "language": page, "agreed": "yes", "agreed_text": text[1]}
        return await visitor.post(f"/subscribe?language={page}", data=sent | fields)

    return fill_in


@pytest.fixture
async def reader(database: Database, service: ServiceSettings, project: Project, now: datetime) -> Subscriber:
    """Somebody who subscribed by e-mail and confirmed a day ago."""
    profile = Profile(language=Language.ENGLISH, name="Ana Novak", organisation="MDA", topics=("events",))
    then = now - timedelta(days=1)
    proof = Proof(Method.WEB, "a test", then)
    asked = Request(address_of("ana@example.org"), profile, "I agree.", proof)
    async with database.transaction() as session:
        await subscriptions.request(session, asked, service.keyring)
        notice = (await session.exec(select(Notice))).one()
        subscriber = await subscriptions.confirm(session, notice.payload["secret"], then)
        for sent in (await session.exec(select(Notice))).all():
            await session.delete(sent)
    return subscriber


@pytest.fixture
def ask(database: Database, service: ServiceSettings, reader: Subscriber, clock: Clock) -> Ask:
    """Ask for the reader's preferences and return the secret of the link."""

    async def ask_for_link() -> str:
        async with database.transaction() as session:
            address, language = address_of("ana@example.org"), Language.ENGLISH
            await subscriptions.request_preferences(session, address, language, service.keyring, clock())
            notices = (await session.exec(select(Notice).order_by(col(Notice.id).desc()))).all()
        return str(notices[0].payload["secret"])

    return ask_for_link


@pytest.fixture
def serve() -> Serve:
    """Serve an application over HTTP for as long as the block lasts; gives its address."""

    @asynccontextmanager
    async def running(app: FastAPI) -> AsyncIterator[str]:
        server = uvicorn.Server(uvicorn.Config(app, ws="none", lifespan="off", log_level="error"))
        # listening already, so that the first visitor waits for the server and nobody polls
        listening = socket.create_server(("127.0.0.1", 0))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving

    return running
