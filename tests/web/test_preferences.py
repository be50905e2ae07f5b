"""Preferences: one link, one act, and nothing told to whoever does not hold it."""

import json
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlmodel import select

from domain import subscribers, suppressions
from domain.consents import Consent
from domain.database import Database
from domain.helixes import HelixGroup
from domain.keys import Keyring
from domain.languages import Language
from domain.notices import Kind, Notice
from domain.subscribers import Profile, Subscriber

Queued = Callable[[], Awaitable[list[Notice]]]
Ask = Callable[[], Awaitable[str]]


async def present(database: Database, subscriber: Subscriber) -> Subscriber | None:
    async with database.reading() as session:
        return await session.get(Subscriber, subscriber.id)


async def test_known_and_unknown_addresses_get_the_same_answer(
    visitor: httpx.AsyncClient, reader: Subscriber, queued: Queued
) -> None:
    known = await visitor.post("/preferences", data={"email": "ana@example.org"})
    unknown = await visitor.post("/preferences", data={"email": "new@example.org"})

    assert known.text == unknown.text
    assert known.status_code == unknown.status_code == 200
    assert [(notice.kind, notice.email) for notice in await queued()] == [
        (Kind.PREFERENCES, "ana@example.org")
    ]


async def test_a_mistyped_address_is_named(visitor: httpx.AsyncClient) -> None:
    answer = await visitor.post("/preferences", data={"email": "ana at example"})

    assert answer.status_code == 422
    assert 'value="ana at example"' in answer.text
    assert 'id="email-problem"' in answer.text


async def test_the_holder_sees_their_profile_and_looking_does_not_spend_the_link(
    visitor: httpx.AsyncClient, ask: Ask
) -> None:
    secret = await ask()

    first, second = [await visitor.get(f"/preferences/{secret}") for _ in range(2)]

    assert first.status_code == second.status_code == 200
    assert 'value="Ana Novak"' in first.text
    assert 'value="events" checked' in first.text
    assert "a***@example.org" in first.text
    assert "ana@example.org" not in first.text


async def test_saving_changes_the_profile_and_spends_the_link(
    visitor: httpx.AsyncClient, database: Database, reader: Subscriber, ask: Ask
) -> None:
    address = f"/preferences/{await ask()}"
    changed = {"name": "Ana N.", "language": "sl", "country": "SI", "topics": ["policy"]}

    saved = await visitor.post(address, data=changed)
    again = await visitor.post(address, data={"name": "Somebody else"})

    assert (saved.status_code, again.status_code) == (200, 410)
    assert "Ask for a new link" in saved.text
    assert (await visitor.get(address)).status_code == 410
    async with database.reading() as session:
        profile = await subscribers.profile_of(session, await _fresh(database, reader))
    assert profile == Profile(language=Language.SLOVENIAN, name="Ana N.", country="SI", topics=("policy",))


async def _fresh(database: Database, subscriber: Subscriber) -> Subscriber:
    found = await present(database, subscriber)
    assert found
    return found


async def test_a_mistake_does_not_spend_the_link(
    visitor: httpx.AsyncClient, database: Database, reader: Subscriber, ask: Ask
) -> None:
    address = f"/preferences/{await ask()}"

    refused = await visitor.post(address, data={"name": "x" * 300})

    assert refused.status_code == 422
    assert "x" * 300 in refused.text
    assert (await visitor.post(address, data={"name": "Ana N."})).status_code == 200
    assert (await _fresh(database, reader)).name == "Ana N."


async def test_a_helix_group_from_an_import_is_kept_unless_the_holder_changes_it(
    visitor: httpx.AsyncClient, database: Database, reader: Subscriber, ask: Ask
) -> None:
    async with database.transaction() as session:
        found = await session.get(Subscriber, reader.id)
        assert found
        found.helix_group = HelixGroup.ACADEMIA
    address = f"/preferences/{await ask()}"

    page = (await visitor.get(address)).text
    chosen = re.search(r'<option value="([^"]+)" selected>Academia', page)
    assert chosen
    await visitor.post(address, data={"target_group": chosen[1]})

    assert (await _fresh(database, reader)).helix_group is HelixGroup.ACADEMIA


async def test_leaving_stops_the_letters_and_spends_the_link(
    visitor: httpx.AsyncClient, database: Database, reader: Subscriber, keyring: Keyring, ask: Ask
) -> None:
    address = f"/preferences/{await ask()}"

    assert (await visitor.post(f"{address}/leave")).status_code == 200
    assert (await visitor.post(f"{address}/leave")).status_code == 410

    assert (await _fresh(database, reader)).email_consented_at is None


async def test_the_copy_holds_what_we_know_and_nobody_stores_it(visitor: httpx.AsyncClient, ask: Ask) -> None:
    address = f"/preferences/{await ask()}"

    copy = await visitor.post(f"{address}/copy")

    assert copy.headers["content-type"] == "application/json"
    assert copy.headers["content-disposition"] == 'attachment; filename="my-data.json"'
    assert copy.headers["cache-control"] == "no-store"
    dossier = json.loads(copy.text)
    assert (dossier["email"], dossier["organisation"]) == ("ana@example.org", "MDA")
    assert [line["action"] for line in dossier["consents"]] == ["granted"]
    assert (await visitor.post(f"{address}/copy")).status_code == 410


async def test_erasing_needs_the_tick_and_leaves_only_a_suppression(
    visitor: httpx.AsyncClient, database: Database, reader: Subscriber, service: Any, ask: Ask
) -> None:
    address = f"/preferences/{await ask()}"

    assert (await visitor.post(f"{address}/erase")).status_code == 422
    assert await present(database, reader)
    assert (await visitor.post(f"{address}/erase", data={"sure": "yes"})).status_code == 200

    async with database.reading() as session:
        assert (await session.exec(select(Subscriber))).all() == []
        assert (await session.exec(select(Consent))).all() == []
        kept = await suppressions.find(session, service.keyring.hash_address("ana@example.org"))
    assert kept
    assert kept.reason is suppressions.Reason.ERASED


@pytest.mark.parametrize("act", ["", "/leave", "/copy", "/erase"])
async def test_an_old_or_invented_link_opens_nothing(
    visitor: httpx.AsyncClient, database: Database, reader: Subscriber, ask: Ask, clock: Any, act: str
) -> None:
    secret = await ask()
    clock.advance(timedelta(hours=2, seconds=1))

    for link in (secret, "invented", "%00"):
        answer = await visitor.post(f"/preferences/{link}{act}", data={"sure": "yes"})
        assert answer.status_code == 410
        assert "Ask for a new link" in answer.text
        assert "Novak" not in answer.text
    assert (await _fresh(database, reader)).email_consented_at


async def test_a_confirmation_link_is_no_preferences_link(
    visitor: httpx.AsyncClient, subscribe: Any, reader: Subscriber, queued: Queued
) -> None:
    await subscribe()

    assert (await visitor.get(f"/preferences/{(await queued())[0].payload['secret']}")).status_code == 410


async def test_the_link_of_a_letter_sends_one_to_the_preferences_to_its_owner_only(
    visitor: httpx.AsyncClient, reader: Subscriber, service: Any, queued: Queued
) -> None:
    assert reader.id
    token = service.keyring.sign_unsubscribe(reader.id)

    answer = await visitor.post(f"/preferences/by-token/{token}")
    erased = await visitor.post(f"/preferences/by-token/{service.keyring.sign_unsubscribe(999)}")
    forged = await visitor.post(f"/preferences/by-token/{token[:-1]}x")

    assert (answer.status_code, erased.status_code, forged.status_code) == (200, 200, 404)
    assert answer.text == erased.text
    assert "example.org" not in answer.text
    assert [notice.email for notice in await queued()] == ["ana@example.org"]
