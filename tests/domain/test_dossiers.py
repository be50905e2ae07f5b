"""A person sees everything, and after erasure nothing but a keyed hash and anonymous counts is left."""

from dataclasses import replace
from datetime import datetime

from sqlmodel import select

from domain import chats, dossiers, questions, subscribers, subscriptions, suppressions
from domain.addresses import address_of
from domain.consents import Consent, Method, Proof
from domain.database import Database
from domain.keys import Keyring
from domain.languages import Language
from domain.notices import Notice
from domain.questions import Question
from domain.subscribers import Profile, Subscriber
from domain.subscriptions import Request
from domain.tokens import Token


async def test_a_dossier_tells_what_was_agreed_and_asked(database: Database, now: datetime) -> None:
    profile = Profile(language=Language.ENGLISH, name="Ana", organisation="Uni")
    async with database.transaction() as session:
        reader = await subscriptions.join_by_chat(
            session, 7, profile, "I agree.", Proof(Method.CHAT, "update 1", now)
        )
        await questions.record(
            session,
            chat_id=7,
            language=Language.ENGLISH,
            text="Who leads?",
            outcome="answer",
            item_key=None,
            now=now,
        )
        dossier = await dossiers.collect(session, reader)
    assert dossier["organisation"] == "Uni"
    assert dossier["consents"][0]["text"] == "I agree."
    assert dossier["questions"][0]["text"] == "Who leads?"


async def test_erasing_leaves_a_hash_and_no_address(
    database: Database, asked: Request, keyring: Keyring, now: datetime
) -> None:
    async with database.transaction() as session:
        await subscriptions.request(session, asked, keyring)
        [letter] = (await session.exec(select(Notice))).all()
        reader = await subscriptions.confirm(session, letter.payload["secret"], now)
        reader.chat_id = 7
        await chats.find_or_add(session, 7, Language.ENGLISH, now)
        await dossiers.erase(session, reader, keyring, now)
        for table in (Subscriber, Consent, Notice, Token):
            assert (await session.exec(select(table))).all() == []
        kept = await suppressions.find(session, keyring.hash_address(asked.address.key))
    assert kept is not None
    assert kept.reason is suppressions.Reason.ERASED


async def test_erasing_finds_the_letters_of_an_address_with_other_letters_than_ascii(
    database: Database, asked: Request, keyring: Keyring, now: datetime
) -> None:
    async with database.transaction() as session:
        await subscriptions.request(session, replace(asked, address=address_of("Žana@example.org")), keyring)
        [letter] = (await session.exec(select(Notice))).all()
        reader = await subscriptions.confirm(session, letter.payload["secret"], now)
        await dossiers.erase(session, reader, keyring, now)
        assert (await session.exec(select(Notice))).all() == []


async def test_an_erased_chat_keeps_no_words(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        await questions.record(
            session,
            chat_id=7,
            language=Language.ENGLISH,
            text="secret",
            outcome="unknown",
            item_key=None,
            now=now,
        )
        await dossiers.erase_chat(session, 7)
        [asked] = (await session.exec(select(Question))).all()
    assert (asked.text, asked.chat_id) == ("", None)


async def test_an_erased_persons_number_is_never_given_to_another(
    database: Database, asked: Request, keyring: Keyring, now: datetime
) -> None:
    async with database.transaction() as session:
        first = await subscribers.add(session, asked.profile, now)
        await dossiers.erase(session, first, keyring, now)
        second = await subscribers.add(session, asked.profile, now)
    assert second.id != first.id
