"""Campaigns move only along the allowed ways, and every refusal says why."""

from datetime import datetime, timedelta

import pytest
from sqlmodel.ext.asyncio.session import AsyncSession

from domain import campaigns, subscribers
from domain.audiences import Audience
from domain.campaigns import Draft, Status, Text
from domain.consents import Method, Proof, grant, keep_text
from domain.database import Database
from domain.errors import Invalid, NotAllowed, NotFound
from domain.languages import Language
from domain.subscribers import Channel, Profile

LETTERS = {Language.ENGLISH: {"subject": "s"}}


async def _draft(session: AsyncSession, now: datetime, *, readers: int = 1) -> int:
    text = await keep_text(session, "I agree", Language.ENGLISH)
    for number in range(readers):
        reader = await subscribers.add(session, Profile(language=Language.ENGLISH), now)
        reader.email = reader.email_key = f"{number}@example.org"
        await grant(session, reader, Channel.EMAIL, text, Proof(Method.WEB, "test", now))
    texts = {Language.ENGLISH: Text("s", "", "b")}
    draft = Draft("c", Audience(), (Channel.EMAIL,), "newsletter", "hash", texts)
    campaign = await campaigns.create(session, draft, now)
    assert campaign.id is not None
    return campaign.id


async def test_a_draft_must_be_approved_before_it_is_scheduled(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        number = await _draft(session, now)
        with pytest.raises(NotAllowed, match="is draft: you cannot schedule it; it must be approved"):
            await campaigns.schedule(session, number, now, "UTC", now)


async def test_the_past_and_an_empty_audience_are_refused(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        number = await _draft(session, now, readers=0)
        await campaigns.approve(session, number, now)
        with pytest.raises(Invalid, match="in the past"):
            await campaigns.schedule(session, number, now - timedelta(hours=1), "UTC", now)
        with pytest.raises(Invalid, match="matches nobody"):
            await campaigns.schedule(session, number, now, "UTC", now)


async def test_pausing_and_resuming_leads_back_to_where_it_stood(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        number = await _draft(session, now)
        await campaigns.approve(session, number, now)
        await campaigns.schedule(session, number, now, "UTC", now)
        await campaigns.pause(session, number)
        assert await campaigns.due(session, now) == []
        assert (await campaigns.resume(session, number, now)).status is Status.SCHEDULED
        assert await campaigns.start(session, number, LETTERS, now)
        await campaigns.pause(session, number)
        assert await campaigns.active(session) == {}
        assert (await campaigns.resume(session, number, now)).status is Status.SENDING


async def test_cancelling_skips_the_rest_and_the_sums_balance(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        number = await _draft(session, now, readers=3)
        await campaigns.approve(session, number, now)
        await campaigns.schedule(session, number, now, "UTC", now)
        await campaigns.start(session, number, LETTERS, now)
        await campaigns.cancel(session, number, now)
        assert (await campaigns.progress(session, number)).balanced
        with pytest.raises(NotAllowed, match="cancelled"):
            await campaigns.cancel(session, number, now)


async def test_an_unknown_number_is_said(database: Database) -> None:
    async with database.transaction() as session:
        with pytest.raises(NotFound, match="there is no campaign 99"):
            await campaigns.get(session, 99)


async def test_a_campaign_that_was_moved_meanwhile_does_not_start(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        number = await _draft(session, now)
        await campaigns.approve(session, number, now)
        await campaigns.schedule(session, number, now, "UTC", now)
        await campaigns.schedule(session, number, now + timedelta(days=1), "UTC", now)
        assert not await campaigns.start(session, number, LETTERS, now)
