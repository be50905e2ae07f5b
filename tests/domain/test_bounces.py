"""What comes back is recorded once, stops what must be stopped, and nothing more."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from domain import (
    audiences,
    bounce_lists,
    bounces,
    campaigns,
    consents,
    deliveries,
    dossiers,
    leases,
    queues,
    reviews,
    subscribers,
    subscriptions,
    suppressions,
)
from domain.audiences import Audience
from domain.bounces import Action, Bounce, Finding, Refusal, Source
from domain.campaigns import Draft, Text
from domain.consents import Action as ConsentAction
from domain.consents import Method, Proof
from domain.database import Database
from domain.deliveries import Skip, Status
from domain.errors import NotAllowed
from domain.keys import Keyring
from domain.languages import Language
from domain.leases import Outcome
from domain.notices import Notice
from domain.status_codes import Kind
from domain.subscribers import Channel, Profile, Subscriber
from domain.subscriptions import Request
from domain.suppressions import Reason

LETTERS = {Language.ENGLISH: {"subject": "s"}}
LEASE = timedelta(minutes=10)
DAY = timedelta(days=1)


async def _reader(session: AsyncSession, email: str, now: datetime) -> int:
    reader = await subscribers.add(session, Profile(language=Language.ENGLISH), now)
    reader.email = reader.email_key = email
    text = await consents.keep_text(session, "I agree", Language.ENGLISH)
    await consents.grant(session, reader, Channel.EMAIL, text, Proof(Method.WEB, "a test", now))
    assert reader.id is not None
    return reader.id


async def _draft(session: AsyncSession, now: datetime) -> int:
    texts = {language: Text("s", "", "b") for language in LETTERS}
    draft = Draft("News", Audience(), (Channel.EMAIL,), "newsletter", "hash", texts)
    campaign = await campaigns.create(session, draft, now)
    assert campaign.id is not None
    return campaign.id


async def _start(session: AsyncSession, now: datetime) -> int:
    campaign_id = await _draft(session, now)
    await campaigns.approve(session, campaign_id, now)
    await campaigns.schedule(session, campaign_id, now, "UTC", now)
    assert await campaigns.start(session, campaign_id, LETTERS, now)
    return campaign_id


async def _send(session: AsyncSession, now: datetime, status: Status = Status.SENT, reason: str = "") -> int:
    """Send a campaign to whoever may be written to, and let every letter end so."""
    campaign_id = await _start(session, now)
    claims = await leases.claim(session, Channel.EMAIL, [campaign_id], now, limit=99, lease=LEASE)
    await leases.record(session, [Outcome(claim, status, reason) for claim in claims], now)
    await campaigns.finish_balanced(session, now)
    return campaign_id


async def _get(session: AsyncSession, reader: int) -> Subscriber:
    return await session.get_one(Subscriber, reader, populate_existing=True)


async def _rows(session: AsyncSession) -> Sequence[Bounce]:
    query = select(Bounce).order_by(col(Bounce.id)).execution_options(populate_existing=True)
    return (await session.exec(query)).all()


async def _status(session: AsyncSession, campaign_id: int) -> list[Status]:
    counted = await deliveries.counts(session, campaign_id)
    return [status for status, count in counted.items() if count]


async def _reason(session: AsyncSession, email: str, keyring: Keyring) -> Reason | None:
    found = await suppressions.find(session, keyring.hash_address(email))
    return found.reason if found else None


def _failed(code: str, *recipients: str) -> Finding:
    return Finding(Action.FAILED, code, recipients)


async def test_a_hard_bounce_ends_the_letter_and_stops_the_address_but_not_the_consent(
    database: Database, keyring: Keyring, now: datetime
) -> None:
    async with database.transaction() as session:
        reader = await _reader(session, "ana@example.org", now)
        campaign = await _send(session, now)
        assert await bounces.record_report(session, campaign, reader, [_failed("5.1.1")], keyring, now + DAY)
        progress = await campaigns.progress(session, campaign)
        assert progress.balanced
        assert progress.counts[Status.BOUNCED] == 1
        stopped = await _get(session, reader)
        assert stopped.email_bounced_at == now + DAY
        assert stopped.email_consented_at == now
        assert await _reason(session, "ana@example.org", keyring) is Reason.BOUNCED
        [row] = await _rows(session)
        assert (row.kind, row.source, row.code, row.at) == (Kind.HARD, Source.REPORT, "5.1.1", now + DAY)
        assert row.reason == "there is no such mailbox"
        assert await audiences.count(session, Audience(), [Channel.EMAIL]) == 0
        assert await audiences.count_left_out(session, Audience(), [Channel.EMAIL]) == 1
        next_one = await _draft(session, now)
        assert not await queues.fill(session, next_one, Audience(), Channel.EMAIL, list(LETTERS), now)


async def test_a_letter_that_waits_is_not_claimed_for_an_address_that_bounced_meanwhile(
    database: Database, keyring: Keyring, now: datetime
) -> None:
    async with database.transaction() as session:
        reader = await _reader(session, "ana@example.org", now)
        first = await _send(session, now)
        second = await _start(session, now)
        await bounces.record_report(session, first, reader, [_failed("5.1.1")], keyring, now)
    async with database.transaction() as session:
        assert await leases.claim(session, Channel.EMAIL, [second], now, limit=9, lease=LEASE) == []
        assert await _status(session, second) == [Status.SKIPPED]
        [letter] = (await dossiers.collect(session, await _get(session, reader)))["letters"][1:]
    assert letter["reason"] == Skip.BOUNCED


async def test_a_claim_that_waited_is_given_up_when_the_address_bounced_meanwhile(
    database: Database, keyring: Keyring, now: datetime
) -> None:
    async with database.transaction() as session:
        reader = await _reader(session, "ana@example.org", now)
        first = await _send(session, now)
        second = await _start(session, now)
        [claim] = await leases.claim(session, Channel.EMAIL, [second], now, limit=9, lease=LEASE)
        await bounces.record_report(session, first, reader, [_failed("5.1.1")], keyring, now)
    async with database.reading() as session:
        [outcome] = await reviews.review(session, [claim], now)
    assert (outcome.status, outcome.reason) == (Status.SKIPPED, Skip.BOUNCED)


async def test_a_report_that_comes_twice_acts_once_even_after_an_operator_knew_better(
    database: Database, keyring: Keyring, now: datetime
) -> None:
    async with database.transaction() as session:
        reader = await _reader(session, "ana@example.org", now)
        campaign = await _send(session, now)
        assert await bounces.record_report(session, campaign, reader, [_failed("5.1.1")], keyring, now)
        assert not await bounces.record_report(session, campaign, reader, [_failed("5.1.1")], keyring, now)
        await bounces.restore(session, await _get(session, reader), keyring, now)
        assert not await bounces.record_report(session, campaign, reader, [_failed("5.1.1")], keyring, now)
        assert (await _get(session, reader)).email_bounced_at is None
        assert len(await _rows(session)) == 1


async def test_reports_about_one_reader_that_come_at_once_do_not_wait_for_each_other(
    database: Database, keyring: Keyring, now: datetime
) -> None:
    async def take(campaign: int) -> bool:
        async with database.transaction() as session:
            return await bounces.record_report(session, campaign, reader, [_failed("5.1.1")], keyring, now)

    async with database.transaction() as session:
        reader = await _reader(session, "ana@example.org", now)
        sent = [await _send(session, now) for _ in range(4)]
    taken = await asyncio.gather(*(take(campaign) for campaign in sent * 2))
    assert sorted(taken) == [False] * 4 + [True] * 4
    async with database.reading() as session:
        assert len(await _rows(session)) == 4
        assert await _reason(session, "ana@example.org", keyring) is Reason.BOUNCED


async def test_a_report_overtakes_the_senders_own_record(
    database: Database, keyring: Keyring, now: datetime
) -> None:
    async with database.transaction() as session:
        reader = await _reader(session, "ana@example.org", now)
        campaign = await _start(session, now)
        [claim] = await leases.claim(session, Channel.EMAIL, [campaign], now, limit=9, lease=LEASE)
        assert await bounces.record_report(session, campaign, reader, [_failed("5.1.1")], keyring, now)
        await leases.record(session, [Outcome(claim, Status.SENT)], now)
        assert await _status(session, campaign) == [Status.BOUNCED]
        assert await campaigns.finish_balanced(session, now) == [campaign]


async def test_a_letter_that_was_never_sent_cannot_come_back(
    database: Database, keyring: Keyring, now: datetime
) -> None:
    async with database.transaction() as session:
        reader = await _reader(session, "ana@example.org", now)
        campaign = await _start(session, now)
        for about in ((campaign, reader), (campaign, 999), (999, reader)):
            assert not await bounces.record_report(session, *about, [_failed("5.1.1")], keyring, now)
        assert await _rows(session) == []
        assert await _status(session, campaign) == [Status.QUEUED]


@pytest.mark.parametrize("status", [Status.FAILED, Status.SKIPPED])
async def test_a_letter_that_did_not_leave_keeps_its_end(
    database: Database, keyring: Keyring, now: datetime, status: Status
) -> None:
    async with database.transaction() as session:
        reader = await _reader(session, "ana@example.org", now)
        campaign = await _send(session, now, status)
        await bounces.record_report(session, campaign, reader, [_failed("5.1.1")], keyring, now)
        assert await _status(session, campaign) == [status]


@pytest.mark.parametrize(
    ("code", "kind"), [("5.7.1", Kind.POLICY), ("5.2.2", Kind.SOFT), ("5.0.0", Kind.SOFT)]
)
async def test_other_failures_are_recorded_and_stop_nobody(
    database: Database, keyring: Keyring, now: datetime, code: str, kind: Kind
) -> None:
    async with database.transaction() as session:
        reader = await _reader(session, "ana@example.org", now)
        campaign = await _send(session, now)
        assert await bounces.record_report(session, campaign, reader, [_failed(code)], keyring, now)
        assert [row.kind for row in await _rows(session)] == [kind]
        assert await _status(session, campaign) == [Status.BOUNCED]
        assert (await _get(session, reader)).email_bounced_at is None
        assert await _reason(session, "ana@example.org", keyring) is None


async def test_a_letter_that_is_late_has_not_come_back_yet(
    database: Database, keyring: Keyring, now: datetime
) -> None:
    late = Finding(Action.DELAYED, "4.4.1")
    async with database.transaction() as session:
        reader = await _reader(session, "ana@example.org", now)
        campaign = await _send(session, now)
        assert await bounces.record_report(session, campaign, reader, [late], keyring, now)
        assert await _status(session, campaign) == [Status.SENT]
        assert await bounces.record_report(session, campaign, reader, [_failed("4.4.7")], keyring, now + DAY)
        assert await _status(session, campaign) == [Status.BOUNCED]
        [row] = await _rows(session)
    assert (row.kind, row.code, row.at) == (Kind.SOFT, "4.4.7", now + DAY)


@pytest.mark.parametrize("action", [Action.DELIVERED, Action.RELAYED, Action.EXPANDED])
async def test_good_news_changes_nothing(
    database: Database, keyring: Keyring, now: datetime, action: Action
) -> None:
    async with database.transaction() as session:
        reader = await _reader(session, "ana@example.org", now)
        campaign = await _send(session, now)
        good = [Finding(action, "5.0.0", ("ana@example.org",)), _failed("5.1.1", "other@example.org")]
        assert not await bounces.record_report(session, campaign, reader, good, keyring, now)
        assert not await bounces.record_report(session, campaign, reader, [], keyring, now)
        assert await _rows(session) == []


async def test_among_several_recipients_ours_counts_and_else_the_mildest(
    database: Database, keyring: Keyring, now: datetime
) -> None:
    others = [_failed("5.1.1", "x@example.org"), _failed("5.2.2", "y@example.org")]
    async with database.transaction() as session:
        reader = await _reader(session, "ana@example.org", now)
        first, second = await _send(session, now), await _send(session, now)
        await bounces.record_report(session, first, reader, others, keyring, now)
        ours = [*others, _failed("5.2.1", "ana@example.org", "ana@elsewhere.example.org")]
        await bounces.record_report(session, second, reader, ours, keyring, now)
        assert [row.code for row in await _rows(session)] == ["5.2.2", "5.2.1"]


async def _bounce_softly(session: AsyncSession, reader: int, at: datetime, keyring: Keyring) -> None:
    campaign = await _send(session, at)
    assert await bounces.record_report(session, campaign, reader, [_failed("5.2.2")], keyring, at + DAY)


async def test_five_soft_bounces_over_a_month_stop_an_address(
    database: Database, keyring: Keyring, now: datetime
) -> None:
    async with database.transaction() as session:
        reader = await _reader(session, "ana@example.org", now)
        for week in range(5):
            await _bounce_softly(session, reader, now + 7 * week * DAY, keyring)
        assert (await _get(session, reader)).email_bounced_at is None  # five within 28 days
        await _bounce_softly(session, reader, now + 35 * DAY, keyring)
        assert (await _get(session, reader)).email_bounced_at == now + 36 * DAY
        assert await _reason(session, "ana@example.org", keyring) is Reason.BOUNCED


async def test_four_soft_bounces_are_too_few_however_long_they_take(
    database: Database, keyring: Keyring, now: datetime
) -> None:
    async with database.transaction() as session:
        reader = await _reader(session, "ana@example.org", now)
        for month in range(4):
            await _bounce_softly(session, reader, now + 30 * month * DAY, keyring)
        assert (await _get(session, reader)).email_bounced_at is None


async def test_a_letter_that_arrives_between_begins_the_count_anew(
    database: Database, keyring: Keyring, now: datetime
) -> None:
    async with database.transaction() as session:
        reader = await _reader(session, "ana@example.org", now)
        for week in range(8):
            if week == 3:
                await _send(session, now + 10 * week * DAY)
            else:
                await _bounce_softly(session, reader, now + 10 * week * DAY, keyring)
        assert (await _get(session, reader)).email_bounced_at is None  # three, and four after it
        await _send(session, now + 80 * DAY)  # just sent: its own report may still come
        await bounces.record_report(
            session, await _send(session, now + 79 * DAY), reader, [_failed("5.2.2")], keyring, now + 81 * DAY
        )
        assert (await _get(session, reader)).email_bounced_at == now + 81 * DAY


async def test_letters_that_were_only_late_count_as_arrived(
    database: Database, keyring: Keyring, now: datetime
) -> None:
    late = [Finding(Action.DELAYED, "4.4.1")]
    async with database.transaction() as session:
        reader = await _reader(session, "ana@example.org", now)
        for week in range(9):
            campaign = await _send(session, now + 10 * week * DAY)
            await bounces.record_report(session, campaign, reader, late, keyring, now + 10 * week * DAY)
        assert (await _get(session, reader)).email_bounced_at is None


async def test_refusals_at_the_relay_follow_the_same_rules_in_one_go(
    database: Database, keyring: Keyring, now: datetime
) -> None:
    answers = {
        "hard@example.org": "550 5.1.1",
        "soft@example.org": "550",
        "policy@example.org": "too late: 550 5.7.1",
        "broken@example.org": "undeliverable_here",
    }
    async with database.transaction() as session:
        readers = {email: await _reader(session, email, now) for email in answers}
        campaign = await _send(session, now, Status.FAILED, "550")
        refusals = [Refusal(campaign, readers[email], answer) for email, answer in answers.items()]
        for _ in range(2):
            await bounces.record_refusals(session, [*refusals, Refusal(campaign, 999, "550")], keyring, now)
        rows = {(row.subscriber_id, row.kind, row.code, row.source) for row in await _rows(session)}
        stopped = [
            email for email, reader in readers.items() if (await _get(session, reader)).email_bounced_at
        ]
        assert await _status(session, campaign) == [Status.FAILED]
        await bounces.record_refusals(session, [], keyring, now)
    assert rows == {
        (readers["hard@example.org"], Kind.HARD, "5.1.1", Source.RELAY),
        (readers["soft@example.org"], Kind.SOFT, "5.0.0", Source.RELAY),
        (readers["policy@example.org"], Kind.POLICY, "5.7.1", Source.RELAY),
    }
    assert stopped == ["hard@example.org"]


async def test_soft_refusals_at_the_relay_wear_an_address_out_too(
    database: Database, keyring: Keyring, now: datetime
) -> None:
    async with database.transaction() as session:
        reader = await _reader(session, "ana@example.org", now)
        for week in range(6):
            at = now + 7 * week * DAY
            campaign = await _send(session, at, Status.FAILED, "552 5.2.2")
            await bounces.record_refusals(session, [Refusal(campaign, reader, "552 5.2.2")], keyring, at)
        assert (await _get(session, reader)).email_bounced_at == now + 35 * DAY


async def test_a_complaint_ends_the_consent_on_record_and_nothing_but_the_reader_revives_it(
    database: Database, keyring: Keyring, now: datetime
) -> None:
    async with database.transaction() as session:
        reader = await _reader(session, "ana@example.org", now)
        campaign = await _send(session, now)
        assert await bounces.record_complaint(session, reader, campaign, keyring, now)
        assert not await bounces.record_complaint(session, reader, campaign, keyring, now)
        subscriber = await _get(session, reader)
        assert subscriber.email_consented_at is None
        lines = [line for line, _ in await consents.history(session, subscriber)]
        assert [(line.action, line.method) for line in lines] == [
            (ConsentAction.GRANTED, Method.WEB),
            (ConsentAction.WITHDRAWN, Method.COMPLAINT),
        ]
        assert f"campaign {campaign}" in lines[-1].evidence
        assert await _reason(session, "ana@example.org", keyring) is Reason.COMPLAINED
        assert await _status(session, campaign) == [Status.SENT]
        assert [row.reason for row in await _rows(session)] == ["it was marked as spam"]
        assert not await subscriptions.undo_leave(session, subscriber, keyring, now)
        with pytest.raises(NotAllowed, match="this reader complained: only they can come back"):
            await bounces.restore(session, subscriber, keyring, now)


async def test_a_complaint_about_no_campaign_is_recorded_once(
    database: Database, keyring: Keyring, now: datetime
) -> None:
    async with database.transaction() as session:
        reader = await _reader(session, "ana@example.org", now)
        assert await bounces.record_complaint(session, reader, None, keyring, now)
        assert not await bounces.record_complaint(session, reader, 999, keyring, now)
        assert not await bounces.record_complaint(session, 999, None, keyring, now)
        assert [row.campaign_id for row in await _rows(session)] == [None]


async def test_the_campaign_of_a_letter_is_known_by_its_message_id(
    database: Database, keyring: Keyring, now: datetime
) -> None:
    async with database.transaction() as session:
        reader = await _reader(session, "ana@example.org", now)
        first, second = await _send(session, now), await _send(session, now)
        for campaign in (first, second):
            number = keyring.message_id(campaign, reader)
            assert await bounces.campaign_of(session, reader, {number}, keyring) == campaign
        assert await bounces.campaign_of(session, reader, {"0" * 32}, keyring) is None


async def test_the_readers_own_confirmation_lifts_a_bounce_and_a_late_report_from_before_does_not_undo_it(
    database: Database, asked: Request, keyring: Keyring, now: datetime
) -> None:
    async def confirm(at: datetime) -> Subscriber:
        again = Request(asked.address, asked.profile, "I agree.", Proof(Method.WEB, "form", at))
        await subscriptions.request(session, again, keyring)
        query = select(Notice).where(Notice.kind == "confirm").order_by(col(Notice.id).desc()).limit(1)
        secret = (await session.exec(query)).one().payload["secret"]
        return await subscriptions.confirm(session, secret, at)

    async with database.transaction() as session:
        reader = (await confirm(now)).id
        assert reader is not None
        first, second = await _send(session, now), await _send(session, now)
        await bounces.record_report(session, first, reader, [_failed("5.1.1")], keyring, now)
        assert (await confirm(now + DAY)).email_bounced_at is None
        assert await _reason(session, asked.address.key, keyring) is None
        assert await bounces.record_report(
            session, second, reader, [_failed("5.1.1")], keyring, now + 2 * DAY
        )
        assert (await _get(session, reader)).email_bounced_at is None
        assert await _status(session, second) == [Status.BOUNCED]
        assert [row.lifted_at for row in await _rows(session)] == [now + DAY, now + 2 * DAY]
        third = await _send(session, now + 3 * DAY)
        await bounces.record_report(session, third, reader, [_failed("5.1.1")], keyring, now + 4 * DAY)
        assert (await _get(session, reader)).email_bounced_at == now + 4 * DAY


async def test_who_left_stays_as_they_are_when_a_letter_comes_back(
    database: Database, keyring: Keyring, now: datetime
) -> None:
    async with database.transaction() as session:
        reader = await _reader(session, "ana@example.org", now)
        campaign = await _send(session, now)
        proof = Proof(Method.WEB, subscriptions.BY_LINK, now)
        await subscriptions.leave(session, await _get(session, reader), [Channel.EMAIL], proof, keyring)
        assert await bounces.record_report(session, campaign, reader, [_failed("5.1.1")], keyring, now)
        assert await _reason(session, "ana@example.org", keyring) is Reason.LEFT
        with pytest.raises(NotAllowed, match="this reader left"):
            await bounces.restore(session, await _get(session, reader), keyring, now)


async def test_taking_back_a_leaving_does_not_cure_the_address(
    database: Database, keyring: Keyring, now: datetime
) -> None:
    async with database.transaction() as session:
        reader = await _reader(session, "ana@example.org", now)
        campaign = await _send(session, now)
        await bounces.record_report(session, campaign, reader, [_failed("5.1.1")], keyring, now)
        subscriber = await _get(session, reader)
        proof = Proof(Method.WEB, subscriptions.BY_LINK, now)
        await subscriptions.leave(session, subscriber, [Channel.EMAIL], proof, keyring)
        assert await subscriptions.undo_leave(session, subscriber, keyring, now)
        assert await _reason(session, "ana@example.org", keyring) is Reason.BOUNCED
        assert await audiences.count(session, Audience(), [Channel.EMAIL]) == 0


async def test_after_a_restoring_the_count_begins_anew(
    database: Database, keyring: Keyring, now: datetime
) -> None:
    async with database.transaction() as session:
        reader = await _reader(session, "ana@example.org", now)
        with pytest.raises(NotAllowed, match="did not bounce"):
            await bounces.restore(session, await _get(session, reader), keyring, now)
        for week in range(6):
            await _bounce_softly(session, reader, now + 7 * week * DAY, keyring)
        await bounces.restore(session, await _get(session, reader), keyring, now + 40 * DAY)
        assert await _reason(session, "ana@example.org", keyring) is None
        assert await audiences.count(session, Audience(), [Channel.EMAIL]) == 1
        await _bounce_softly(session, reader, now + 42 * DAY, keyring)
        assert (await _get(session, reader)).email_bounced_at is None


async def test_an_erased_readers_bounces_are_nobodys(
    database: Database, keyring: Keyring, now: datetime
) -> None:
    async with database.transaction() as session:
        reader = await _reader(session, "ana@example.org", now)
        campaign = await _send(session, now)
        await bounces.record_report(session, campaign, reader, [_failed("5.1.1")], keyring, now)
        subscriber = await _get(session, reader)
        [told] = (await dossiers.collect(session, subscriber))["bounces"]
        assert (told["campaign"], told["kind"], told["reason"]) == (
            "News",
            "hard",
            "there is no such mailbox",
        )
        await dossiers.erase(session, subscriber, keyring, now)
        assert await _reason(session, "ana@example.org", keyring) is Reason.ERASED
        assert not await bounces.record_report(session, campaign, reader, [_failed("5.1.1")], keyring, now)
    async with database.reading() as session:
        [entry] = await bounce_lists.listing(session)
    assert (entry.bounce.subscriber_id, entry.subscriber) == (None, None)
    assert not entry.is_reachable


async def test_the_listing_is_narrowed_by_campaign_and_kind(
    database: Database, keyring: Keyring, now: datetime
) -> None:
    async with database.transaction() as session:
        reader = await _reader(session, "ana@example.org", now)
        first, second = await _send(session, now), await _send(session, now)
        await bounces.record_report(session, first, reader, [_failed("5.2.2")], keyring, now)
        await bounces.record_report(session, second, reader, [_failed("5.1.1")], keyring, now)
        everything = await bounce_lists.listing(session)
        assert [entry.bounce.campaign_id for entry in everything] == [second, first]
        [of_first] = await bounce_lists.listing(session, campaign_id=first)
        [hard] = await bounce_lists.listing(session, kind=Kind.HARD)
    assert (of_first.bounce.code, hard.bounce.code) == ("5.2.2", "5.1.1")
