"""Campaigns that are sent again, over real SMTP: who gets the letter, how often, and what it ends as."""

from datetime import timedelta
from functools import partial

import pytest
from sqlmodel import col, select

from demo.mail import Reply
from domain import leases, resends
from domain.campaigns import Status as Stands
from domain.deliveries import Delivery, Status
from domain.resends import Group
from domain.subscribers import Channel
from mailer.ledgers import LEASE, Ledger
from mailer.relays import DeliverySettings
from mailer.results import Permanent
from mailer.role import Mailer
from mailer.senders import DIED, outcome_of
from tests.mailer.offices import Office, running, until

FULL = Reply(552, "5.2.2 mailbox full")
WEEK = timedelta(days=7)


def _holding(office: Office) -> Mailer:
    """A mailer that leaves to the lead what may have arrived."""
    hold = DeliverySettings(ambiguous="hold")
    return Mailer(office.database, office.stationery, [office.relay_settings], office.clock, delivery=hold)


async def _resend(office: Office, campaign: int, *, uncertain: bool = False) -> list[Group]:
    async with office.database.transaction() as session:
        return await resends.resend(session, campaign, office.clock(), uncertain=uncertain)


async def _is_put_off(office: Office) -> bool:
    """Say whether the relay wants a letter later."""
    async with office.database.reading() as session:
        query = select(Delivery.id).where(col(Delivery.reason) == "in_doubt 1: 451 4.2.0")
        return (await session.exec(query)).first() is not None


async def test_only_those_whose_letter_failed_get_it_again_and_the_campaign_ends_anew(
    office: Office,
) -> None:
    await office.add_reader("ana@example.org")
    await office.add_reader("bor@example.org")
    office.relay.script("bor@example.org", FULL)
    campaign = await office.schedule()
    async with running(office.mailer()):
        await office.sent(campaign)
        office.clock.move(WEEK)
        assert await _resend(office, campaign) == [Group(Status.FAILED, "552 5.2.2", 1, 0)]
        assert await office.status(campaign) is Stands.SENDING
        ended = await office.sent(campaign)
    assert [len(office.relay.letters_to(f"{name}@example.org")) for name in ("ana", "bor")] == [1, 1]
    assert (ended.finished_at, ended.resent_at) == (office.clock(), office.clock())
    progress = await office.progress(campaign)
    assert progress.balanced
    assert progress.counts[Status.SENT] == 2


async def test_what_fails_again_is_failed_until_it_is_sent_again_once_more(office: Office) -> None:
    await office.add_reader("bor@example.org")
    office.relay.script("bor@example.org", FULL, times=2)
    campaign = await office.schedule()
    async with running(office.mailer()):
        for failed in (1, 1, 0):
            await office.sent(campaign)
            assert (await office.progress(campaign)).counts[Status.FAILED] == failed
            again = await _resend(office, campaign)
            assert sum(group.letters for group in again) == failed
    assert len(office.relay.letters_to("bor@example.org")) == 1


async def test_a_doubtful_letter_goes_again_as_the_same_message_even_where_such_are_held(
    office: Office,
) -> None:
    await office.add_reader("ana@example.org")
    office.relay.drop("ana@example.org", "after_data")
    campaign = await office.schedule()
    async with running(_holding(office)):
        await office.sent(campaign)
        assert (await office.progress(campaign)).counts[Status.UNCERTAIN] == 1
        assert await _resend(office, campaign) == []
        office.relay.script("ana@example.org", Reply(451, "4.2.0 later"))
        [group] = await _resend(office, campaign, uncertain=True)
        assert group == Group(Status.UNCERTAIN, "connection_lost_in_data", 1, 0)
        await until(partial(_is_put_off, office))
        office.clock.move(timedelta(minutes=2))
        await office.sent(campaign)
    first, second = office.relay.letters_to("ana@example.org")
    assert first.raw_header("Message-ID") == second.raw_header("Message-ID")
    assert (await office.progress(campaign)).counts[Status.SENT] == 1


@pytest.mark.parametrize(("reply", "reason"), [(FULL, "552 5.2.2"), (None, "connection_lost_in_data")])
async def test_a_doubtful_letter_that_is_not_taken_this_time_stays_uncertain(
    office: Office, reply: Reply | None, reason: str
) -> None:
    await office.add_reader("ana@example.org")
    office.relay.drop("ana@example.org", "after_data", times=1 if reply else 2)
    campaign = await office.schedule()
    async with running(_holding(office)):
        await office.sent(campaign)
        if reply:
            office.relay.script("ana@example.org", reply)
        await _resend(office, campaign, uncertain=True)
        await office.sent(campaign)
    async with office.database.reading() as session:
        assert await resends.look(session, campaign, uncertain=True) == [
            Group(Status.UNCERTAIN, reason, 1, 0)
        ]


async def test_where_doubtful_letters_are_held_one_whose_sender_died_is_held_again(office: Office) -> None:
    await office.add_reader("ana@example.org")
    office.relay.drop("ana@example.org", "after_data")
    campaign = await office.schedule()
    async with running(_holding(office)):
        await office.sent(campaign)
    await _resend(office, campaign, uncertain=True)
    async with office.database.transaction() as session:
        await leases.claim(session, Channel.EMAIL, [campaign], office.clock(), limit=9, lease=LEASE)
    office.clock.move(LEASE)
    async with running(_holding(office)):
        await office.sent(campaign)
    async with office.database.reading() as session:
        assert await resends.look(session, campaign, uncertain=True) == [Group(Status.UNCERTAIN, DIED, 1, 0)]
    assert len(office.relay.letters_to("ana@example.org")) == 1


async def test_the_deadline_counts_from_the_last_time_that_the_campaign_was_sent(office: Office) -> None:
    await office.add_reader("ana@example.org")
    await office.add_reader("bor@example.org")
    campaign = await office.schedule()
    await office.start(campaign)
    started = office.clock()
    ledger = Ledger(office.database, office.stationery, office.clock, "")
    [claim] = await ledger.claim(1)
    assert ledger.issue_of(claim).since == started
    ledger.settle(outcome_of(claim, Permanent("552"), started, started))
    ledger.close()
    await ledger.record(lambda *_: None)
    office.clock.move(WEEK)
    await _resend(office, campaign)
    for _ in range(2):
        [claim] = await ledger.claim(1)
        assert ledger.issue_of(claim).since == office.clock()
