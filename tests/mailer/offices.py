"""Offices: a mailer's surroundings in tests, with the few verbs that the stories need."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from demo.mail import Relay
from domain import campaigns, leases, subscribers
from domain.addresses import address_of
from domain.audiences import Audience
from domain.campaigns import Campaign, Draft, Progress, Text
from domain.consents import Method, Proof, grant, keep_text
from domain.database import Database
from domain.deliveries import Status
from domain.languages import Language
from domain.leases import Outcome
from domain.projects import Project
from domain.subscribers import Channel, Profile, Subscriber
from mailer.messages import Stationery
from mailer.relays import RelaySettings
from mailer.role import Mailer
from mailer.tickers import Ticker

BODY = "Dear {{ subscriber.first_name or 'reader' }},\n\n[your choices]({{ preferences_url }})"
PATIENCE = 30.0


class Hand:
    """A clock that a test moves."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def move(self, by: timedelta) -> None:
        self.at += by


@dataclass
class Office:
    """A mailer's surroundings, with the few verbs that tests need."""

    database: Database
    stationery: Stationery
    relay: Relay
    clock: Hand

    @property
    def relay_settings(self) -> RelaySettings:
        return RelaySettings(host=self.relay.host, port=self.relay.port, security="none")

    def mailer(self, database: Database | None = None) -> Mailer:
        opened = database or self.database
        return Mailer(opened, self.stationery, [self.relay_settings], self.clock)

    async def add_reader(
        self, email: str, name: str = "", language: Language = Language.ENGLISH, organisation: str = ""
    ) -> Subscriber:
        async with self.database.transaction() as session:
            return await add_reader(session, self.clock(), email, name, language, organisation)

    async def schedule(self, subject: str = "News", body: str = BODY, **more: Text) -> int:
        """Create, approve and schedule a campaign in English and the languages named."""
        named = {Language(code): text for code, text in more.items()}
        written = {Language.ENGLISH: Text(subject, "In short", body), **named}
        async with self.database.transaction() as session:
            return await schedule_to_all(session, "issue", written, self.clock())

    async def start(self, campaign_id: int) -> None:
        """Let its time come, with nobody there to send it."""
        await Ticker(self.database, self.stationery, self.clock).tick()
        assert await self.status(campaign_id) is campaigns.Status.SENDING

    async def send_unseen(self) -> int:
        """Send a campaign to everybody without a relay: the ledger says that it was."""
        campaign_id = await self.schedule()
        await self.start(campaign_id)
        now = self.clock()
        async with self.database.transaction() as session:
            claims = await leases.claim(
                session, Channel.EMAIL, [campaign_id], now, limit=99, lease=timedelta(minutes=1)
            )
            await leases.record(session, [Outcome(claim, Status.SENT) for claim in claims], now)
            await campaigns.finish_balanced(session, now)
        return campaign_id

    async def pause(self, campaign_id: int) -> None:
        async with self.database.transaction() as session:
            await campaigns.pause(session, campaign_id)

    async def resume(self, campaign_id: int) -> None:
        async with self.database.transaction() as session:
            await campaigns.resume(session, campaign_id, self.clock())

    async def progress(self, campaign_id: int) -> Progress:
        async with self.database.reading() as session:
            return await campaigns.progress(session, campaign_id)

    async def status(self, campaign_id: int) -> campaigns.Status:
        return (await self.progress(campaign_id)).campaign.status

    async def sent(self, campaign_id: int) -> Campaign:
        """Wait until the campaign's sums balance and it has ended."""

        async def ended() -> bool:
            return await self.status(campaign_id) is campaigns.Status.SENT

        await until(ended)
        return (await self.progress(campaign_id)).campaign


async def add_reader(
    session: AsyncSession, now: datetime, email: str, name: str, language: Language, organisation: str
) -> Subscriber:
    profile = Profile(language=language, name=name, organisation=organisation)
    reader = await subscribers.add(session, profile, now)
    address = address_of(email)
    reader.email, reader.email_key = address.email, address.key
    text = await keep_text(session, "I agree", language)
    await grant(session, reader, Channel.EMAIL, text, Proof(Method.WEB, "a test", now))
    return reader


def example_project() -> Project:
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


@asynccontextmanager
async def running(*mailers: Mailer) -> AsyncIterator[None]:
    """Run mailers while the block runs, then stop them; what a mailer raises is raised here."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for mailer in mailers:
            group.create_task(mailer.run(stop))
        try:
            yield
        finally:
            stop.set()


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Return once the condition holds; raises TimeoutError when it never does."""
    async with asyncio.timeout(PATIENCE):
        while not await condition():
            await asyncio.sleep(0.02)


async def schedule_to_all(
    session: AsyncSession, name: str, texts: Mapping[Language, Text], now: datetime
) -> int:
    """Create an e-mail campaign to everybody that is due at once, and return its number."""
    draft = Draft(name, Audience(), (Channel.EMAIL,), "newsletter", "hash", dict(texts))
    campaign = await campaigns.create(session, draft, now)
    assert campaign.id is not None
    await campaigns.approve(session, campaign.id, now)
    await campaigns.schedule(session, campaign.id, now, "UTC", now)
    return campaign.id
