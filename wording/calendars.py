"""Calendar files of events (RFC 5545), the same for the chat and the pages."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from icalendar import Calendar
from icalendar import Event as Entry

from domain.events import Event, text_in
from domain.languages import Language
from domain.sites import ServiceSettings


def calendar_of(
    events: Iterable[Event], service: ServiceSettings, language: Language, now: datetime
) -> bytes:
    """Return those of the events whose days are known as one calendar, each as whole days."""
    host = urlsplit(service.base_url).hostname or ""
    calendar = Calendar()
    calendar.add("prodid", f"-//Helixpost//{host}//{language.upper()}")
    calendar.add("version", "2.0")
    for event in events:
        if event.starts_on is not None:
            entry = _entry(event, language)
            entry.add("uid", f"{event.key}@{host}")
            entry.add("dtstamp", now)
            entry.add("url", service.url(f"/events/{event.key}?language={language}"))
            calendar.add_component(entry)
    return bytes(calendar.to_ical())


def _entry(event: Event, language: Language) -> Entry:
    entry = Entry()
    assert event.starts_on is not None
    entry.add("dtstart", event.starts_on)
    # A calendar's end is the first day that is free again.
    entry.add("dtend", (event.ends_on or event.starts_on) + timedelta(days=1))
    entry.add("summary", text_in(event.title, language))
    if event.place:
        entry.add("location", text_in(event.place, language))
    if event.summary:
        entry.add("description", text_in(event.summary, language))
    return entry
