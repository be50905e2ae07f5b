"""Enrolments: the new are added with their consents, the known stay, nobody who left comes back."""

from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from domain import consents, dossiers, enrolments, gatherings, roster_rows, subscribers, suppressions
from domain.addresses import address_of
from domain.consents import Method, Proof
from domain.database import Database
from domain.enrolments import Source, Tally
from domain.keys import Keyring
from domain.languages import Language
from domain.organisations import Organisation
from domain.refusals import Refusal
from domain.rosters import Roster
from domain.subscribers import Channel, Profile, Subscriber

HEADER = ",".join(roster_rows.COLUMNS)


class Office:
    """Gathers lines and enrols them, as an import does."""

    def __init__(self, database: Database, keyring: Keyring, folder: Path, now: datetime) -> None:
        self._database, self._keyring, self._folder, self._now = database, keyring, folder, now

    async def take(self, *lines: str, origin: str = "first.csv", size: int = 100) -> Tally:
        async with self._database.workbench() as workbench:
            last = await self._gather(workbench, lines)
            total = Tally()
            for first in range(1, last + 1, size):
                async with self._database.transaction(workbench) as session:
                    places = range(first, min(first + size, last + 1))
                    source = Source("I agree", origin)
                    total += await enrolments.enrol(session, places, source, self._now)
            return total

    async def rehearse(self, *lines: str) -> Tally:
        async with self._database.workbench() as workbench:
            await self._gather(workbench, lines)
            async with self._database.aside(workbench) as session:
                return await enrolments.compare(session)

    async def refusals(self, *lines: str) -> list[Refusal]:
        async with self._database.workbench() as workbench:
            await self._gather(workbench, lines)
            async with self._database.aside(workbench) as session:
                return [each async for each in gatherings.refusals(session, list(roster_rows.COLUMNS))]

    async def _gather(self, workbench: AsyncConnection, lines: tuple[str, ...]) -> int:
        path = self._folder / "readers.csv"
        path.write_text("\n".join([HEADER, *lines]), encoding="utf-8")
        roster = Roster(path, frozenset({"events", "policy"}), self._now)
        async with self._database.aside(workbench) as session:
            await gatherings.prepare(session)
            await gatherings.gather(session, list(roster), self._keyring)
            await gatherings.sort(session)
            return (await gatherings.count(session))[0]


@pytest.fixture
def office(database: Database, keyring: Keyring, tmp_path: Path, now: datetime) -> Office:
    return Office(database, keyring, tmp_path, now)


async def _emails(session: AsyncSession) -> list[str | None]:
    return list((await session.exec(select(Subscriber.email).order_by(col(Subscriber.email_key)))).all())


async def test_enrolling_adds_the_new_keeps_the_known_and_revives_nobody(
    database: Database, office: Office, keyring: Keyring, now: datetime
) -> None:
    async with database.transaction() as session:
        hashed = keyring.hash_address("c@example.org")
        await suppressions.suppress(session, hashed, suppressions.Reason.LEFT, now)
    lines = (
        "a@example.org,Ana,Uni,sme,,SI,,sl,events;policy,2026-01-02T10:00:00+02:00",
        "b@example.org,Bor,Uni,sme,,SI,,sl,,",
        "c@example.org,Cene,,,,,,,,",
    )
    assert await office.take(lines[0]) == Tally(added=1)
    assert await office.rehearse(*lines) == Tally(1, 1, 1)
    assert await office.take(*lines, origin="second.csv") == Tally(1, 1, 1)
    assert await office.take(*lines) == Tally(0, 2, 1)
    async with database.reading() as session:
        ana = await subscribers.get(session, address_of("a@example.org"))
        [(consent, text)] = await consents.history(session, ana)
        profile = await subscribers.profile_of(session, ana)
        assert await _emails(session) == ["a@example.org", "b@example.org"]
        assert (await session.exec(select(func.count()).select_from(Organisation))).one() == 1
    assert consent.evidence == "first.csv, line 2"
    assert consent.at.isoformat() == "2026-01-02T08:00:00+00:00"
    assert ana.email_consented_at == consent.at
    assert text is not None
    assert text.body == "I agree"
    assert profile.topics == ("events", "policy")
    assert (profile.name, profile.organisation, profile.target_group) == ("Ana", "Uni", "sme")
    assert (profile.country, profile.language, profile.helix_group) == ("SI", Language.SLOVENIAN, "business")


async def test_a_row_without_a_date_says_so_in_the_register(
    database: Database, office: Office, now: datetime
) -> None:
    await office.take("a@example.org,,,,,,,,,")
    async with database.reading() as session:
        ana = await subscribers.get(session, address_of("a@example.org"))
        [(consent, _)] = await consents.history(session, ana)
    assert "gives no date" in consent.evidence
    assert consent.at == now


async def test_the_newest_word_of_a_person_is_never_overwritten(
    database: Database, office: Office, now: datetime
) -> None:
    async with database.transaction() as session:
        ana = await subscribers.add(session, Profile(language=Language.ITALIAN, name="Ana"), now)
        ana.email, ana.email_key = "ana@example.org", "ana@example.org"
        text = await consents.keep_text(session, "My own words", Language.ITALIAN)
        proof = Proof(Method.WEB, "form", now)
        await consents.grant(session, ana, Channel.EMAIL, text, proof)
        await consents.withdraw(session, ana, Channel.EMAIL, proof)
    assert await office.take("ANA@example.org,Other,,,,SI,,sl,events,2026-11-24") == Tally(known=1)
    async with database.reading() as session:
        ana = await subscribers.get(session, address_of("ana@example.org"))
        assert len(await consents.history(session, ana)) == 2
        profile = await subscribers.profile_of(session, ana)
    assert ana.email_consented_at is None
    assert (profile.name, profile.language, profile.topics) == ("Ana", Language.ITALIAN, ())


async def test_a_known_person_without_a_line_in_the_register_gets_none_by_an_import(
    database: Database, office: Office, now: datetime
) -> None:
    async with database.transaction() as session:
        session.add(Subscriber(email="a@example.org", email_key="a@example.org", created_at=now))
    assert await office.take("a@example.org,,,,,,,,events,") == Tally(known=1)
    async with database.reading() as session:
        ana = await subscribers.get(session, address_of("a@example.org"))
        assert await consents.history(session, ana) == []
        assert await subscribers.topics_of(session, ana) == []


async def test_an_address_that_stands_twice_is_refused_with_the_first_line(
    database: Database, office: Office
) -> None:
    lines = (
        "b@example.org,Bor,,,,,,,,",
        "a@example.org,Ana,,,,,,,,",
        "nobody,,,,,,,,,",
        "A@Example.org,Ana 2,Uni,sme,,SI,Far,sl,policy;events,2026-01-02",
        "a@example.org,Ana 3,,,,,,,,",
    )
    bad, second, third = await office.refusals(*lines)
    assert (bad.line, bad.field, bad.fields[0]) == (4, "email", "nobody")
    told = "email: the same address stands in line 3; keep one"
    assert [(each.line, each.sentence) for each in (second, third)] == [(5, told), (6, told)]
    date = "2026-01-02T00:00:00+00:00"
    assert second.fields == (
        "A@example.org", "Ana 2", "Uni", "sme", "business", "SI", "Far", "sl", "events;policy", date,
    )  # fmt: skip
    assert await office.take(*lines) == Tally(added=2)
    async with database.reading() as session:
        assert (await subscribers.get(session, address_of("a@example.org"))).name == "Ana"


@pytest.mark.parametrize("size", [1, 2, 3, 100])
async def test_slices_of_any_size_store_the_same(database: Database, office: Office, size: int) -> None:
    lines = [
        f"reader{number % 7}@example.org,R{number},Org {number % 3},,,,,,events," for number in range(10)
    ]
    assert await office.take(*lines, size=size) == Tally(added=7)
    async with database.reading() as session:
        assert await _emails(session) == [f"reader{number}@example.org" for number in range(7)]
        names = (await session.exec(select(Organisation.name))).all()
        assert sorted(names) == ["Org 0", "Org 1", "Org 2"]
        lines_of = select(func.count()).select_from(consents.Consent)
        assert (await session.exec(lines_of)).one() == 7


async def test_who_was_erased_leaves_their_number_to_nobody(
    database: Database, office: Office, keyring: Keyring, now: datetime
) -> None:
    await office.take("a@example.org,,,,,,,,,", "b@example.org,,,,,,,,,")
    async with database.transaction() as session:
        last = await subscribers.get(session, address_of("b@example.org"))
        number = last.id
        await dossiers.erase(session, last, keyring, now)
    await office.take("c@example.org,,,,,,,,,")
    async with database.reading() as session:
        new = await subscribers.get(session, address_of("c@example.org"))
    assert new.id is not None
    assert number is not None
    assert new.id > number


async def test_what_is_gathered_is_gone_with_its_connection(database: Database, office: Office) -> None:
    assert await office.rehearse("a@example.org,,,,,,,,,") == Tally(added=1)
    assert await office.rehearse("b@example.org,,,,,,,,,") == Tally(added=1)
    async with database.reading() as session:
        assert await _emails(session) == []
