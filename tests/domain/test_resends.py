"""A campaign goes again to those whose letter failed, once for each time that somebody asks."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from domain import archives, bounces, campaigns, deliveries, dossiers, endings, holds, leases, resends
from domain.bounces import Refusal
from domain.campaigns import Campaign, Reason
from domain.consents import Method, Proof, withdraw
from domain.database import Database
from domain.deliveries import Delivery, Skip, Status
from domain.errors import NotAllowed, NotFound
from domain.keys import Keyring
from domain.languages import Language
from domain.leases import Claim, Outcome
from domain.resends import Group
from domain.subscribers import Channel, Subscriber
from tests.domain.test_campaigns import LETTERS as ENGLISH
from tests.domain.test_campaigns import _draft
from tests.domain.test_deliveries import LEASE, _reader, _started
from tests.postgres import until_it_waits

DAY = timedelta(days=1)
Ends = Mapping[str, tuple[Status, str]]
"""How the letter to each reader ends, by the first part of the address."""
MIXED: Ends = {
    "ana": (Status.SENT, ""),
    "bor": (Status.FAILED, "550 5.2.2"),
    "cene": (Status.FAILED, "too late: 451"),
    "dana": (Status.FAILED, "550 5.2.2"),
    "eva": (Status.UNCERTAIN, "connection_lost_in_data"),
}


async def _look_anew(session: AsyncSession) -> None:
    """Let what was written by statements be read again."""
    await session.flush()
    session.expire_all()


async def _claim(session: AsyncSession, number: int, now: datetime) -> list[Claim]:
    await _look_anew(session)
    return await leases.claim(session, Channel.EMAIL, [number], now, limit=99, lease=LEASE)


async def _end(session: AsyncSession, number: int, ends: Ends, now: datetime) -> list[Claim]:
    """Let every letter that is due end as told, and the campaign with them."""
    claims = await _claim(session, number, now)
    told = {claim.delivery_id: ends[(claim.addressee.email or "").partition("@")[0]] for claim in claims}
    await leases.record(session, [Outcome(claim, *told[claim.delivery_id]) for claim in claims], now)
    await campaigns.finish_balanced(session, now)
    return claims


async def _sent(session: AsyncSession, ends: Ends, now: datetime) -> int:
    """Send a campaign to these readers, and let their letters end so."""
    for name in ends:
        await _reader(session, f"{name}@example.org", Language.ENGLISH, now)
    number = (await _started(session, now)).id or 0
    await _end(session, number, ends, now)
    assert (await _fresh(session, number)).status is campaigns.Status.SENT
    return number


async def _fresh(session: AsyncSession, number: int) -> Campaign:
    await session.flush()
    return await session.get_one(Campaign, number, populate_existing=True)


async def _rows(session: AsyncSession, number: int) -> dict[int | None, Delivery]:
    await _look_anew(session)
    rows = await session.exec(select(Delivery).where(col(Delivery.campaign_id) == number))
    return {row.subscriber_id: row for row in rows.all()}


async def _find(session: AsyncSession, name: str) -> Subscriber:
    query = select(Subscriber).where(col(Subscriber.email_key) == f"{name}@example.org")
    return (await session.exec(query)).one()


async def test_what_failed_is_due_again_and_the_campaign_ends_when_its_sums_balance(
    database: Database, now: datetime
) -> None:
    later = now + 9 * DAY
    async with database.transaction() as session:
        number = await _sent(session, MIXED, now)
        groups = await resends.resend(session, number, later, uncertain=False)
        assert groups == [
            Group(Status.FAILED, "550 5.2.2", 2, 0),
            Group(Status.FAILED, "too late: 451", 1, 0),
        ]
        again = await _fresh(session, number)
        assert (again.status, again.finished_at) == (campaigns.Status.SENDING, None)
        assert (again.started_at, again.sent_since) == (now, later)
        assert await campaigns.active(session) == {number: later}
        assert await campaigns.finish_balanced(session, later) == []
        for row in (await _rows(session, number)).values():
            if row.status is Status.QUEUED:
                assert (row.reason, row.due_at, row.finished_at) == ("", later, None)
        claims = await _end(session, number, dict.fromkeys(MIXED, (Status.SENT, "")), later)
        assert [(claim.attempt, claim.copies, claim.refusals) for claim in claims] == [(2, 0, 0)] * 3
        ended = await campaigns.progress(session, number)
    assert (ended.campaign.status, ended.campaign.finished_at) == (campaigns.Status.SENT, later)
    assert (ended.counts[Status.SENT], ended.counts[Status.UNCERTAIN]) == (4, 1)


async def test_a_look_tells_the_same_and_changes_nothing(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        number = await _sent(session, MIXED, now)
    async with database.reading() as session:
        seen = await resends.look(session, number, uncertain=True)
        before = await campaigns.progress(session, number)
    assert before.counts[Status.QUEUED] == 0
    async with database.transaction() as session:
        assert await resends.resend(session, number, now, uncertain=True) == seen
    assert seen[-1] == Group(Status.UNCERTAIN, "connection_lost_in_data", 1, 0)


async def test_how_often_a_letter_was_refused_for_now_begins_anew(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        await _reader(session, "ana@example.org", Language.ENGLISH, now)
        number = (await _started(session, now)).id or 0
        [claim] = await _claim(session, number, now)
        await leases.record(session, [Outcome(claim, Status.QUEUED, "451", now, was_refused=True)], now)
        [claim] = await _end(session, number, {"ana": (Status.FAILED, "too late: 451")}, now)
        assert claim.refusals == 1
        await resends.resend(session, number, now, uncertain=False)
        [again] = await _claim(session, number, now)
    assert (again.attempt, again.refusals) == (3, 0)


async def test_what_fails_again_can_be_sent_again_and_what_waits_is_not_queued_twice(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        number = await _sent(session, {"ana": (Status.FAILED, "550 5.2.2")}, now)
        await resends.resend(session, number, now, uncertain=True)
        assert await resends.resend(session, number, now + DAY, uncertain=True) == []
        assert (await _fresh(session, number)).resent_at == now
        await _end(session, number, {"ana": (Status.FAILED, "552 5.2.3")}, now + DAY)
        assert await resends.resend(session, number, now + 2 * DAY, uncertain=False) == [
            Group(Status.FAILED, "552 5.2.3", 1, 0)
        ]
        [third] = await _end(session, number, {"ana": (Status.SENT, "")}, now + 2 * DAY)
        assert third.attempt == 3
        assert (await _fresh(session, number)).finished_at == now + 2 * DAY


async def test_a_doubtful_letter_never_ends_as_failed_or_skipped_however_often_it_is_sent_again(
    database: Database, keyring: Keyring, now: datetime
) -> None:
    lost = dict.fromkeys(("ana", "bor", "cene", "dana", "eva"), (Status.UNCERTAIN, "lost"))
    async with database.transaction() as session:
        number = await _sent(session, lost, now)
        assert await resends.resend(session, number, now, uncertain=False) == []
        assert (await _fresh(session, number)).status is campaigns.Status.SENT
        for _ in range(2):
            await resends.resend(session, number, now, uncertain=True)
            claims = await _end(session, number, dict.fromkeys(lost, (Status.FAILED, "550 5.2.2")), now)
            assert [(claim.copies, claim.is_orphan) for claim in claims] == [(1, False)] * 5
            assert (await campaigns.progress(session, number)).counts[Status.UNCERTAIN] == 5
        await resends.resend(session, number, now, uncertain=True)
        await withdraw(session, await _find(session, "ana"), Channel.EMAIL, Proof(Method.WEB, "left", now))
        await dossiers.erase(session, await _find(session, "bor"), keyring, now)
        await campaigns.finish_balanced(session, now)
        await _look_anew(session)
        [*claims] = await _claim(session, number, now)
        assert len(claims) == 3
        await campaigns.cancel(session, number, now)
        await leases.record(session, [Outcome(claim, Status.QUEUED, "", now) for claim in claims[1:]], now)
        await leases.record(session, [Outcome(claims[0], Status.SENT)], now)
        await campaigns.settle_cancelled(session, now)
        counts = (await campaigns.progress(session, number)).counts
    assert (counts[Status.SENT], counts[Status.UNCERTAIN]) == (1, 4)


async def test_an_orphan_is_what_nobody_has_decided_about(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        number = await _sent(session, {"ana": (Status.UNCERTAIN, "lost")}, now)
        await resends.resend(session, number, now, uncertain=True)
        [asked] = await _claim(session, number, now)
        [orphan] = await _claim(session, number, now + LEASE)
        refused = Outcome(orphan, Status.QUEUED, "451", now, was_refused=True)
        await leases.record(session, [refused], now)
        [later] = await _claim(session, number, now)
    assert [claim.is_orphan for claim in (asked, orphan, later)] == [False, True, False]
    assert [claim.copies for claim in (asked, orphan, later)] == [1, 2, 2]


async def test_an_outcome_of_an_attempt_before_changes_nothing(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        await _reader(session, "ana@example.org", Language.ENGLISH, now)
        number = (await _started(session, now)).id or 0
        [frozen] = await _claim(session, number, now)
        await _end(session, number, {"ana": (Status.FAILED, "550")}, now + LEASE)
        await resends.resend(session, number, now + LEASE, uncertain=True)
        await leases.record(session, [Outcome(frozen, Status.SENT)], now + LEASE)
        assert (await deliveries.counts(session, number))[Status.QUEUED] == 1
        [again] = await _claim(session, number, now + LEASE)
        await leases.record(session, [Outcome(frozen, Status.SENT)], now + LEASE)
        assert (await deliveries.counts(session, number))[Status.SENDING] == 1
    assert again.attempt == 3


async def test_who_left_bounced_or_was_erased_before_is_left_out_and_their_rows_stay(
    database: Database, keyring: Keyring, now: datetime
) -> None:
    async with database.transaction() as session:
        number = await _sent(session, dict.fromkeys(MIXED, (Status.FAILED, "550")), now)
        await withdraw(session, await _find(session, "ana"), Channel.EMAIL, Proof(Method.WEB, "left", now))
        (await _find(session, "bor")).email_bounced_at = now
        await dossiers.erase(session, await _find(session, "cene"), keyring, now)
        await _look_anew(session)
        assert await resends.resend(session, number, now, uncertain=True) == [
            Group(Status.FAILED, "550", 2, 3)
        ]
        counts = await deliveries.counts(session, number)
    assert (counts[Status.QUEUED], counts[Status.FAILED]) == (2, 3)


async def test_who_leaves_bounces_or_is_erased_after_it_is_skipped(
    database: Database, keyring: Keyring, now: datetime
) -> None:
    async with database.transaction() as session:
        number = await _sent(session, dict.fromkeys(("ana", "bor", "cene"), (Status.FAILED, "550")), now)
        await resends.resend(session, number, now, uncertain=False)
        await withdraw(session, await _find(session, "ana"), Channel.EMAIL, Proof(Method.WEB, "left", now))
        (await _find(session, "bor")).email_bounced_at = now
        await dossiers.erase(session, await _find(session, "cene"), keyring, now)
        await _look_anew(session)
        assert await _claim(session, number, now) == []
        assert await campaigns.finish_balanced(session, now) == [number]
        query = select(Delivery.status, Delivery.reason).where(col(Delivery.campaign_id) == number)
        ends = sorted((await session.exec(query)).all())
    assert ends == [(Status.SKIPPED, why) for why in (Skip.BOUNCED, Skip.ERASED, Skip.LEFT)]


async def test_nobody_is_asked_when_everybody_left(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        number = await _sent(session, {"ana": (Status.FAILED, "550 5.1.1")}, now)
        (await _find(session, "ana")).email_bounced_at = now
        await _look_anew(session)
        assert await resends.resend(session, number, now, uncertain=True) == [
            Group(Status.FAILED, "550 5.1.1", 0, 1)
        ]
        stays = await _fresh(session, number)
    assert (stays.status, stays.finished_at, stays.resent_at) == (campaigns.Status.SENT, now, None)


async def test_only_what_has_begun_and_is_not_cancelled_is_sent_again(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        number = await _draft(session, now)
        with pytest.raises(NotAllowed, match="is draft: you cannot resend it; it must be sending or sent or"):
            await resends.resend(session, number, now, uncertain=False)
        await campaigns.approve(session, number, now)
        await campaigns.schedule(session, number, now, "UTC", now)
        with pytest.raises(NotAllowed, match="is scheduled: you cannot resend it"):
            await resends.look(session, number, uncertain=False)
        await campaigns.pause(session, number)
        with pytest.raises(NotAllowed, match=f"campaign {number} has not begun"):
            await resends.resend(session, number, now, uncertain=False)
        await campaigns.cancel(session, number, now)
        with pytest.raises(NotAllowed, match="is cancelled: you cannot resend it"):
            await resends.look(session, number, uncertain=False)
        with pytest.raises(NotFound, match="there is no campaign 99"):
            await resends.resend(session, 99, now, uncertain=False)


async def test_a_campaign_that_waits_for_its_lead_goes_on_waiting(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        await _reader(session, "ana@example.org", Language.ENGLISH, now)
        number = (await _started(session, now)).id or 0
        [claim] = await _claim(session, number, now)
        await leases.record(session, [Outcome(claim, Status.FAILED, "550")], now)
        await holds.hold(session, number, Reason.FAILING)
        await resends.resend(session, number, now, uncertain=False)
        waits = await _fresh(session, number)
        assert (waits.status, waits.reason) == (campaigns.Status.PAUSED, Reason.FAILING)
        assert await campaigns.active(session) == {}
        await campaigns.resume(session, number, now)
        await _end(session, number, {"ana": (Status.SENT, "")}, now)
        assert (await _fresh(session, number)).status is campaigns.Status.SENT


async def test_what_was_sent_stays_in_the_archive_while_its_rest_waits(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        number = await _sent(session, {"ana": (Status.FAILED, "550")}, now)
        await resends.resend(session, number, now, uncertain=False)
        await campaigns.pause(session, number)
        await _look_anew(session)
        other = (await _started(session, now)).id or 0
        await campaigns.pause(session, other)
        await _look_anew(session)
        assert [issue.campaign_id for issue in await archives.issues(session)] == [number]


async def test_letters_in_telegram_are_never_sent_again(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        number = await _draft(session, now)
        campaign = await campaigns.get(session, number)
        reader = (await session.exec(select(Subscriber))).one()
        reader.chat_id, reader.telegram_consented_at = 7, now
        campaign.channels = [Channel.TELEGRAM]
        await campaigns.approve(session, number, now)
        await campaigns.schedule(session, number, now, "UTC", now)
        assert await campaigns.start(session, number, ENGLISH, now)
        [claim] = await leases.claim(session, Channel.TELEGRAM, [number], now, limit=9, lease=LEASE)
        await leases.record(session, [Outcome(claim, Status.FAILED, "refused")], now)
        await campaigns.finish_balanced(session, now)
        await _look_anew(session)
        assert await resends.resend(session, number, now, uncertain=True) == []
        assert (await _fresh(session, number)).status is campaigns.Status.SENT


async def test_a_campaign_does_not_end_while_it_is_being_sent_again(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        await _reader(session, "ana@example.org", Language.ENGLISH, now)
        number = (await _started(session, now)).id or 0
        [claim] = await _claim(session, number, now)
        await leases.record(session, [Outcome(claim, Status.FAILED, "550")], now)

    async def finish() -> list[int]:
        async with database.transaction() as session:
            return await campaigns.finish_balanced(session, now)

    async with database.transaction() as session:
        await resends.resend(session, number, now, uncertain=False)
        await _look_anew(session)
        finishing = asyncio.create_task(finish())
        await until_it_waits(database, finishing)
    assert await finishing == []


async def test_an_address_that_was_believed_in_again_and_is_refused_again_is_given_up_again(
    database: Database, keyring: Keyring, now: datetime
) -> None:
    async with database.transaction() as session:
        number = await _sent(session, {"ana": (Status.FAILED, "550 5.1.1")}, now)
        ana = await _find(session, "ana")
        refusal = Refusal(number, ana.id or 0, "550 5.1.1")
        await bounces.record_refusals(session, [refusal], keyring, now)
        await _look_anew(session)
        await bounces.restore(session, await _find(session, "ana"), keyring, now)
        await _look_anew(session)
        await resends.resend(session, number, now, uncertain=False)
        await _end(session, number, {"ana": (Status.FAILED, "550 5.1.1")}, now + DAY)
        await bounces.record_refusals(session, [refusal], keyring, now + DAY)
        await _look_anew(session)
        assert (await _find(session, "ana")).email_bounced_at == now + DAY


async def test_a_letter_that_was_sent_again_and_comes_back_is_bounced(
    database: Database, keyring: Keyring, now: datetime
) -> None:
    report = [bounces.Finding(bounces.Action.FAILED, "5.1.1")]
    async with database.transaction() as session:
        number = await _sent(session, {"ana": (Status.FAILED, "550 5.1.1")}, now)
        ana = (await _find(session, "ana")).id or 0
        await bounces.record_refusals(session, [Refusal(number, ana, "550 5.1.1")], keyring, now)
        await _look_anew(session)
        await bounces.restore(session, await _find(session, "ana"), keyring, now)
        await _look_anew(session)
        await resends.resend(session, number, now + DAY, uncertain=False)
        await _end(session, number, {"ana": (Status.SENT, "")}, now + DAY)
        assert await bounces.record_report(session, number, ana, report, keyring, now + 2 * DAY)
        await _look_anew(session)
        assert (await _find(session, "ana")).email_bounced_at == now + 2 * DAY
        assert [row.status for row in (await _rows(session, number)).values()] == [Status.BOUNCED]


async def test_a_first_copy_that_comes_back_while_the_second_waits_calls_it_off(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        number = await _sent(session, {"ana": (Status.UNCERTAIN, "lost")}, now)
        await resends.resend(session, number, now, uncertain=True)
        ana = (await _find(session, "ana")).id or 0
        assert await endings.bounce(session, number, ana, "5.2.2 the mailbox is full", now)
        assert await _claim(session, number, now) == []
        assert await campaigns.finish_balanced(session, now) == [number]
