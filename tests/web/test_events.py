"""Events: lists, one event, and calendars that others can read."""

from datetime import date, timedelta

import httpx
import pytest
from icalendar import Calendar

from domain.database import Database
from domain.events import Access, Event, Kind
from domain.projects import Project


async def test_past_events_come_latest_first_and_the_end_of_the_project_is_told(
    visitor: httpx.AsyncClient, project: Project
) -> None:
    page = (await visitor.get("/events")).text

    assert "INTRA ended on 31 March 2021" in page
    assert page.index("Study visit in Badajoz") < page.index("Kick-off meeting in Maribor")
    assert "December 2016" in page
    assert "18–19 May 2016" in page
    assert "Date not known" in page


async def test_upcoming_events_come_soonest_first(
    visitor: httpx.AsyncClient, database: Database, project: Project
) -> None:
    async with database.transaction() as session:
        session.add_all([_event("later", date(2027, 2, 1)), _event("sooner", date(2026, 12, 1))])

    page = (await visitor.get("/events")).text

    assert page.index("Title of sooner") < page.index("Title of later") < page.index("Kick-off meeting")


def _event(key: str, day: date) -> Event:
    return Event(
        key=key,
        kind=Kind.CONFERENCE,
        access=Access.PUBLIC,
        title={"en": f"Title of {key}"},
        place={"en": "Faro"},
        summary={"en": "It will be good."},
        country="PT",
        starts_on=day,
    )


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=MARIBOR", ["Kick-off"]),
        ("q=visit+spain", ["Badajoz"]),
        ("year=2016", ["Kick-off", "Badajoz"]),
        ("q=badajoz&year=2016", ["Badajoz"]),
        ("q=nothing", []),
        ("year=2017", []),
        ("q=%00", []),
    ],
)
async def test_a_search_shows_what_matches_and_says_when_nothing_does(
    visitor: httpx.AsyncClient, project: Project, query: str, found: list[str]
) -> None:
    page = (await visitor.get(f"/events?language=en&{query}")).text

    assert [word for word in ("Kick-off", "Badajoz") if f"{word}" in page.split("<main")[1]] == found
    assert ("No event matches your search" in page) is not bool(found)


async def test_one_event_is_shown_with_its_sources_and_their_date(
    visitor: httpx.AsyncClient, project: Project
) -> None:
    page = (await visitor.get("/events/kick-off?language=sl")).text

    assert "Uvodno srečanje v Mariboru" in page
    assert 'href="https://intra.example/about"' in page
    assert "31. marec 2021" in page
    assert "Maribor Development Agency, CAPITANK" in page
    assert 'href="/events/kick-off.ics?language=sl"' in page


async def test_a_calendar_covers_the_whole_days(visitor: httpx.AsyncClient, project: Project) -> None:
    answer = await visitor.get("/events/kick-off.ics?language=sl")
    (event,) = Calendar.from_ical(answer.content).walk("VEVENT")

    assert answer.headers["content-type"].startswith("text/calendar")
    assert event.decoded("DTSTART") == date(2016, 5, 18)
    assert event.decoded("DTEND") - event.decoded("DTSTART") == timedelta(days=2)
    assert str(event["SUMMARY"]) == "Uvodno srečanje v Mariboru"
    assert str(event["UID"]) == "kick-off@news.intra.example"
    assert event["URL"] == "https://news.intra.example/events/kick-off?language=sl"


async def test_the_calendar_of_all_holds_the_events_whose_days_are_known(
    visitor: httpx.AsyncClient, project: Project
) -> None:
    events = Calendar.from_ical((await visitor.get("/events.ics")).content).walk("VEVENT")

    assert [str(event["UID"]) for event in events] == ["kick-off@news.intra.example"]


@pytest.mark.parametrize("path", ["badajoz.ics", "never", "never.ics", "%00", "%00.ics", "a%0Ab"])
async def test_what_is_not_there_is_not_found(
    visitor: httpx.AsyncClient, project: Project, path: str
) -> None:
    assert (await visitor.get(f"/events/{path}")).status_code == 404
