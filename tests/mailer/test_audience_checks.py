"""Audience checks: nobody, a surprise, or a language that was forgotten."""

from datetime import timedelta

import pytest

from domain import campaigns
from domain.audiences import Audience
from domain.campaigns import Campaign, Draft, Text
from domain.languages import Language
from domain.subscribers import Channel
from mailer import audience_checks
from mailer.audience_checks import AudienceFacts, check_preheaders, check_size, check_translations
from tests.mailer.offices import Office

EN, SL, BG = Language.ENGLISH, Language.SLOVENIAN, Language.BULGARIAN
TEXT = Text("News", "In short", "Hello.")


def _facts(letters: int = 1, last: tuple[int, ...] = (), **readers: int) -> AudienceFacts:
    spoken = {Language(code): size for code, size in readers.items()}
    return AudienceFacts(letters, spoken, {EN: TEXT, SL: TEXT}, last)


@pytest.mark.parametrize(
    ("letters", "last", "code"),
    [
        (0, (), "empty_audience"),
        (0, (10,), "empty_audience"),
        (500, (), None),
        (200, (100, 90, 20), None),
        (201, (100, 90, 20), "large_audience"),
        (10, (100, 90, 20), None),
        (9, (100, 90, 20), "small_audience"),
    ],
)
def test_an_audience_is_compared_with_the_last_ones(
    letters: int, last: tuple[int, ...], code: str | None
) -> None:
    found = list(check_size(_facts(letters, last)))
    assert [finding.code for finding in found] == ([code] if code else [])


def test_a_surprise_is_told_with_its_figures() -> None:
    [large] = check_size(_facts(12_345, (100, 90)))
    assert large.message == "12,345 letters would go out, more than twice as many as lately (100, 90)"
    [nobody] = check_size(_facts(0))
    assert (nobody.severity, nobody.message) == ("error", "it matches nobody who may be written to")


def test_a_language_that_readers_chose_and_nobody_wrote_is_told() -> None:
    assert list(check_translations(_facts(en=3, sl=2))) == []
    [missing] = check_translations(_facts(en=3, bg=1200))
    assert (missing.place.language, missing.code) == (BG, "missing_translation")
    assert missing.message == "1,200 who chose Български get the letter in English"


def test_a_preheader_that_one_language_lacks_is_told() -> None:
    bare = Text("News", " ", "Hello.")
    assert list(check_preheaders(AudienceFacts(1, {}, {EN: TEXT, SL: TEXT}, ()))) == []
    assert list(check_preheaders(AudienceFacts(1, {}, {EN: bare, SL: bare}, ()))) == []
    [missing] = check_preheaders(AudienceFacts(1, {}, {EN: TEXT, SL: bare}, ()))
    assert (missing.place.language, missing.code) == (SL, "missing_preheader")


async def _sent(office: Office, sizes: list[int]) -> None:
    async with office.database.transaction() as session:
        for day, size in enumerate(sizes):
            session.add(
                Campaign(
                    name="before",
                    status=campaigns.Status.SENT,
                    template="newsletter",
                    content_hash="hash",
                    created_at=office.clock(),
                    started_at=office.clock() + timedelta(days=day),
                    audience_size=size,
                )
            )


async def test_the_facts_are_those_of_the_database(office: Office) -> None:
    await _sent(office, [1, 2, 3, 4])
    await office.add_reader("ana@example.org", language=SL)
    await office.add_reader("bor@example.org", language=SL)
    both = await office.add_reader("eva@example.org", language=BG)
    await office.schedule()
    draft = Draft("both", Audience(), (Channel.EMAIL, Channel.TELEGRAM), "newsletter", "hash", {EN: TEXT})
    async with office.database.transaction() as session:
        both.chat_id, both.telegram_consented_at = 7, office.clock()
        session.add(both)
        campaign = await campaigns.create(session, draft, office.clock())
    async with office.database.reading() as session:
        facts = await audience_checks.gather(session, campaign)
    assert (facts.letters, facts.size, dict(facts.readers)) == (4, 3, {SL: 2, BG: 1})
    assert (list(facts.last_letters), dict(facts.texts)) == ([4, 3, 2], {EN: TEXT})
