"""Leaving by the link in a letter, as machines do it (RFC 8058) and as people do."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import col, select

from domain import dossiers, subscriptions
from domain.consents import Action, Consent, Method, Proof
from domain.database import Database
from domain.keys import Keyring
from domain.sites import ServiceSettings
from domain.subscribers import Channel, Subscriber

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def link(service: ServiceSettings, reader: Subscriber) -> str:
    assert reader.id
    return f"/unsubscribe/{service.keyring.sign_unsubscribe(reader.id)}"


async def register(database: Database) -> list[tuple[Action, Method]]:
    async with database.reading() as session:
        lines = (await session.exec(select(Consent).order_by(col(Consent.id)))).all()
        return [(line.action, line.method) for line in lines]


JOINED = (Action.GRANTED, Method.WEB)


@pytest.mark.parametrize(
    "encoding",
    [
        {"data": ONE_CLICK},
        {"files": {"List-Unsubscribe": (None, "One-Click")}},
        {"content": b"List-Unsubscribe=One-Click", "headers": {"Content-Type": "multipart/form-data"}},
    ],
    ids=["urlencoded", "multipart", "multipart without a boundary"],
)
async def test_a_machine_leaves_with_one_post_and_twice_is_fine(
    visitor: httpx.AsyncClient, database: Database, link: str, encoding: dict[str, Any]
) -> None:
    answers = [await visitor.post(link, **encoding) for _ in range(2)]

    for answer in answers:
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers
        assert "location" not in answer.headers
        assert answer.headers["content-type"].startswith("text/plain")
    assert await register(database) == [JOINED, (Action.WITHDRAWN, Method.ONE_CLICK)]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_looking_changes_nothing_and_tells_nothing(
    visitor: httpx.AsyncClient, database: Database, link: str, method: str
) -> None:
    answer = await visitor.request(method, link)

    assert answer.status_code == 200
    assert await register(database) == [JOINED]
    for secret in ("ana", "Novak", "MDA", "example.org"):
        assert secret not in answer.text


async def test_a_person_leaves_by_the_button_and_takes_it_back(
    visitor: httpx.AsyncClient, database: Database, link: str
) -> None:
    left = await visitor.post(link)
    assert f'action="{link}/undo?language=en"' in left.text

    back, again = await visitor.post(f"{link}/undo"), await visitor.post(f"{link}/undo")

    assert "Welcome back" in back.text
    assert "cannot be taken back" in again.text
    assert await register(database) == [JOINED, (Action.WITHDRAWN, Method.WEB), JOINED]


async def test_a_forwarded_letter_brings_nobody_back_who_left_in_another_way(
    visitor: httpx.AsyncClient, database: Database, reader: Subscriber, keyring: Keyring, link: str, now: Any
) -> None:
    async with database.transaction() as session:
        left = await session.get(Subscriber, reader.id)
        assert left
        await subscriptions.leave(session, left, list(Channel), Proof(Method.CHAT, "update 9", now), keyring)

    assert "cannot be taken back" in (await visitor.post(f"{link}/undo")).text
    assert await register(database) == [JOINED, (Action.WITHDRAWN, Method.CHAT)]


async def test_after_an_hour_there_is_no_way_back_but_the_form(
    visitor: httpx.AsyncClient, database: Database, link: str, clock: Any
) -> None:
    await visitor.post(link)
    clock.advance(timedelta(hours=1, seconds=1))

    answer = await visitor.post(f"{link}/undo")

    assert "cannot be taken back" in answer.text
    assert 'href="/subscribe?' in answer.text
    assert len(await register(database)) == 2


async def test_a_link_works_for_somebody_who_was_erased(
    visitor: httpx.AsyncClient, database: Database, reader: Subscriber, keyring: Keyring, link: str, now: Any
) -> None:
    before = await visitor.get(link)
    async with database.transaction() as session:
        subscriber = await session.get(Subscriber, reader.id)
        assert subscriber
        await dossiers.erase(session, subscriber, keyring, now)

    assert (await visitor.post(link, data=ONE_CLICK)).status_code == 200
    assert (await visitor.get(link)).text == before.text
    assert (await visitor.post(link)).status_code == 200
    assert "cannot be taken back" in (await visitor.post(f"{link}/undo")).text


@pytest.mark.parametrize(
    "token", ["1-00000000000000000000000000000000", "1", "x", "1-", "%00", "9" * 30 + "-0"]
)
async def test_a_forged_link_is_explained_and_changes_nothing(
    visitor: httpx.AsyncClient, database: Database, reader: Subscriber, token: str
) -> None:
    address = f"/unsubscribe/{token}"

    answers = [
        await visitor.get(address),
        await visitor.post(address, data=ONE_CLICK),
        await visitor.post(f"{address}/undo"),
    ]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert all("We do not know this link" in answer.text for answer in answers)
    assert await register(database) == [JOINED]


@given(token=st.text(max_size=60), number=st.integers(min_value=0, max_value=10**18))
def test_only_the_token_that_was_signed_is_read(token: str, number: int) -> None:
    keyring = Keyring("a-key-for-the-tests-only-0123456789")
    signed = keyring.sign_unsubscribe(number)

    assert keyring.read_unsubscribe(signed) == number
    assert keyring.read_unsubscribe(token) is None
    assert keyring.read_unsubscribe(signed[:-1]) is None
    assert keyring.read_unsubscribe(f"0{signed}") is None
