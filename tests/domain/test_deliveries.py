"""The ledger: queued once, claimed under a lease, fenced by attempt, balanced at the end."""

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import delete
from sqlalchemy.exc import DBAPIError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from domain import campaigns, deliveries, dossiers, leases, subscribers
from domain.audiences import Audience
from domain.campaigns import Campaign, Draft, Text, Variant
from domain.consents import Method, Proof, grant, keep_text, withdraw
from domain.database import Database
from domain.deliveries import Delivery, Status
from domain.keys import Keyring
from domain.languages import Language
from domain.leases import Outcome
from domain.subscribers import Channel, Profile, Subscriber
from tests.postgres import until_it_waits

LEASE = timedelta(minutes=10)
LETTERS = {Language.ENGLISH: {"subject": "s"}, Language.SLOVENIAN: {"subject": "s"}}


async def _reader(session: AsyncSession, email: str, language: Language, now: datetime) -> Subscriber:
    reader = await subscribers.add(session, Profile(language=language), now)
    reader.email = reader.email_key = email
    text = await keep_text(session, "I agree", Language.ENGLISH)
    await grant(session, reader, Channel.EMAIL, text, Proof(Method.WEB, "a test", now))
    return reader


async def _started(session: AsyncSession, now: datetime) -> Campaign:
    texts = {language: Text("s", "", "b") for language in LETTERS}
    draft = Draft("c", Audience(), (Channel.EMAIL,), "newsletter", "hash", texts)
    campaign = await campaigns.create(session, draft, now)
    assert campaign.id is not None
    await campaigns.approve(session, campaign.id, now)
    await campaigns.schedule(session, campaign.id, now, "UTC", now)
    assert await campaigns.start(session, campaign.id, LETTERS, now)
    return campaign


async def test_every_reader_is_queued_once_in_a_language_of_the_campaign(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        await _reader(session, "a@example.org", Language.SLOVENIAN, now)
        await _reader(session, "b@example.org", Language.ITALIAN, now)
        campaign = await _started(session, now)
        assert campaign.id is not None
        assert not await campaigns.start(session, campaign.id, LETTERS, now)
        claims = await leases.claim(session, Channel.EMAIL, [campaign.id], now, limit=9, lease=LEASE)
    assert [claim.language for claim in claims] == [Language.SLOVENIAN, Language.ENGLISH]


async def test_a_claim_is_not_given_twice_until_its_lease_ends(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        await _reader(session, "a@example.org", Language.ENGLISH, now)
        campaign = await _started(session, now)
    ids = [campaign.id or 0]
    async with database.transaction() as session:
        first = await leases.claim(session, Channel.EMAIL, ids, now, limit=9, lease=LEASE)
        again = await leases.claim(session, Channel.EMAIL, ids, now, limit=9, lease=LEASE)
    async with database.transaction() as session:
        late = await leases.claim(session, Channel.EMAIL, ids, now + LEASE, limit=9, lease=LEASE)
    assert (len(first), len(again), len(late)) == (1, 0, 1)
    assert late[0].attempt == 2


async def test_an_outcome_from_before_a_re_claim_changes_nothing(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        await _reader(session, "a@example.org", Language.ENGLISH, now)
        campaign = await _started(session, now)
        assert campaign.id is not None
        [frozen] = await leases.claim(session, Channel.EMAIL, [campaign.id], now, limit=9, lease=LEASE)
        [newer] = await leases.claim(session, Channel.EMAIL, [campaign.id], now + LEASE, limit=9, lease=LEASE)
        await leases.record(session, [Outcome(frozen, Status.FAILED, "stale")], now)
        assert (await deliveries.counts(session, campaign.id))[Status.SENDING] == 1
        await leases.record(session, [Outcome(newer, Status.SENT)], now)
        assert (await deliveries.counts(session, campaign.id))[Status.SENT] == 1


async def test_a_reader_who_left_since_the_start_is_skipped(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        reader = await _reader(session, "a@example.org", Language.ENGLISH, now)
        campaign = await _started(session, now)
        assert campaign.id is not None
        assert await withdraw(session, reader, Channel.EMAIL, Proof(Method.WEB, "left", now))
        assert not await leases.claim(session, Channel.EMAIL, [campaign.id], now, limit=9, lease=LEASE)
        progress = await campaigns.progress(session, campaign.id)
        assert progress.counts[Status.SKIPPED] == 1
        assert await campaigns.finish_balanced(session, now) == [campaign.id]


async def test_a_campaign_with_a_queued_row_does_not_end(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        await _reader(session, "a@example.org", Language.ENGLISH, now)
        await _started(session, now)
        assert await campaigns.finish_balanced(session, now) == []


async def test_what_a_dead_claimant_held_is_queued_again_at_once(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        await _reader(session, "a@example.org", Language.ENGLISH, now)
        campaign = await _started(session, now)
        ids = [campaign.id or 0]
        [held] = await leases.claim(session, Channel.EMAIL, ids, now, limit=9, lease=LEASE, claimant="dead")
        assert await leases.release(session, ["somebody else"], now) == 0
        assert await leases.release(session, ["dead"], now) == 1
        [taken] = await leases.claim(session, Channel.EMAIL, ids, now, limit=9, lease=LEASE, claimant="heir")
    assert (held.attempt, taken.attempt) == (1, 2)


async def test_in_a_cancelled_campaign_what_may_have_arrived_is_uncertain_and_the_rest_skipped(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        for name in ("lost", "late", "held", "dead", "fresh"):
            await _reader(session, f"{name}@example.org", Language.ENGLISH, now)
        campaign = await _started(session, now)
        number = campaign.id or 0
        lost, late, held = await leases.claim(
            session, Channel.EMAIL, [number], now, limit=3, lease=LEASE, claimant="alive"
        )
        await leases.claim(session, Channel.EMAIL, [number], now, limit=1, lease=LEASE, claimant="dead")
        lost_again = Outcome(lost, Status.QUEUED, "connection_lost", now, may_have_arrived=True)
        await leases.record(session, [lost_again, Outcome(late, Status.QUEUED, "451", now)], now)
        await leases.release(session, ["dead"], now)
        await campaigns.cancel(session, number, now)
        await leases.record(session, [Outcome(held, Status.QUEUED, "refused", now)], now)
        await campaigns.settle_cancelled(session, now)
        counts = await deliveries.counts(session, number)
    assert (counts[Status.UNCERTAIN], counts[Status.SKIPPED]) == (2, 3)


async def test_a_doubt_stays_until_the_end_and_counts_the_copies(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        await _reader(session, "a@example.org", Language.ENGLISH, now)
        ids = [(await _started(session, now)).id or 0]
        copies = []
        for reason, may_have_arrived in (("lost", True), ("451", False), ("lost", True)):
            [claim] = await leases.claim(session, Channel.EMAIL, ids, now, limit=9, lease=LEASE)
            copies.append(claim.copies)
            again = Outcome(claim, Status.QUEUED, reason, now, may_have_arrived=may_have_arrived)
            await leases.record(session, [again], now)
            session.expire_all()
        [claim] = await leases.claim(session, Channel.EMAIL, ids, now, limit=9, lease=LEASE)
        session.expire_all()
        [heir] = await leases.claim(session, Channel.EMAIL, ids, now + LEASE, limit=9, lease=LEASE)
        await leases.record(session, [Outcome(heir, Status.FAILED, "550 5.1.1")], now)
        counts = await deliveries.counts(session, ids[0])
    assert [*copies, claim.copies, heir.copies] == [0, 1, 1, 2, 3]
    assert counts[Status.UNCERTAIN] == 1


async def test_every_status_is_counted(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        for number, status in enumerate(Status):
            await _reader(session, f"{status}@example.org", Language.ENGLISH, now)
            for _ in range(number):
                await _reader(session, f"{status}-{_}@example.org", Language.ENGLISH, now)
        campaign = await _started(session, now)
        other = await _started(session, now)
        rows = (await session.exec(select(Delivery).where(col(Delivery.campaign_id) == campaign.id))).all()
        standing = [status for number, status in enumerate(Status) for _ in range(number + 1)]
        for row, status in zip(rows, standing, strict=True):
            row.status = status
        await session.flush()
        counts = await deliveries.counts(session, campaign.id or 0)
        untouched = await deliveries.counts(session, other.id or 0)
    assert counts == {status: number + 1 for number, status in enumerate(Status)}
    assert untouched == dict.fromkeys(Status, 0) | {Status.QUEUED: len(rows)}


async def test_the_ledger_forgets_a_deleted_subscriber_and_keeps_the_row(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        gone = await _reader(session, "a@example.org", Language.ENGLISH, now)
        await _reader(session, "b@example.org", Language.ENGLISH, now)
        for _ in range(3):
            await _started(session, now)
        await session.exec(delete(Subscriber).where(col(Subscriber.id) == gone.id))
    async with database.reading() as session:
        numbers = (await session.exec(select(Delivery.subscriber_id).order_by(col(Delivery.id)))).all()
    assert len(numbers) == 6
    assert numbers.count(None) == 3
    assert gone.id not in numbers


async def test_a_campaign_with_deliveries_cannot_be_deleted(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        await _reader(session, "a@example.org", Language.ENGLISH, now)
        campaign = await _started(session, now)
    gone = delete(Campaign).where(col(Campaign.id) == campaign.id)
    async with database.engine.begin() as connection:
        await connection.execute(delete(Variant))
        with pytest.raises(DBAPIError, match="a campaign with deliveries stays"):
            await connection.execute(gone)
        await connection.rollback()
    async with database.engine.begin() as connection:
        for table in (Delivery, Variant, Campaign):
            await connection.execute(delete(table))


async def test_who_is_erased_while_the_ledger_is_filled_is_forgotten_there(
    database: Database, keyring: Keyring, now: datetime
) -> None:
    async with database.transaction() as session:
        gone = await _reader(session, "a@example.org", Language.ENGLISH, now)

    async def erase() -> None:
        async with database.transaction() as session:
            await dossiers.erase(session, await session.merge(gone), keyring, now)

    async with database.transaction() as session:
        await _started(session, now)
        erasing = asyncio.create_task(erase())
        await until_it_waits(database, erasing)
        assert not erasing.done()
    await erasing
    async with database.reading() as session:
        assert (await session.exec(select(Delivery.subscriber_id))).all() == [None]


async def test_who_is_being_erased_does_not_come_into_the_ledger(
    database: Database, keyring: Keyring, now: datetime
) -> None:
    async with database.transaction() as session:
        gone = await _reader(session, "a@example.org", Language.ENGLISH, now)
        stays = await _reader(session, "b@example.org", Language.ENGLISH, now)

    async def start() -> None:
        async with database.transaction() as session:
            await _started(session, now)

    async with database.transaction() as session:
        await dossiers.erase(session, await session.merge(gone), keyring, now)
        starting = asyncio.create_task(start())
        await until_it_waits(database, starting)
    await starting
    async with database.reading() as session:
        assert (await session.exec(select(Delivery.subscriber_id))).all() == [stays.id]
