"""Audiences: every list narrows, exclusions take out, and only the reachable count."""

from datetime import datetime

import pytest
from sqlmodel.ext.asyncio.session import AsyncSession

from domain import audiences, subscribers
from domain.audiences import Audience
from domain.consents import Method, Proof, grant, keep_text
from domain.database import Database
from domain.helixes import HelixGroup
from domain.languages import Language
from domain.subscribers import Channel, Profile

EMAIL = [Channel.EMAIL]


async def _people(session: AsyncSession, now: datetime) -> None:
    text = await keep_text(session, "I agree", Language.ENGLISH)
    people = {
        "uni": Profile(language=Language.SLOVENIAN, helix_group=HelixGroup.ACADEMIA, country="SI"),
        "firm": Profile(
            language=Language.PORTUGUESE, helix_group=HelixGroup.BUSINESS, country="PT", topics=("events",)
        ),
        "nobody": Profile(language=Language.ENGLISH),
    }
    for name, profile in people.items():
        person = await subscribers.add(session, profile, now)
        person.email = person.email_key = f"{name}@example.org"
        await grant(session, person, Channel.EMAIL, text, Proof(Method.WEB, "test", now))
    silent = await subscribers.add(session, Profile(language=Language.ENGLISH, country="SI"), now)
    silent.email = silent.email_key = "silent@example.org"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["firm", "nobody", "uni"]),
        ({"helix": ["academia", "business"]}, ["firm", "uni"]),
        ({"countries": ["si"]}, ["uni"]),
        ({"topics": ["events"]}, ["firm"]),
        ({"languages": ["en", "sl"]}, ["nobody", "uni"]),
        ({"helix": ["academia"], "countries": ["PT"]}, []),
        ({"exclude": {"countries": ["PT"]}}, ["nobody", "uni"]),
        ({"exclude": {"countries": ["PT"], "topics": ["funding"]}}, ["firm", "nobody", "uni"]),
    ],
)
async def test_an_audience_reaches(
    database: Database, now: datetime, query: dict[str, object], expected: list[str]
) -> None:
    audience = Audience.model_validate(query)
    async with database.transaction() as session:
        await _people(session, now)
        found = await audiences.members(session, audience, EMAIL, limit=10)
        assert sorted((person.email or "").split("@")[0] for person in found) == expected
        assert await audiences.count(session, audience, EMAIL) == len(expected)


async def test_who_may_not_be_written_to_is_counted_as_left_out(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        await _people(session, now)
        assert await audiences.count_left_out(session, Audience(countries=["SI"]), EMAIL) == 1


async def test_a_long_list_is_read_on_from_a_number_or_as_a_sample(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        await _people(session, now)
        everyone = Audience()
        numbers = [person.id or 0 for person in await audiences.members(session, everyone, EMAIL, limit=9)]
        beyond = await audiences.members(session, everyone, EMAIL, limit=9, after=numbers[0])
        even = await audiences.members(session, everyone, EMAIL, limit=9, every=2)
    assert [person.id for person in beyond] == numbers[1:]
    assert [person.id for person in even] == [number for number in numbers if number % 2 == 0]


async def test_the_languages_of_an_audience_are_counted_most_first(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        await _people(session, now)
        second = await subscribers.add(session, Profile(language=Language.SLOVENIAN), now)
        second.email = second.email_key = "second@example.org"
        text = await keep_text(session, "I agree", Language.ENGLISH)
        await grant(session, second, Channel.EMAIL, text, Proof(Method.WEB, "test", now))
        counted = await audiences.count_languages(session, Audience(), EMAIL)
    assert list(counted.items()) == [
        (Language.SLOVENIAN, 2), (Language.ENGLISH, 1), (Language.PORTUGUESE, 1),
    ]  # fmt: skip
    assert all(isinstance(language, Language) for language in counted)
