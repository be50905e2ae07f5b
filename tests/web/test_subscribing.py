"""Subscribing: the same answer for everyone, and nothing before the button is pressed."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlmodel import col, select

from domain import subscriptions, suppressions
from domain.addresses import address_of
from domain.consents import Consent, ConsentText, Method, Proof
from domain.database import Database
from domain.helixes import HelixGroup, TargetGroup
from domain.keys import Keyring
from domain.languages import Language
from domain.notices import Kind, Notice
from domain.projects import Project
from domain.subscribers import Profile, Subscriber, SubscriberTopic
from domain.subscriptions import Request
from domain.tokens import Token

Subscribe = Callable[..., Awaitable[httpx.Response]]
Queued = Callable[[], Awaitable[list[Notice]]]


async def everyone(database: Database) -> list[Subscriber]:
    async with database.reading() as session:
        return list((await session.exec(select(Subscriber))).all())


async def secret_in(queued: Queued) -> str:
    return str((await queued())[-1].payload["secret"])


async def test_a_person_subscribes_and_confirms(
    visitor: httpx.AsyncClient, database: Database, project: Project, subscribe: Subscribe, queued: Queued
) -> None:
    answer = await subscribe(
        "sl",
        name="  Ana   Novak ",
        organisation="MDA",
        target_group="sme",
        country="SI",
        topics=["policy", "never-offered"],
    )

    assert answer.status_code == 200
    (notice,) = await queued()
    assert (notice.kind, notice.email, notice.language) == (
        Kind.CONFIRM,
        "ana@example.org",
        Language.SLOVENIAN,
    )
    assert await everyone(database) == []

    done = await visitor.post(f"/confirm/{notice.payload['secret']}")

    assert done.status_code == 200
    (subscriber,) = await everyone(database)
    assert (subscriber.name, subscriber.country, subscriber.email_consented_at is not None) == (
        "Ana Novak",
        "SI",
        True,
    )
    assert (subscriber.target_group, subscriber.helix_group) == (TargetGroup.SME, HelixGroup.BUSINESS)
    async with database.reading() as session:
        assert (await session.exec(select(SubscriberTopic.topic))).all() == ["policy"]


async def test_the_register_keeps_the_words_that_were_on_the_screen_in_their_language(
    visitor: httpx.AsyncClient, database: Database, project: Project, subscribe: Subscribe, queued: Queued
) -> None:
    await subscribe("en", language="it")
    await visitor.post(f"/confirm/{await secret_in(queued)}")

    async with database.reading() as session:
        query = select(Consent, ConsentText).join(ConsentText, col(ConsentText.id) == col(Consent.text_id))
        consent, text = (await session.exec(query)).one()
    assert text.language is Language.ENGLISH
    assert text.body in (await visitor.get("/subscribe?language=en")).text
    assert "INTRA" in text.body
    assert "CAPITANK" in text.body
    assert "/subscribe" in consent.evidence


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_looking_at_the_link_changes_nothing(
    visitor: httpx.AsyncClient, database: Database, subscribe: Subscribe, queued: Queued, method: str
) -> None:
    await subscribe()
    secret = await secret_in(queued)

    answers = [await visitor.request(method, f"/confirm/{secret}") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert await everyone(database) == []
    async with database.reading() as session:
        assert (await session.exec(select(Token))).one().used_at is None


@pytest.mark.parametrize("ticked", [False, True])
async def test_a_chat_is_joined_with_a_known_reader_only_by_the_readers_own_tick(
    visitor: httpx.AsyncClient,
    database: Database,
    keyring: Keyring,
    reader: Subscriber,
    queued: Queued,
    now: datetime,
    *,
    ticked: bool,
) -> None:
    profile = Profile(language=Language.ENGLISH)
    asked = Request(
        address_of("ana@example.org"), profile, "I agree.", Proof(Method.CHAT, "a test", now), chat_id=4711
    )
    async with database.transaction() as session:
        await subscriptions.request(session, asked, keyring)
    link = f"/confirm/{await secret_in(queued)}"

    page = (await visitor.get(link)).text
    answer = await visitor.post(link, data={"joins_chat": "yes"} if ticked else {})

    assert '<input type="checkbox" name="joins_chat" value="yes" aria' in page
    assert "This was me" in page
    assert answer.status_code == 200
    (found,) = await everyone(database)
    assert (found.id, found.chat_id) == (reader.id, 4711 if ticked else None)


async def test_a_request_from_our_page_is_offered_no_chat(
    visitor: httpx.AsyncClient, reader: Subscriber, subscribe: Subscribe, queued: Queued
) -> None:
    await subscribe()

    assert "joins_chat" not in (await visitor.get(f"/confirm/{await secret_in(queued)}")).text


async def test_a_second_click_is_told_kindly_what_happened(
    visitor: httpx.AsyncClient, database: Database, subscribe: Subscribe, queued: Queued
) -> None:
    await subscribe()
    secret = await secret_in(queued)
    await visitor.post(f"/confirm/{secret}")

    again, look = await visitor.post(f"/confirm/{secret}"), await visitor.get(f"/confirm/{secret}")

    assert again.status_code == look.status_code == 410
    assert "This link has done its work" in again.text
    assert "This link has done its work" in look.text
    assert len(await everyone(database)) == 1


async def test_an_old_or_invented_link_leads_back_to_the_form(
    visitor: httpx.AsyncClient, subscribe: Subscribe, queued: Queued, clock: Any
) -> None:
    await subscribe()
    secret = await secret_in(queued)
    clock.advance(timedelta(days=8))

    for address in (f"/confirm/{secret}", "/confirm/invented", "/confirm/%00"):
        for answer in (await visitor.get(address), await visitor.post(address)):
            assert answer.status_code == 404
            assert 'href="/subscribe?' in answer.text


async def test_known_unknown_and_suppressed_addresses_get_the_same_answer(
    database: Database,
    keyring: Keyring,
    reader: Subscriber,
    subscribe: Subscribe,
    queued: Queued,
    now: datetime,
) -> None:
    async with database.transaction() as session:
        marked = keyring.hash_address("off@example.org")
        await suppressions.suppress(session, marked, suppressions.Reason.LEFT, now)

    addresses = ("ana@example.org", "new@example.org", "off@example.org")
    answers = {address: await subscribe(email=address) for address in addresses}

    assert len({answer.text.replace(address, "…") for address, answer in answers.items()}) == 1
    assert {answer.status_code for answer in answers.values()} == {200}
    assert [notice.email for notice in await queued()] == list(addresses)


async def test_the_fourth_letter_of_a_day_is_not_sent_and_the_answer_is_the_same(
    subscribe: Subscribe, queued: Queued, clock: Any
) -> None:
    answers = [await subscribe() for _ in range(4)]

    assert len({answer.text for answer in answers}) == 1
    assert len(await queued()) == 3

    clock.advance(timedelta(days=1, minutes=1))
    await subscribe()
    assert len(await queued()) == 4


async def test_a_mistake_is_named_and_nothing_typed_is_lost(
    project: Project, subscribe: Subscribe, queued: Queued
) -> None:
    answer = await subscribe(
        email="ana@@example",
        agreed="",
        name="<Ana>",
        organisation="x" * 201,
        target_group="sme",
        country="XX",
        region="Podra\x00vje",
        topics=["policy"],
    )

    assert answer.status_code == 422
    assert await queued() == []
    for field in ("email", "agreed", "organisation", "country", "region"):
        assert f'href="#{field}"' in answer.text
        assert f'id="{field}-problem"' in answer.text
        assert f'aria-invalid="true" aria-describedby="{field}-problem' in answer.text
    for typed in ('value="ana@@example"', 'value="&lt;Ana&gt;"', "x" * 201, 'value="policy" checked'):
        assert typed in answer.text
    assert '<option value="sme" selected>' in answer.text


async def test_consent_to_words_that_have_changed_since_does_not_count(
    subscribe: Subscribe, queued: Queued
) -> None:
    answer = await subscribe(agreed_text="0" * 64)

    assert answer.status_code == 422
    assert "has changed since" in answer.text
    assert await queued() == []


async def test_a_machine_that_fills_the_hidden_field_gets_the_answer_and_nothing_else(
    subscribe: Subscribe, queued: Queued
) -> None:
    honest, machine = await subscribe(), await subscribe(website="https://spam.example")

    assert machine.text == honest.text
    assert len(await queued()) == 1


async def test_an_internationalised_domain_is_stored_as_relays_want_it(
    subscribe: Subscribe, queued: Queued, keyring: Keyring
) -> None:
    await subscribe(email="ana@bücher.example")

    assert (await queued())[0].email == "ana@xn--bcher-kva.example"
