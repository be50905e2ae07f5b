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
