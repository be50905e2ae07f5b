"""Calendar files for single events (RFC 5545)."""

from datetime import datetime, timedelta
from urllib.parse import urlsplit

from icalendar import Calendar
from icalendar import Event as Entry

from domain.events import Event, text_in
from domain.languages import Language
from domain.sites import ServiceSettings


def calendar_of(event: Event, service: ServiceSettings, language: Language, now: datetime) -> str:
    """Return an event whose days are known as an all-day entry; its end is the first free day again."""
    assert event.starts_on is not None
    host = urlsplit(service.base_url).hostname
    entry = Entry()
    # The web page's calendar says the same, so that a calendar knows the two for one event.
    entry.add("uid", f"{event.key}@{host}")
    entry.add("dtstamp", now)
    entry.add("dtstart", event.starts_on)
    entry.add("dtend", (event.ends_on or event.starts_on) + timedelta(days=1))
    entry.add("summary", text_in(event.title, language))
    if event.place:
        entry.add("location", text_in(event.place, language))
    if event.summary:
        entry.add("description", text_in(event.summary, language))
    entry.add("url", service.url(f"/events/{event.key}?language={language}"))
    calendar = Calendar()
    calendar.add("prodid", f"-//Helixpost//{host}//{language.upper()}")
    calendar.add("version", "2.0")
    calendar.add_component(entry)
    return str(calendar.to_ical(), "utf-8")
