"""Checks: the whole pre-flight of a campaign, on what is in the database."""

from pathlib import Path

import pytest

from domain import campaigns
from domain.audiences import Audience
from domain.campaigns import Draft, Text
from domain.errors import NotFound
from domain.languages import Language
from domain.subscribers import Channel, Subscriber
from mailer import campaign_files
from mailer.checks import Preflight, Report
from mailer.link_checks import LinkChecker
from tests.mailer.offices import Office
from tests.mailer.proofing import PLENTY
from tests.mailer.websites import Page, served

ROOT = Path(__file__).parents[2]
SL = Language.SLOVENIAN
OURS = "settings own_address"
"""The office's own address is one of those reserved for examples."""


def _preflight(office: Office) -> Preflight:
    return Preflight(office.database, office.stationery, office.clock)


def _told(report: Report) -> list[str]:
    return [f"{finding.place} {finding.code}" for finding in report.findings]


async def test_a_good_campaign_gives_nothing_to_mend(office: Office) -> None:
    await office.add_reader("ana@example.org", "Ana", SL)
    campaign = await office.schedule(body=PLENTY, sl=Text("Novice", "Na kratko", PLENTY))
    report = await _preflight(office).check(campaign)
    assert _told(report) == [OURS]
    assert (report.errors, report.tally.checked, report.tally.unfit, report.size) == ([], 1, 0, 1)


async def test_findings_come_whole_campaign_first_then_by_language_with_errors_before_warnings(
    office: Office,
) -> None:
    await office.add_reader("ana@example.org", "Ana", Language.ITALIAN)
    bad = "[here](http://www.europa.eu/) { project.name }}"
    campaign = await office.schedule("{{ subscriber.first_name }}", bad, sl=Text("Novice!!", "", bad))
    report = await _preflight(office).check(campaign)
    assert _told(report) == [
        OURS,
        "en subject empty_subject",
        "en html braces_left",
        "en html insecure_link",
        "en html vague_link",
        "sl html braces_left",
        "sl subject exclamation_marks",
        "sl html insecure_link",
        "sl html vague_link",
        "sl preheader missing_preheader",
        "it letter missing_translation",
    ]
    assert (len(report.errors), len(report.warnings)) == (3, 8)


async def test_a_name_that_breaks_the_subject_is_found_before_anything_is_sent(office: Office) -> None:
    await office.add_reader("ana@example.org", "Ana")
    odd = await office.add_reader("eva@example.org", "E\x07va")
    campaign = await office.schedule("For {{ subscriber.name }}", PLENTY)
    report = await _preflight(office).check(campaign)
    [error] = report.errors
    assert str(error).startswith(f"readers: 1 of 2 copies cannot be made: subscriber {odd.id} (")
    assert [(unfit.subscriber_id, unfit.email) for unfit in report.named] == [(odd.id, "eva@example.org")]
    assert (report.tally.checked, report.tally.unfit) == (2, 1)


async def test_a_letter_that_does_not_come_out_is_told_and_the_others_are_still_looked_at(
    office: Office,
) -> None:
    await office.add_reader("ana@example.org", "Ana", SL)
    campaign = await office.schedule(sl=Text("Novice", "", "{{ subscriber.nickname }}"))
    report = await _preflight(office).check(campaign)
    [error] = report.errors
    assert (error.place.language, error.code) == (SL, "does_not_compile")
    assert "nickname" in error.message
    assert "sl preheader missing_preheader" in _told(report)


async def test_an_empty_audience_is_an_error(office: Office) -> None:
    draft = Draft(
        "issue", Audience(countries=["FR"]), (Channel.EMAIL,), "newsletter", "hash",
        {Language.ENGLISH: Text("News", "", PLENTY)},
    )  # fmt: skip
    async with office.database.transaction() as session:
        campaign = await campaigns.create(session, draft, office.clock())
    report = await _preflight(office).check(campaign.id or 0)
    assert _told(report) == ["audience empty_audience", OURS]
    assert report.tally.checked == 0


async def test_a_campaign_that_has_begun_is_looked_at_as_it_was_frozen(office: Office) -> None:
    await office.add_reader("ana@example.org")
    campaign = await office.schedule(body=PLENTY)
    await office.start(campaign)
    assert _told(await _preflight(office).check(campaign)) == [OURS]


async def test_other_channels_are_made_by_whom_they_belong_to(office: Office) -> None:
    now = office.clock()
    async with office.database.transaction() as session:
        session.add(Subscriber(chat_id=7, telegram_consented_at=now, created_at=now, language=SL))
        draft = Draft(
            "chat", Audience(), (Channel.TELEGRAM,), "newsletter", "hash",
            {Language.ENGLISH: Text("News", "", PLENTY)},
        )  # fmt: skip
        campaign = await campaigns.create(session, draft, now)
    made: list[Language] = []
    ways = {Channel.TELEGRAM: lambda language, _reader: made.append(language)}
    preflight = Preflight(office.database, office.stationery, office.clock, ways)
    report = await preflight.check(campaign.id or 0)
    assert (made, report.tally.checked) == ([Language.ENGLISH], 1)


async def test_progress_is_told_with_its_goal(office: Office) -> None:
    for number in range(9):
        await office.add_reader(f"r{number}@example.org")
    campaign = await office.schedule(body=PLENTY)
    told: list[tuple[int, int]] = []
    await _preflight(office).check(campaign, tell=lambda done, of: told.append((done, of)))
    report = await _preflight(office).check(
        campaign, at_most=3, tell=lambda done, of: told.append((done, of))
    )
    assert told == [(9, 9), (3, 3)]
    assert (report.size, report.tally.checked) == (9, 3)


async def test_pages_are_asked_for_only_when_told_to(office: Office, tmp_path: Path) -> None:
    await office.add_reader("ana@example.org")
    async with served(tmp_path, ["www.intra.eu"]) as site:
        site.pages["/there"] = Page()
        links = f"[one]({site.url('www.intra.eu', '/there')}) [two]({site.url('www.intra.eu', '/gone')})"
        campaign = await office.schedule(body=f"{PLENTY}\n\n{links} [leave]({{{{ unsubscribe_url }}}})")
        preflight = _preflight(office)
        assert _told(await preflight.check(campaign)) == [OURS]
        assert site.visits == []
        checker = LinkChecker(site.door(), agent="x", rest=0)
        assert _told(await preflight.check(campaign, links=checker)) == [OURS, "en html dead_link"]
        assert {visit.path for visit in site.visits} == {"/there", "/gone"}


async def test_a_campaign_that_is_not_there_is_not_found(office: Office) -> None:
    with pytest.raises(NotFound, match="no campaign 99"):
        await _preflight(office).check(99)


async def test_intra_s_welcome_has_nothing_to_mend(office: Office) -> None:
    files = sorted((ROOT / "content/intra/campaigns").glob("*.md"))
    draft = campaign_files.read(files, topics=frozenset(), templates=ROOT / "templates/email")
    for language in Language:
        await office.add_reader(f"{language}@example.org", language=language)
    async with office.database.transaction() as session:
        campaign = await campaigns.create(session, draft, office.clock())
    assert _told(await _preflight(office).check(campaign.id or 0)) == [OURS]
