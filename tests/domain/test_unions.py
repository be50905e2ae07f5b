"""A chat becomes a known reader's only by the reader's own word, and then there is one record."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from domain import campaigns, consents, notices, subscribers, subscriptions
from domain.addresses import address_of
from domain.audiences import Audience
from domain.campaigns import Draft, Text
from domain.consents import Action, Method, Proof
from domain.database import Database
from domain.deliveries import Delivery, Status
from domain.keys import Keyring
from domain.languages import Language
from domain.notices import Notice
from domain.subscribers import Channel, Profile, Subscriber
from domain.subscriptions import Request

CHAT = 4711
LETTERS = {Language.ENGLISH: {"subject": "s"}}


async def _secret(session: AsyncSession) -> str:
    query = select(Notice).where(col(Notice.kind) == notices.Kind.CONFIRM).order_by(col(Notice.id).desc())
    return str((await session.exec(query.limit(1))).one().payload["secret"])


async def _confirm(
    session: AsyncSession, asked: Request, keyring: Keyring, *, joins_chat: bool = False
) -> Subscriber:
    await subscriptions.request(session, asked, keyring)
    secret = await _secret(session)
    return await subscriptions.confirm(session, secret, asked.proof.at, joins_chat=joins_chat)


async def _join_by_chat(session: AsyncSession, now: datetime) -> Subscriber:
    profile, proof = Profile(language=Language.ENGLISH), Proof(Method.CHAT, "update 7", now)
    return await subscriptions.join_by_chat(session, CHAT, profile, "I agree in the chat.", proof)


async def _everyone(session: AsyncSession) -> list[Subscriber]:
    return list((await session.exec(select(Subscriber).order_by(col(Subscriber.id)))).all())


async def _start_campaign(session: AsyncSession, now: datetime) -> int:
    texts = {language: Text("s", "", "b") for language in LETTERS}
    draft = Draft("c", Audience(), tuple(Channel), "newsletter", "hash", texts)
    campaign = await campaigns.create(session, draft, now)
    assert campaign.id is not None
    await campaigns.approve(session, campaign.id, now)
    await campaigns.schedule(session, campaign.id, now, "UTC", now)
    assert await campaigns.start(session, campaign.id, LETTERS, now)
    return campaign.id


def _sent(campaign_id: int, reader: Subscriber, now: datetime) -> Delivery:
    return Delivery(
        campaign_id=campaign_id,
        subscriber_id=reader.id,
        channel=Channel.TELEGRAM,
        language=Language.ENGLISH,
        status=Status.SENT,
        due_at=now,
    )


@pytest.mark.parametrize("has_joined", [False, True])
async def test_a_stranger_who_types_a_readers_address_into_the_chat_is_not_joined_with_the_reader(
    database: Database, asked: Request, keyring: Keyring, now: datetime, *, has_joined: bool
) -> None:
    async with database.transaction() as session:
        reader = await _confirm(session, asked, keyring)
        stranger = await _join_by_chat(session, now) if has_joined else None
        confirmed = await _confirm(session, replace(asked, chat_id=CHAT), keyring)
        assert await subscribers.find_by_chat(session, CHAT) is stranger
    assert confirmed.id == reader.id
    assert confirmed.chat_id is None
    assert confirmed.email_consented_at == now


async def test_the_chat_that_asked_first_is_joined_with_the_record_that_the_confirmation_makes(
    database: Database, asked: Request, keyring: Keyring
) -> None:
    async with database.transaction() as session:
        confirmed = await _confirm(session, replace(asked, chat_id=CHAT), keyring)
    assert confirmed.chat_id == CHAT


async def test_the_readers_own_word_makes_one_record_of_two_and_the_register_tells_how(
    database: Database, asked: Request, keyring: Keyring, now: datetime
) -> None:
    before = now - timedelta(days=3)
    async with database.transaction() as session:
        reader = await _confirm(session, asked, keyring)
        await _join_by_chat(session, before)
        by_chat = replace(asked, chat_id=CHAT, proof=Proof(Method.CHAT, "update 8", now))
        await _confirm(session, by_chat, keyring, joins_chat=True)
    async with database.reading() as session:
        [joined] = await _everyone(session)
        lines = await consents.history(session, joined)
    assert (joined.id, joined.chat_id, joined.email_key) == (reader.id, CHAT, "ana@example.org")
    assert (joined.email_consented_at, joined.telegram_consented_at) == (now, before)
    [(brought, text)] = [line for line in lines if line[0].channel is Channel.TELEGRAM]
    assert (brought.action, brought.method, brought.at) == (Action.GRANTED, Method.CHAT, before)
    assert brought.evidence.startswith("update 7; was line 2 of the register; confirmed by the link")
    assert text is not None
    assert text.body == "I agree in the chat."


async def test_the_letters_of_both_records_stay_with_the_one_and_none_goes_out_twice(
    database: Database, asked: Request, keyring: Keyring, now: datetime
) -> None:
    async with database.transaction() as session:
        reader = await _confirm(session, asked, keyring)
        chat = await _join_by_chat(session, now)
        first, second = await _start_campaign(session, now), await _start_campaign(session, now)
        # as after an earlier union: the reader's record has a letter of the second campaign already
        session.add(_sent(second, reader, now))
        query = select(Delivery.subscriber_id).where(col(Delivery.channel) == Channel.TELEGRAM)
        assert sorted(number or 0 for number in (await session.exec(query)).all()) == [
            reader.id,
            chat.id,
            chat.id,
        ]
        await _confirm(session, replace(asked, chat_id=CHAT), keyring, joins_chat=True)
    async with database.reading() as session:
        rows = (await session.exec(select(Delivery))).all()
    told = {(row.campaign_id, row.channel, row.subscriber_id, row.status) for row in rows}
    assert told == {
        (first, Channel.EMAIL, reader.id, Status.QUEUED),
        (first, Channel.TELEGRAM, reader.id, Status.QUEUED),
        (second, Channel.EMAIL, reader.id, Status.QUEUED),
        (second, Channel.TELEGRAM, reader.id, Status.SENT),
        (second, Channel.TELEGRAM, None, Status.SKIPPED),
    }


async def test_a_chat_that_has_its_own_address_stays_with_it(
    database: Database, asked: Request, keyring: Keyring
) -> None:
    async with database.transaction() as session:
        owner = await _confirm(
            session, replace(asked, chat_id=CHAT, address=address_of("bor@example.org")), keyring
        )
        await _confirm(session, asked, keyring)
        reader = await _confirm(session, replace(asked, chat_id=CHAT), keyring, joins_chat=True)
    assert (owner.chat_id, reader.chat_id) == (CHAT, None)
