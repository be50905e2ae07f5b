"""Joining needs the person's own click; leaving is easier than joining; nobody is enumerated."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy.exc import DBAPIError
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from domain import consents, notices, subscribers, subscriptions, suppressions
from domain.addresses import Address, address_of
from domain.consents import Consent, Method, Proof
from domain.database import Database
from domain.errors import NotAllowed, NotFound
from domain.helixes import HelixGroup, TargetGroup
from domain.keys import Keyring
from domain.languages import Language
from domain.notices import Notice
from domain.subscribers import Channel, Profile, Subscriber
from domain.subscriptions import Request
from domain.tokens import Purpose, Token


async def _secrets(session: AsyncSession) -> list[str]:
    letters = (await session.exec(select(Notice).where(col(Notice.kind) == notices.Kind.CONFIRM))).all()
    return [letter.payload["secret"] for letter in letters]


async def _join(session: AsyncSession, asked: Request, keyring: Keyring, now: datetime) -> Subscriber:
    await subscriptions.request(session, asked, keyring)
    return await subscriptions.confirm(session, (await _secrets(session))[-1], now)


async def test_asking_stores_no_subscriber_and_confirming_records_the_exact_text(
    database: Database, asked: Request, ana: Address, keyring: Keyring, now: datetime
) -> None:
    async with database.transaction() as session:
        await subscriptions.request(session, asked, keyring)
        assert await subscribers.find(session, ana) is None
        [secret] = await _secrets(session)
    async with database.transaction() as session:
        subscriber = await subscriptions.confirm(session, secret, now)
        [(consent, text)] = await consents.history(session, subscriber)
    assert subscriber.email_consented_at == now
    assert text is not None
    assert text.body == "I agree to letters."
    assert consent.method is Method.WEB


async def test_a_link_works_once_and_says_so(
    database: Database, asked: Request, keyring: Keyring, now: datetime
) -> None:
    async with database.transaction() as session:
        await _join(session, asked, keyring, now)
        [secret] = await _secrets(session)
        with pytest.raises(NotAllowed, match="used before"):
            await subscriptions.confirm(session, secret, now)


async def test_a_link_ends_after_its_time(
    database: Database, asked: Request, keyring: Keyring, now: datetime
) -> None:
    async with database.transaction() as session:
        await subscriptions.request(session, asked, keyring)
        [secret] = await _secrets(session)
        with pytest.raises(NotFound):
            await subscriptions.confirm(session, secret, now + timedelta(days=8))


async def test_a_fourth_letter_in_a_day_is_not_sent_and_nobody_is_told(
    database: Database, asked: Request, keyring: Keyring
) -> None:
    async with database.transaction() as session:
        for _ in range(5):
            await subscriptions.request(session, asked, keyring)
        assert len(await _secrets(session)) == subscriptions.MAILS_PER_DAY


async def test_many_requests_at_once_bring_no_more_letters_than_one_after_the_other(
    database: Database, asked: Request, keyring: Keyring
) -> None:
    async def ask() -> None:
        async with database.transaction() as session:
            await subscriptions.request(session, asked, keyring)

    await asyncio.gather(*(ask() for _ in range(12)))

    async with database.reading() as session:
        assert len(await _secrets(session)) == subscriptions.MAILS_PER_DAY


async def test_the_letters_of_a_day_are_counted_together_whatever_they_are_for(
    database: Database, asked: Request, keyring: Keyring, now: datetime
) -> None:
    async with database.transaction() as session:
        await _join(session, asked, keyring, now)
        for _ in range(3):
            await subscriptions.request_preferences(session, asked.address, Language.ITALIAN, keyring, now)
        kinds = (await session.exec(select(Notice.kind).order_by(col(Notice.id)))).all()
    assert kinds == ["confirm", "welcome", "preferences", "preferences"]


async def test_several_links_of_one_address_can_be_confirmed_at_once(
    database: Database, asked: Request, keyring: Keyring, now: datetime
) -> None:
    async def confirm(secret: str) -> int | None:
        async with database.transaction() as session:
            return (await subscriptions.confirm(session, secret, now)).id

    named = replace(asked, profile=replace(asked.profile, organisation="MDA"))
    async with database.transaction() as session:
        for _ in range(3):
            await subscriptions.request(session, named, keyring)
        secrets = await _secrets(session)

    confirmed = await asyncio.gather(*(confirm(secret) for secret in secrets * 2), return_exceptions=True)

    # How many of the three links come first depends on the order: a newer one spends those before it.
    done = [one for one in confirmed if isinstance(one, int)]
    assert 1 <= len(done) <= 3
    assert len(set(done)) == 1
    assert {type(one) for one in confirmed if not isinstance(one, int)} == {NotAllowed}


async def test_only_a_confirmation_lifts_a_suppression(
    database: Database, asked: Request, keyring: Keyring, now: datetime
) -> None:
    address_hash = keyring.hash_address(asked.address.key)
    async with database.transaction() as session:
        await suppressions.suppress(session, address_hash, suppressions.Reason.LEFT, now)
        await subscriptions.request(session, asked, keyring)
        assert await suppressions.find(session, address_hash) is not None
        await subscriptions.confirm(session, (await _secrets(session))[0], now)
        assert await suppressions.find(session, address_hash) is None


async def test_leaving_twice_is_leaving_once_and_can_be_taken_back_within_the_hour(
    database: Database, asked: Request, keyring: Keyring, now: datetime
) -> None:
    async with database.transaction() as session:
        reader = await _join(session, asked, keyring, now)
        proof = Proof(Method.ONE_CLICK, subscriptions.BY_LINK, now)
        assert await subscriptions.leave(session, reader, [Channel.EMAIL], proof, keyring)
        assert not await subscriptions.leave(session, reader, [Channel.EMAIL], proof, keyring)
        late = now + timedelta(hours=2)
        assert not await subscriptions.undo_leave(session, reader, keyring, late)
        assert await subscriptions.undo_leave(session, reader, keyring, now)
        assert reader.email_consented_at == now
        assert len(await consents.history(session, reader)) == 3


@pytest.mark.parametrize(
    ("method", "evidence"),
    [
        (Method.CHAT, "update 9"),
        (Method.WEB, "the preferences page"),
        (Method.OPERATOR, subscriptions.BY_LINK),
    ],
)
async def test_the_link_of_a_letter_takes_back_no_other_way_of_leaving(
    database: Database, asked: Request, keyring: Keyring, now: datetime, method: Method, evidence: str
) -> None:
    async with database.transaction() as session:
        reader = await _join(session, asked, keyring, now)
        await subscriptions.leave(session, reader, list(Channel), Proof(method, evidence, now), keyring)
        assert not await subscriptions.undo_leave(session, reader, keyring, now)
    assert reader.email_consented_at is None


async def test_taking_it_back_does_not_lift_what_a_mail_server_told_us(
    database: Database, asked: Request, keyring: Keyring, now: datetime
) -> None:
    address_hash = keyring.hash_address(asked.address.key)
    proof = Proof(Method.WEB, subscriptions.BY_LINK, now)
    async with database.transaction() as session:
        reader = await _join(session, asked, keyring, now)
        await subscriptions.leave(session, reader, [Channel.EMAIL], proof, keyring)
        await suppressions.suppress(session, address_hash, suppressions.Reason.COMPLAINED, now)
        assert not await subscriptions.undo_leave(session, reader, keyring, now)
        assert await suppressions.find(session, address_hash) is not None


async def test_the_database_itself_refuses_to_change_the_register(
    database: Database, asked: Request, keyring: Keyring, now: datetime
) -> None:
    async with database.transaction() as session:
        await _join(session, asked, keyring, now)
    with pytest.raises(DBAPIError, match="append-only"):
        async with database.transaction() as session:
            await session.exec(update(Consent).values(evidence="forged"))


async def test_a_chat_and_an_address_become_one_record(
    database: Database, asked: Request, keyring: Keyring, now: datetime
) -> None:
    profile = Profile(language=Language.SLOVENIAN)
    proof = Proof(Method.CHAT, "update 7", now)
    async with database.transaction() as session:
        by_chat = await subscriptions.join_by_chat(session, 4711, profile, "I agree.", proof)
        request = Request(asked.address, asked.profile, asked.consent_text, proof, chat_id=4711)
        confirmed = await _join(session, request, keyring, now)
    assert confirmed.id == by_chat.id
    assert confirmed.telegram_consented_at is not None
    assert confirmed.email_consented_at is not None


async def test_an_unknown_address_gets_no_preferences_letter_but_leaves_the_same_trace(
    database: Database, ana: Address, keyring: Keyring, now: datetime
) -> None:
    async with database.transaction() as session:
        await subscriptions.request_preferences(session, ana, Language.ENGLISH, keyring, now)
        tokens = (await session.exec(select(Token))).all()
        letters = (await session.exec(select(Notice))).all()
    assert [token.purpose for token in tokens] == [Purpose.PREFERENCES]
    assert letters == []


async def test_the_link_to_the_preferences_goes_to_the_stored_address(
    database: Database, asked: Request, keyring: Keyring, now: datetime
) -> None:
    async with database.transaction() as session:
        await _join(session, asked, keyring, now)
        for typed in ("ANA@example.org", "\u00e4na@example.org"):
            await subscriptions.request_preferences(
                session, address_of(typed), Language.ENGLISH, keyring, now
            )
        query = select(Notice.email).where(col(Notice.kind) == notices.Kind.PREFERENCES)
        assert (await session.exec(query)).all() == ["ana@example.org"]


async def test_joining_again_keeps_what_the_chat_never_asks_and_takes_every_other_answer_as_told(
    database: Database, asked: Request, keyring: Keyring, now: datetime
) -> None:
    told = replace(asked.profile, organisation="MDA", region="Podravje", target_group=TargetGroup.OTHER)
    anew = Profile(language=Language.ITALIAN, helix_group=HelixGroup.ACADEMIA)
    async with database.transaction() as session:
        await _join(session, replace(asked, profile=told), keyring, now)
        reader = await _join(session, replace(asked, profile=anew), keyring, now)
        profile = await subscribers.profile_of(session, reader)
    assert profile == replace(anew, name="Ana Novak", organisation="MDA", region="Podravje")


async def test_an_older_link_does_not_undo_newer_words(
    database: Database, asked: Request, keyring: Keyring, now: datetime
) -> None:
    newer = replace(asked, profile=replace(asked.profile, name="Newer"))
    async with database.transaction() as session:
        await subscriptions.request(session, asked, keyring)
        await subscriptions.request(session, newer, keyring)
        first, second = await _secrets(session)
        reader = await subscriptions.confirm(session, second, now)
        with pytest.raises(NotAllowed):
            await subscriptions.confirm(session, first, now)
    assert reader.name == "Newer"


async def test_the_letter_before_the_confirmation_carries_no_words_of_a_stranger(
    database: Database, asked: Request, keyring: Keyring
) -> None:
    hostile = replace(asked, profile=replace(asked.profile, name="Pay at https://evil.example"))
    async with database.transaction() as session:
        await subscriptions.request(session, hostile, keyring)
        [letter] = (await session.exec(select(Notice))).all()
    assert "evil" not in str(letter.payload)
