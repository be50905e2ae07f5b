"""Campaigns over real SMTP, on both databases: every class of answer, and sums that balance."""

import asyncio
from datetime import timedelta
from functools import partial
from typing import Literal

import pytest
from sqlmodel import col, select

from demo.mail import Reply
from domain import campaigns
from domain.addressees import Addressee
from domain.campaigns import Reason, Text
from domain.claimants import Claimant
from domain.consents import Method, Proof, withdraw
from domain.database import Database, DatabaseSettings
from domain.deliveries import Delivery, Status
from domain.languages import Language
from domain.leases import Claim
from domain.subscribers import Channel, Subscriber
from mailer.ledgers import LEASE, Ledger
from mailer.relays import DeliverySettings
from mailer.results import Ambiguous, Permanent, Policy, Sent, Temporary
from mailer.senders import FAILURES_IN_A_ROW, MOST_COPIES, Senders, outcome_of
from mailer.smtp import SLOWEST_SEND
from tests.mailer.offices import Office, running, until


async def _deliveries(office: Office) -> dict[int, Delivery]:
    async with office.database.reading() as session:
        rows = (await session.exec(select(Delivery))).all()
    return {row.subscriber_id or 0: row for row in rows}


async def _given_up(office: Office) -> list[str | None]:
    async with office.database.reading() as session:
        query = select(Subscriber.email).where(col(Subscriber.email_bounced_at).is_not(None))
        return sorted((await session.exec(query)).all(), key=str)


async def _stands(office: Office, campaign: int, status: campaigns.Status) -> bool:
    return await office.status(campaign) is status


async def _wait_for_reason(office: Office, reason: str) -> None:
    async def stands() -> bool:
        return any(row.reason == reason for row in (await _deliveries(office)).values())

    await until(stands)


async def test_each_reader_gets_the_letter_in_their_language_and_the_sums_balance(office: Office) -> None:
    await office.add_reader("ana@example.org", "Ana Novak", Language.SLOVENIAN)
    await office.add_reader("joe@example.org", "Joe Bloggs", Language.ITALIAN)
    campaign = await office.schedule(sl=Text("Novice", "", "Pozdravljeni, {{ subscriber.first_name }}"))
    async with running(office.mailer()):
        await office.sent(campaign)
    [slovene], [english] = (office.relay.letters_to(f"{name}@example.org") for name in ("ana", "joe"))
    assert (slovene.subject, slovene.language) == ("Novice", "sl")
    assert "Pozdravljeni, Ana" in slovene.text
    assert "Dear Joe" in english.html
    progress = await office.progress(campaign)
    assert progress.balanced
    assert progress.counts[Status.SENT] == progress.campaign.audience_size == 2


async def test_a_temporary_refusal_is_tried_again_later_and_the_letter_arrives(office: Office) -> None:
    reader = await office.add_reader("ana@example.org")
    office.relay.script("ana@example.org", Reply(451, "4.7.1 greylisted"))
    campaign = await office.schedule()
    async with running(office.mailer()):
        await _wait_for_reason(office, "451 4.7.1")
        row = (await _deliveries(office))[reader.id or 0]
        assert row.status is Status.QUEUED
        assert office.clock() + timedelta(minutes=1) <= row.due_at <= office.clock() + timedelta(minutes=2)
        office.clock.move(timedelta(minutes=2))
        await office.sent(campaign)
    assert len(office.relay.letters) == 1


async def test_a_final_refusal_fails_that_reader_alone_with_the_codes_as_reason(office: Office) -> None:
    gone = await office.add_reader("gone@example.org")
    await office.add_reader("here@example.org")
    office.relay.script("gone@example.org", Reply(550, "5.1.1 <gone@example.org> unknown"), times=None)
    campaign = await office.schedule()
    async with running(office.mailer()):
        await office.sent(campaign)
    row = (await _deliveries(office))[gone.id or 0]
    assert (row.status, row.reason) == (Status.FAILED, "550 5.1.1")
    assert len(office.relay.letters_to("here@example.org")) == 1
    assert await _given_up(office) == ["gone@example.org"]


async def test_a_policy_that_refuses_us_pauses_the_campaign_and_fails_nobody(office: Office) -> None:
    await office.add_reader("ana@example.org")
    office.relay.script("ana@example.org", Reply(554, "5.7.1 relay access denied"))
    campaign = await office.schedule()
    async with running(office.mailer()):
        await _wait_for_reason(office, "554 5.7.1")
        held = await office.progress(campaign)
        assert (held.campaign.status, held.campaign.reason) == (campaigns.Status.PAUSED, Reason.REFUSED)
        assert held.counts[Status.QUEUED] == 1
        await office.resume(campaign)
        office.clock.move(timedelta(minutes=2))
        await office.sent(campaign)
    assert len(office.relay.letters) == 1
    assert await _given_up(office) == []


async def test_too_many_refusals_in_a_row_pause_the_campaign_and_count_anew_once_it_goes_on(
    office: Office,
) -> None:
    for number in range(FAILURES_IN_A_ROW):
        await office.add_reader(f"gone{number}@example.org")
        office.relay.script(f"gone{number}@example.org", Reply(550, "5.1.1 unknown"))
    await office.add_reader("later@example.org")
    office.relay.script("later@example.org", Reply(450, "4.2.0 later"))
    office.relay.script("later@example.org", Reply(550, "5.1.1 unknown"))
    campaign = await office.schedule()
    async with running(office.mailer()):
        await until(partial(_stands, office, campaign, campaigns.Status.PAUSED))
        held = await office.progress(campaign)
        assert held.campaign.reason is Reason.FAILING
        assert held.counts[Status.FAILED] == FAILURES_IN_A_ROW
        await _wait_for_reason(office, "450 4.2.0")
        await office.resume(campaign)
        office.clock.move(timedelta(minutes=2))
        await office.sent(campaign)
    ended = await office.progress(campaign)
    assert ended.campaign.reason is None
    assert ended.counts[Status.FAILED] == len(await _given_up(office)) == FAILURES_IN_A_ROW + 1


async def test_a_claim_whose_lease_might_end_while_it_is_sent_is_given_back(office: Office) -> None:
    await office.add_reader("ana@example.org")
    await office.start(await office.schedule())
    with Claimant(office.database.folder) as claimant:
        ledger = Ledger(office.database, office.stationery, office.clock, claimant.name)
        [claim] = await ledger.claim(50)
        office.clock.move(LEASE - SLOWEST_SEND - timedelta(seconds=1))
        assert await ledger.review([claim]) == {}
        office.clock.move(timedelta(seconds=1))
        [late] = (await ledger.review([claim])).values()
    assert late.status is Status.QUEUED


async def test_a_connection_lost_before_the_letter_travelled_costs_no_attempt(office: Office) -> None:
    await office.add_reader("ana@example.org")
    office.relay.drop("ana@example.org", "before_data")
    async with running(office.mailer()):
        await office.sent(await office.schedule())
    assert len(office.relay.letters_to("ana@example.org")) == 1
    [row] = (await _deliveries(office)).values()
    assert (row.attempts, row.refusals) == (1, 0)


@pytest.mark.parametrize(("stage", "copies"), [("in_data", 1), ("after_data", 2)])
async def test_a_dropped_connection_loses_nothing_and_a_copy_has_the_same_message_id(
    office: Office, stage: Literal["in_data", "after_data"], copies: int
) -> None:
    await office.add_reader("ana@example.org")
    office.relay.drop("ana@example.org", stage)
    campaign = await office.schedule()
    async with running(office.mailer()):
        await _wait_for_reason(office, "in_doubt 1: connection_lost_in_data")
        office.clock.move(timedelta(minutes=2))
        await office.sent(campaign)
    letters = office.relay.letters_to("ana@example.org")
    assert len(letters) == copies
    assert len({letter.raw_header("Message-ID") for letter in letters}) == 1


async def test_a_421_to_one_reader_does_not_hurt_the_next(office: Office) -> None:
    for name in ("one", "two", "three", "four", "five", "six"):
        await office.add_reader(f"{name}@example.org")
    office.relay.script("two@example.org", Reply(421, "4.3.2 closing"))
    campaign = await office.schedule()
    async with running(office.mailer()):
        await _wait_for_reason(office, "421 4.3.2")
        office.clock.move(timedelta(minutes=2))
        await office.sent(campaign)
    assert sorted(letter.envelope_to[0] for letter in office.relay.letters) == sorted(
        f"{name}@example.org" for name in ("one", "two", "three", "four", "five", "six")
    )


async def test_a_reader_who_left_since_the_start_gets_nothing(office: Office) -> None:
    await office.add_reader("stays@example.org")
    leaver = await office.add_reader("leaves@example.org")
    campaign = await office.schedule()
    await office.start(campaign)
    async with office.database.transaction() as session:
        found = await session.get_one(Subscriber, leaver.id)
        assert await withdraw(session, found, Channel.EMAIL, Proof(Method.ONE_CLICK, "", office.clock()))
    async with running(office.mailer()):
        await office.sent(campaign)
    assert [letter.envelope_to for letter in office.relay.letters] == [("stays@example.org",)]
    assert (await office.progress(campaign)).counts[Status.SKIPPED] == 1


async def test_a_name_that_would_break_a_header_fails_that_reader_alone(office: Office) -> None:
    hostile = await office.add_reader("a@example.org", "=?utf-8?q?x=0D=0ABcc:_b@example.org?=")
    await office.add_reader("b@example.org", "Bojan")
    campaign = await office.schedule(subject="For {{ subscriber.name }}")
    async with running(office.mailer()):
        await office.sent(campaign)
    assert [letter.subject for letter in office.relay.letters] == ["For Bojan"]
    assert (await _deliveries(office))[hostile.id or 0].reason == "unfit_to_send"


async def test_an_international_address_travels_byte_for_byte(office: Office) -> None:
    reader = await office.add_reader("žiga@čebela.example")
    assert reader.email is not None
    assert reader.email.startswith("žiga@xn--")
    campaign = await office.schedule()
    async with running(office.mailer()):
        await office.sent(campaign)
    assert office.relay.letters[0].envelope_to == (reader.email,)


async def test_two_mailers_at_once_send_each_letter_once(office: Office, database_url: str) -> None:
    emails = [f"reader{number}@example.org" for number in range(60)]
    for email in emails:
        await office.add_reader(email)
    campaign = await office.schedule()
    second = Database(DatabaseSettings(url=database_url))
    async with running(office.mailer(), office.mailer(second)):
        await office.sent(campaign)
    await second.close()
    assert sorted(letter.envelope_to[0] for letter in office.relay.letters) == sorted(emails)


async def test_a_paused_campaign_is_claimed_no_further_and_goes_on_when_resumed(office: Office) -> None:
    await office.add_reader("ana@example.org")
    campaign = await office.schedule()
    await office.start(campaign)
    await office.pause(campaign)
    async with running(office.mailer()):
        await office.sent(await office.schedule(subject="Another"))
        assert [letter.subject for letter in office.relay.letters] == ["Another"]
        await office.resume(campaign)
        await office.sent(campaign)
    assert len(office.relay.letters_to("ana@example.org")) == 2


async def test_stopping_gives_back_what_has_not_begun(office: Office) -> None:
    for number in range(30):
        await office.add_reader(f"reader{number}@example.org")
    office.relay.delay(0.2)
    campaign = await office.schedule()
    async with running(office.mailer()):
        await office.relay.wait_for("reader0@example.org")
    counts = (await office.progress(campaign)).counts
    assert counts[Status.SENDING] == 0
    assert counts[Status.QUEUED] > 0
    assert counts[Status.QUEUED] + counts[Status.SENT] == 30
    assert counts[Status.SENT] == len(office.relay.letters)


async def test_a_claim_that_waited_is_looked_at_again(office: Office) -> None:
    reader = await office.add_reader("ana@example.org")
    campaign = await office.schedule()
    await office.start(campaign)
    with Claimant(office.database.folder) as claimant:
        ledger = Ledger(office.database, office.stationery, office.clock, claimant.name)
        [claim] = await ledger.claim(50)
        assert await ledger.claim(50) == []
        office.clock.move(timedelta(seconds=5))
        assert await ledger.review([claim]) == {}
        await office.pause(campaign)
        [held] = (await ledger.review([claim])).values()
        await office.resume(campaign)
        async with office.database.transaction() as session:
            found = await session.get_one(Subscriber, reader.id)
            await withdraw(session, found, Channel.EMAIL, Proof(Method.WEB, "", office.clock()))
        [left] = (await ledger.review([claim])).values()
        assert (held.status, left.status) == (Status.QUEUED, Status.SKIPPED)
        ledger.settle(left)
        ledger.close()
        await ledger.record(lambda *_: None)
    assert (await office.progress(campaign)).balanced


async def test_a_started_letter_does_not_change_when_its_source_does(office: Office) -> None:
    await office.add_reader("ana@example.org")
    campaign = await office.schedule()
    await office.start(campaign)
    async with office.database.transaction() as session:
        [variant] = (await campaigns.variants(session, campaign)).values()
        variant.body = "Something else"
    async with running(office.mailer()):
        await office.sent(campaign)
    [letter] = office.relay.letters
    assert "Dear reader" in letter.text


async def test_a_mailer_whose_part_dies_raises(office: Office) -> None:
    class Broken(Ledger):
        async def claim(self, limit: int) -> list[Claim]:  # noqa: ARG002
            raise ZeroDivisionError

    ledger = Broken(office.database, office.stationery, office.clock, "")
    senders = Senders(ledger, office.stationery, [office.relay_settings], office.clock, DeliverySettings())
    with pytest.raises(ExceptionGroup) as raised:
        await asyncio.wait_for(senders.run(asyncio.Event()), 5)
    assert raised.group_contains(ZeroDivisionError)


def test_answers_become_outcomes(office: Office) -> None:
    since = now = office.clock()
    first = Claim(1, 1, 1, Language.ENGLISH, Addressee(1))
    fifth = Claim(1, 9, 1, Language.ENGLISH, Addressee(1), MOST_COPIES - 1)
    fourth = Claim(1, 9, 1, Language.ENGLISH, Addressee(1), MOST_COPIES - 2)
    late = Claim(1, 99, 1, Language.ENGLISH, Addressee(1), refusals=99)
    after = now + timedelta(days=4)
    assert outcome_of(first, Sent(), since, now).status is Status.SENT
    assert outcome_of(first, Permanent("550"), since, now).status is Status.FAILED
    for result in (Temporary("451"), Policy("550 5.7.1"), Ambiguous("lost")):
        outcome = outcome_of(first, result, since, now)
        assert outcome.status is Status.QUEUED
        assert outcome.may_have_arrived == isinstance(result, Ambiguous)
    assert outcome_of(fourth, Ambiguous("lost"), since, now).status is Status.QUEUED
    assert outcome_of(fifth, Ambiguous("lost"), since, now).status is Status.UNCERTAIN
    assert outcome_of(first, Ambiguous("lost"), since, now, hold_doubtful=True).status is Status.UNCERTAIN
    outcome = outcome_of(late, Temporary("451"), since, after)
    assert (outcome.status, outcome.reason) == (Status.FAILED, "too late: 451")
