"""Reader checks: every reader's copy is made once, a slice at a time; who gets none is named by number."""

from itertools import pairwise

import pytest
from sqlmodel import select

from domain.addressees import Addressee
from domain.campaigns import Campaign
from domain.errors import Invalid
from domain.languages import Language
from domain.subscribers import Channel, Subscriber
from mailer import reader_checks
from mailer.findings import Code
from mailer.reader_checks import SLICE, Scope, Tally, Unfit, Way, findings
from tests.mailer.offices import Office

EN, SL = Language.ENGLISH, Language.SLOVENIAN


def _refuse(_language: Language, reader: Addressee) -> None:
    if reader.name:
        raise Invalid("subject", "the character U+0007 cannot stand in a header")


async def _tally(office: Office, way: Way, scope: Scope, channel: Channel = Channel.EMAIL) -> Tally:
    campaign = Campaign(
        name="n", template="newsletter", content_hash="h", created_at=office.clock(), channels=[channel]
    )
    return await reader_checks.make_copies(office.database, campaign, [EN, SL], {channel: way}, scope)


async def _fill(office: Office, count: int) -> None:
    now = office.clock()
    async with office.database.transaction() as session:
        session.add_all(
            Subscriber(
                email=f"r{number}@example.org",
                email_key=f"r{number}@example.org",
                email_consented_at=now,
                created_at=now,
            )
            for number in range(count)
        )


async def test_every_copy_is_made_once_in_the_readers_language_and_with_the_organisation(
    office: Office,
) -> None:
    await office.add_reader("ana@example.org", language=SL, organisation="Inštitut")
    await office.add_reader("eva@example.org", language=Language.ITALIAN)
    made: list[tuple[Language, str, str]] = []

    def note(language: Language, reader: Addressee) -> None:
        made.append((language, reader.email or "", reader.organisation))

    tally = await _tally(office, note, Scope(2))
    assert made == [(SL, "ana@example.org", "Inštitut"), (EN, "eva@example.org", "")]
    assert (tally.checked, tally.unfit, list(findings(tally))) == (2, 0, [])


async def test_a_long_list_is_read_in_slices_and_its_progress_told(office: Office) -> None:
    await _fill(office, 2 * SLICE + 1)
    told: list[int] = []
    seen: list[int | None] = []
    way = lambda _language, reader: seen.append(reader.id)  # noqa: E731
    tally = await _tally(office, way, Scope(2 * SLICE + 1, tell=told.append))
    assert (tally.checked, len(set(seen)), told) == (
        2 * SLICE + 1,
        2 * SLICE + 1,
        [SLICE, 2 * SLICE, 2 * SLICE + 1],
    )


async def test_a_sample_is_spread_over_the_whole_list(office: Office) -> None:
    await _fill(office, 100)
    seen: list[int] = []
    way = lambda _language, reader: seen.append(reader.id)  # noqa: E731
    await _tally(office, way, Scope(100, at_most=10))
    assert len(seen) == 10
    assert {after - before for before, after in pairwise(seen)} == {10}
    assert Scope(100, at_most=1000).every == Scope(100).every == 1


async def test_readers_who_cannot_get_a_copy_are_counted_and_three_are_named(office: Office) -> None:
    for number in range(5):
        await office.add_reader(f"r{number}@example.org", "x\x07")
    await office.add_reader("fine@example.org")
    tally = await _tally(office, _refuse, Scope(6))
    assert (tally.checked, tally.unfit) == (6, 5)
    [found] = findings(tally)
    async with office.database.reading() as session:
        first = (await session.exec(select(Subscriber.id).order_by("id"))).all()[:3]
    named = ", ".join(
        f"{number} (subject: the character U+0007 cannot stand in a header)" for number in first
    )
    assert (found.severity, found.code) == ("error", "unfit_copy")
    assert found.message == f"5 of 6 copies cannot be made: subscriber {named}"
    assert "@" not in found.message
    assert [unfit.email for unfit in tally.examples[Code.UNFIT_COPY]] == [
        "r0@example.org", "r1@example.org", "r2@example.org",
    ]  # fmt: skip


@pytest.mark.parametrize(("checked", "severity"), [(99, "error"), (100, "warning"), (1_000_000, "warning")])
def test_one_strangers_odd_name_does_not_hold_up_a_whole_list(checked: int, severity: str) -> None:
    tally = Tally(checked, unfit=1)
    tally.counts[Code.UNFIT_COPY] = 1
    tally.examples[Code.UNFIT_COPY] = [Unfit(7, "x@example.org", "subject: no")]
    [found] = findings(tally)
    assert (found.severity, found.message) == (
        severity,
        f"1 of {checked:,} copies cannot be made: subscriber 7 (subject: no)",
    )


@pytest.fixture
async def odd_addresses(office: Office) -> None:
    """Addresses that no form of ours lets in, as an older import may have left them."""
    await office.add_reader("ana@example.org")
    stored = [
        "b@exa mple.org",
        "a@example.org,b@example.org",
        "ana@ÉXAMPLE.org",
        "a\x00b@example.org",
        "x..y@example.org",
    ]
    for number, email in enumerate(stored[:3] + stored[4:]):
        reader = await office.add_reader(f"r{number}@example.org")
        async with office.database.transaction() as session:
            reader.email = email
            session.add(reader)


@pytest.mark.usefixtures("odd_addresses")
async def test_an_address_that_cannot_be_sent_to_as_it_is_stored_is_a_warning(office: Office) -> None:
    made: list[str | None] = []
    way = lambda _language, reader: made.append(reader.email)  # noqa: E731
    tally = await _tally(office, way, Scope(5))
    assert (made, tally.checked, tally.unfit) == (["ana@example.org"], 5, 4)
    [found] = findings(tally)
    assert (found.severity, found.code) == ("warning", "unfit_address")
    assert found.message.startswith("4 addresses cannot be sent to: subscriber ")
    assert "it is not stored as it would be sent" in found.message


async def test_an_address_outside_ascii_needs_a_relay_that_knows_it(office: Office) -> None:
    await office.add_reader("špela@example.org")
    await office.add_reader("peter+news@sub.example.org")
    tally = await _tally(office, lambda *_: None, Scope(2))
    assert (tally.unfit, tally.international) == (0, 1)
    [found] = findings(tally)
    assert (found.severity, found.code) == ("warning", "international_address")


async def test_a_chat_is_no_address(office: Office) -> None:
    now = office.clock()
    async with office.database.transaction() as session:
        session.add(Subscriber(chat_id=7, telegram_consented_at=now, created_at=now))
        session.add(Subscriber(chat_id=8, telegram_consented_at=now, created_at=now, name="x"))
    tally = await _tally(office, _refuse, Scope(2), Channel.TELEGRAM)
    assert (tally.checked, tally.unfit) == (2, 1)
