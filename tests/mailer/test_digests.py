"""Digests fill themselves: in every language, with nothing private, and not at all when nothing is new."""

import email
from datetime import date, datetime, timedelta
from email import policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import campaigns, questions, schedules
from domain.addresses import address_of
from domain.audiences import Audience
from domain.campaigns import Draft, Reason, Status, Text
from domain.events import Access, Event, Kind
from domain.items import Item, ItemText
from domain.languages import Language
from domain.projects import Document
from domain.recurrences import parse
from domain.subscribers import Channel
from mailer import digests, previews
from mailer.tickers import Ticker
from tests.mailer.offices import Office
from wording import markdown
from wording.placeholders import Placeholders

DAY = timedelta(days=1)
HOSTILE = "Visit *now* {{ subscriber.name }} {% raw %} <b>[x](javascript:1)</b>"


async def _digest(office: Office, intro: str = "Hello {{ subscriber.first_name }}.") -> int:
    """Create and approve a digest in English and Slovenian."""
    texts = {
        Language.ENGLISH: Text("What is new", "", intro),
        Language.SLOVENIAN: Text("Novosti", "", ""),
    }
    draft = Draft("digest", Audience(), (Channel.EMAIL,), digests.TEMPLATE, "hash", texts)
    async with office.database.transaction() as session:
        number = (await campaigns.create(session, draft, office.clock())).id
        assert number is not None
        await campaigns.approve(session, number, office.clock())
    return number


async def _add_event(office: Office, title: str = "Study visit", **more: str) -> None:
    async with office.database.transaction() as session:
        session.add(
            Event(
                key="visit",
                kind=Kind.STUDY_VISIT,
                access=Access.PUBLIC,
                title={"en": title, **more},
                place={"en": "Faro", "sl": "Faro"},
                summary={},
                starts_on=date(2027, 5, 1),
                ends_on=date(2027, 5, 2),
                added_at=office.clock(),
            )
        )


async def _add_item(office: Office, number: int = 1, fingerprint: str = "x", title: str = "Budget") -> None:
    sources = [{"title": "Report", "url": "https://example.org/a_b(c)"}]
    async with office.database.transaction() as session:
        item = Item(
            key=f"item-{number}",
            topic="t",
            sources=sources,
            fingerprint=fingerprint,
            changed_at=office.clock(),
        )
        session.add(item)
        await session.flush()
        assert item.id is not None
        body = "It was [large](https://example.org/).\n\nMore below."
        session.add(ItemText(item_id=item.id, language=Language.ENGLISH, title=title, body=body))


async def _preview(office: Office, campaign: int, address: str) -> str:
    async with office.database.reading() as session:
        raw = await previews.preview(
            session, office.stationery, campaign, address_of(address), office.clock()
        )
    part = email.message_from_bytes(raw, policy=policy.default).get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


async def _repeat(office: Office, campaign: int) -> None:
    async with office.database.transaction() as session:
        await schedules.create(session, campaign, parse("every day 09:00"), "UTC", office.clock())


async def _tick(office: Office, at: datetime) -> campaigns.Campaign:
    """Let a moment come, and return the newest campaign."""
    office.clock.at = at
    await Ticker(office.database, office.stationery, office.clock).tick()
    async with office.database.reading() as session:
        return (await campaigns.listing(session))[0]


async def test_a_digest_tells_in_the_readers_language_and_marks_what_is_only_in_english(
    office: Office,
) -> None:
    await office.add_reader("ana@example.org", "Ana", Language.SLOVENIAN)
    await office.add_reader("bor@example.org", "Bor")
    await _add_event(office, sl="Študijski obisk")
    await _add_item(office)
    async with office.database.transaction() as session:
        texts = {"en": "Handbook", "sl": "Priročnik"}
        session.add(
            Document(
                key="d", title=texts, about={}, published="2026-11", pages=3, url="https://example.org/d",
                added_at=office.clock(),
            )
        )  # fmt: skip
    campaign = await _digest(office)
    english = await _preview(office, campaign, "bor@example.org")
    slovenian = await _preview(office, campaign, "ana@example.org")
    assert "Hello Bor." in english
    assert (
        "Events to come\n\n- Study visit (https://intra.example.org/events/visit?language=en) · new"
        in english
    )
    assert "1–2 May 2027, Faro" in english
    assert "Handbook (https://example.org/d), November 2026, 3 pages" in english
    assert "Budget\nIt was large (https://example.org/). Report (https://example.org/a_b(c))" in english
    assert "More below" not in english
    assert "(in English)" not in english
    assert "Prihajajoči dogodki\n\n- Študijski obisk (https" in slovenian
    assert "1.–2. maj 2027, Faro" in slovenian
    assert "Priročnik (https://example.org/d), november 2026, 3 strani" in slovenian
    assert "Budget (v angleščini)\n" in slovenian
    assert "Hello" not in slovenian


async def test_the_next_issue_tells_what_came_since_and_one_without_news_is_passed_over(
    office: Office,
) -> None:
    await office.add_reader("bor@example.org")
    await _add_item(office)
    await _repeat(office, await _digest(office))
    first = await _tick(office, office.clock() + DAY)
    assert first.status is Status.SENDING
    second = await _tick(office, office.clock() + DAY)
    assert (second.status, second.reason, second.audience_size) == (
        Status.CANCELLED,
        Reason.NOTHING_NEW,
        0,
    )
    await _add_item(office, 2, title="Calendar")
    third = await _tick(office, office.clock() + DAY)
    assert third.status is Status.SENDING
    assert third.id is not None
    async with office.database.reading() as session:
        texts = await campaigns.variants(session, third.id)
        frozen = await campaigns.letter(session, third.id, Language.ENGLISH)
    body = texts[Language.ENGLISH].body
    assert "Calendar" in body, "the archive and the chat get what was sent"
    assert "Budget" not in body
    assert "Calendar" in frozen["html"]
    assert texts[Language.ENGLISH].intro == "Hello {{ subscriber.first_name }}."


async def test_news_that_a_passed_over_issue_did_not_tell_is_told_by_the_next(office: Office) -> None:
    await office.add_reader("bor@example.org")
    await _repeat(office, await _digest(office))
    skipped = await _tick(office, office.clock() + DAY)
    assert skipped.reason is Reason.NOTHING_NEW
    office.clock.move(-timedelta(hours=1))
    await _add_item(office)  # its import began before the issue that was passed over
    assert (await _tick(office, office.clock() + DAY + timedelta(hours=1))).status is Status.SENDING


async def test_a_digest_that_is_sent_once_looks_back_thirty_days(office: Office) -> None:
    await office.add_reader("bor@example.org")
    await _add_item(office, 1, title="Older")
    office.clock.move(31 * DAY)
    await _add_item(office, 2, title="Newer")
    campaign = await _digest(office)
    text = await _preview(office, campaign, "bor@example.org")
    assert "Newer" in text
    assert "Older" not in text


async def test_a_preview_without_news_says_that_nothing_would_go_out(office: Office) -> None:
    await office.add_reader("bor@example.org", "Bor")
    text = await _preview(office, await _digest(office), "bor@example.org")
    assert "Hello Bor.\n\nNothing is new at the moment: this letter would not go out." in text


async def test_what_the_team_answered_is_told_and_no_question_of_anybody(office: Office) -> None:
    await office.add_reader("bor@example.org")
    await _add_item(office, fingerprint="", title="Can firms apply?")
    async with office.database.transaction() as session:
        asked = await questions.record(
            session,
            chat_id=7,
            language=Language.ENGLISH,
            text="I am ill, may I still come?",
            outcome="unknown",
            item_key=None,
            now=office.clock(),
        )
        await questions.ask_team(session, asked.id or 0, 7, office.clock())
    text = await _preview(office, await _digest(office), "bor@example.org")
    assert "Questions that the team answered\n\nCan firms apply?" in text
    assert "ill" not in text


async def test_a_long_section_ends_with_how_much_more_there_is(office: Office) -> None:
    await office.add_reader("bor@example.org")
    for number in range(digests.MOST + 2):
        await _add_item(office, number, title=f"Item {number}")
    text = await _preview(office, await _digest(office), "bor@example.org")
    assert text.count("It was large") == digests.MOST
    assert "and 2 more" in text


async def test_titles_are_words_and_neither_fields_nor_markup(office: Office) -> None:
    await office.add_reader("bor@example.org", "Bor")
    await _add_event(office, title=HOSTILE)
    campaign = await _digest(office)
    assert HOSTILE in await _preview(office, campaign, "bor@example.org")
    async with office.database.reading() as session:
        found = (await campaigns.progress(session, campaign)).campaign
        written = await digests.write(session, office.stationery, found, office.clock())
    html = markdown.to_html(written.texts[Language.ENGLISH].body)
    assert 'href="javascript' not in html
    assert "<b>" not in html


@pytest.mark.parametrize(
    "text", ["1. maj 2027", "- dash", "+ plus", "=====", "# one", "> said", "12) twelve"]
)
@pytest.mark.parametrize("above", ["Title\\\n", "- Title\\\n  "])
def test_no_text_begins_a_list_or_a_heading(text: str, above: str) -> None:
    assert markdown.to_text(f"{above}{digests.escape(text)}").endswith(f"Title\n{text}")


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=60))
def test_an_escaped_text_shows_itself_and_holds_no_field(text: str) -> None:
    escaped = digests.escape(f"x{text}x")
    words = " ".join(f"x{text}x".split())
    assert Placeholders(escaped).hide(escaped, field="body") == escaped
    assert markdown.to_text(escaped) == words
