"""Rigs: a prepared database, a relay that misbehaves, and mailers between them, watched from outside."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlmodel import col, select, update

from domain import campaigns
from domain.addresses import address_of
from domain.campaigns import Progress, Text
from domain.database import Database
from domain.deliveries import Delivery, Status
from domain.languages import Language
from domain.subscribers import Subscriber
from domain.times import utc_now
from mailer.relays import DeliverySettings
from tests.faults.copies import Copy, by_recipient
from tests.faults.nurseries import Nursery
from tests.faults.processes import PATIENCE, Mailer
from tests.faults.relays import Relay
from tests.mailer.offices import example_project, schedule_to_all

QUIET = 0.5
"""Seconds without a copy after which none is expected."""
WINDOW = DeliverySettings().window
"""Letters that one process has on their way at most: the most extra copies of one kill."""
BRISK = {
    "mailer.tickers.TICK": 0.1,
    "mailer.senders.IDLE_REST": 0.1,
    "domain.waits.OUTAGE_REST": 0.2,
}
"""Rests made shorter for every mailer, so that no test spends its time with them."""
BODY = "Dear {{ subscriber.first_name or 'reader' }},\n\nthis letter finds you.\n"

SETTINGS = """
[service]
name = "INTRA"
base_url = "https://news.example.org"
time_zone = "Europe/Ljubljana"
secret = "k3yF0rTh3T3stsOnlyAndNowhereElse"
operator = "Test agency"
contact = "team@example.org"

[database]
url = "{database_url}"

[telegram]
mode = "off"

[mail]
sender = "INTRA <news@example.org>"
reply_to = "team@example.org"
postal_address = "Street 1, Maribor"

[[relays]]
host = "127.0.0.1"
port = {relay_port}
security = "{security}"
username = "{username}"
password = "{username}"
"""


@dataclass
class Rig:
    """Everything that a fault test holds in its hands."""

    folder: Path
    database: Database
    url: str
    relay: Relay
    nursery: Nursery
    security: str = "none"
    username: str = ""
    more_settings: str = ""
    """Begins in the section of the relay; more sections may follow."""
    environment: dict[str, str] = field(default_factory=dict)
    constants: dict[str, float] = field(default_factory=dict)
    """More time-outs and rests that are made shorter, in seconds (`tests.faults.nurseries.Order`)."""
    mailers: list[Mailer] = field(default_factory=list)

    async def prepare(self, readers: Iterable[str]) -> None:
        """Put the project and these readers into the database; a local part alone is at example.org."""
        now = utc_now()
        async with self.database.transaction() as session:
            session.add(example_project())
            for name in readers:
                address = address_of(name if "@" in name else f"{name}@example.org")
                email, key = address.email, address.key
                session.add(Subscriber(email=email, email_key=key, created_at=now, email_consented_at=now))

    async def schedule(self, *, subject: str = "News") -> int:
        """Create a campaign to everybody that is due at once; nobody may be there to send it."""
        now, texts = utc_now(), {Language.ENGLISH: Text(subject, "In short", BODY)}
        async with self.database.transaction() as session:
            return await schedule_to_all(session, subject, texts, now)

    async def pause(self, campaign: int) -> None:
        """Hold a campaign, as its lead would."""
        async with self.database.transaction() as session:
            await campaigns.pause(session, campaign)

    async def resume(self, campaign: int) -> None:
        """Let a paused campaign go on, as its lead would."""
        async with self.database.transaction() as session:
            await campaigns.resume(session, campaign, utc_now())

    async def cancel(self, campaign: int) -> None:
        """End a campaign early, as its lead would."""
        async with self.database.transaction() as session:
            await campaigns.cancel(session, campaign, utc_now())

    def start(self, *, crash_at: str = "", url: str = "") -> Mailer:
        """Start a mailer on the database, by another address of it if one is given."""
        number = len(self.mailers)
        config = self.folder / f"mailer{number}.toml"
        config.write_text(
            SETTINGS.format(
                database_url=url or self.url,
                relay_port=self.relay.port,
                security=self.security,
                username=self.username,
            )
            + self.more_settings,
            encoding="utf-8",
        )
        mailer = Mailer(
            self.nursery,
            config,
            environment=self.environment,
            crash_at=crash_at,
            constants=BRISK | self.constants,
        )
        self.mailers.append(mailer)
        return mailer

    @asynccontextmanager
    async def running(self, *, url: str = "") -> AsyncIterator[Mailer]:
        """Run a mailer while the block runs, then ask it to end: it must do that by itself."""
        mailer = self.start(url=url)
        try:
            yield mailer
            mailer.terminate()
            assert await mailer.gone() == 0, mailer.log
        finally:
            await mailer.put_away()

    async def put_away(self) -> None:
        """Leave no process behind."""
        for mailer in self.mailers:
            await mailer.put_away()

    async def rows(self, campaign: int) -> dict[str, Delivery]:
        """Return the ledger of a campaign, by recipient."""
        query = (
            select(Subscriber.email, Delivery)
            .join(Delivery, col(Delivery.subscriber_id) == col(Subscriber.id))
            .where(col(Delivery.campaign_id) == campaign)
        )
        async with self.database.reading() as session:
            return {email or "": delivery for email, delivery in (await session.exec(query)).all()}

    async def progress(self, campaign: int) -> Progress:
        """Return the sums of a campaign."""
        async with self.database.reading() as session:
            return await campaigns.progress(session, campaign)

    async def paused(self, campaign: int) -> None:
        """Wait until the campaign is held, and what was on its way has ended."""

        async def at_rest() -> bool:
            held = (await self.progress(campaign)).campaign.status is campaigns.Status.PAUSED
            return held and not await self.sending(campaign)

        await self.until("the campaign is paused and nothing is on its way", at_rest)

    async def sending(self, campaign: int) -> int:
        """Return how many letters are on their way."""
        return (await self.progress(campaign)).counts[Status.SENDING]

    async def make_due(self) -> None:
        """Let the back-off of every waiting delivery be over."""
        await self._set_due(Status.QUEUED)

    async def expire_leases(self) -> None:
        """Let the lease of every claimed delivery end, as time would."""
        await self._set_due(Status.SENDING)

    async def sent(self, campaign: int, *, expiring: bool = False) -> None:
        """Wait until the campaign has ended by itself; with `expiring`, leases end as time passes."""

        async def ended() -> bool:
            if expiring:
                await self.expire_leases()
            return (await self.progress(campaign)).campaign.status is campaigns.Status.SENT

        await self.until("the campaign has ended", ended, rest=0.5 if expiring else 0.05)

    async def received(self, count: int) -> None:
        """Wait until the relay has accepted so many copies."""

        async def enough() -> bool:
            return len(self.relay.copies) >= count

        await self.until(f"{count} copies have come", enough, rest=0.002)

    async def still(self) -> None:
        """Wait until no copy has come for a while."""
        before, since = len(self.relay.copies), time.monotonic()

        async def quiet() -> bool:
            nonlocal before, since
            if len(self.relay.copies) != before:
                before, since = len(self.relay.copies), time.monotonic()
            return time.monotonic() - since > QUIET

        await self.until("nothing is sent any more", quiet)

    async def until(self, what: str, holds: Callable[[], Awaitable[bool]], *, rest: float = 0.05) -> None:
        """Return once that holds; fails after a generous time with everything that is known."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not await holds():
                    await asyncio.sleep(rest)
        except TimeoutError:
            raise AssertionError(f"not within {PATIENCE:.0f} s: {what}\n{await self.state()}") from None

    async def state(self) -> str:
        """Return what a person needs to see why nothing moves."""
        async with self.database.reading() as session:
            rows = (await session.exec(select(Delivery))).all()
        sums = Counter((row.campaign_id, row.status.value, row.reason, row.attempts) for row in rows)
        lines = [f"{count:6} rows: {known}" for known, count in sorted(sums.items())]
        copies = self.relay.copies
        lines.append(f"{len(copies)} copies for {len(by_recipient(copies))} recipients")
        for number, mailer in enumerate(self.mailers):
            lines.append(f"mailer {number} {'runs' if mailer.running else 'has ended'}; the end of its log:")
            lines += mailer.log.splitlines()[-15:]
        return "\n".join(lines)

    async def _set_due(self, status: Status) -> None:
        # Rows that a mailer is writing at this moment are left alone: waiting for them could deadlock.
        rows = select(Delivery.id).where(col(Delivery.status) == status).with_for_update(skip_locked=True)
        async with self.database.transaction() as session:
            await session.exec(update(Delivery).where(col(Delivery.id).in_(rows)).values(due_at=utc_now()))


def check_copies(copies: list[Copy], rows: dict[str, Delivery], *, extra: int) -> None:
    """Check that both sides balance.

    Whoever the ledger calls sent has a copy; whoever has one is called sent or uncertain; at most `extra`
    copies are more than one for somebody, and every copy of a letter carries its one Message-ID.
    """
    received = by_recipient(copies)
    sent = {who for who, row in rows.items() if row.status is Status.SENT}
    known = {who for who, row in rows.items() if row.status in (Status.SENT, Status.UNCERTAIN)}
    assert sent - set(received) == set(), "the ledger says sent, the relay has nothing"
    assert set(received) - known == set(), "the relay has it, the ledger does not say so"
    assert len(copies) - len(received) <= extra, {
        who: len(all_of) for who, all_of in received.items() if len(all_of) > 1
    }
    identities = {who: {copy.message_id for copy in all_of} for who, all_of in received.items()}
    assert {who: ids for who, ids in identities.items() if len(ids) != 1} == {}
    assert len(set.union(*identities.values())) == len(identities) if identities else True


def moment_of(copy: Copy) -> datetime:
    """Return when a copy came."""
    return datetime.fromisoformat(copy.at)
