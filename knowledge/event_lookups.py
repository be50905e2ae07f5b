"""Questions about events, answered from the table: next and last, by place, partner, kind and time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlmodel.ext.asyncio.session import AsyncSession

from domain import events, projects
from domain.events import Event, Kind
from domain.projects import Partner, Project
from knowledge.asked import Asked
from knowledge.outcomes import LOOKED_UP, Answer, Outcome, references_of, sources_of
from knowledge.partner_lookups import names_of
from knowledge.words import terms_of
from wording import formats
from wording.texts import Texts

MOST_SHOWN = 8
_KINDS = {
    "meeting": {Kind.MEETING, Kind.STAKEHOLDER_MEETING},
    "study_visit": {Kind.STUDY_VISIT},
    "workshop": {Kind.WORKSHOP},
    "conference": {Kind.CONFERENCE},
    "signing": {Kind.SIGNING},
}
_FRAME = frozenset(
    {"event", "next", "last", "list", "count", "when", "where", "happen", "project", "participate", "find"}
)
_OPENINGS = frozenset({"event", "when", "where", "happen", "next", "last", *_KINDS})


@dataclass(frozen=True, slots=True)
class _Calendar:
    """Everything that event questions are answered from."""

    project: Project
    events: Sequence[Event]
    partners: dict[str, Partner]
    today: date


async def look_up(session: AsyncSession, asked: Asked, texts: Texts, today: date) -> Answer | None:
    """Return the answer to a question about events, or None when the table does not explain all of it."""
    project = await projects.find(session)
    if project is None or not asked.concepts & _OPENINGS:
        return None
    partners = {partner.key: partner for partner in await projects.partners(session)}
    calendar = _Calendar(project, _by_time(await events.listing(session)), partners, today)
    found = _found(asked, calendar)
    if found is None:
        return None
    return _answer(asked, texts, calendar, found)


def _by_time(listed: Sequence[Event]) -> list[Event]:
    """Return the events by time, those without any date at the end."""
    return sorted(listed, key=lambda event: (not event.sort_key, event.sort_key))


def _found(asked: Asked, calendar: _Calendar) -> list[Event] | None:
    """Return the events that are asked about, by time; None when this is no question about events."""
    kinds = [_KINDS[concept] for concept in asked.concepts if concept in _KINDS]
    rest = asked.rest(_FRAME)
    narrowed = rest - {f"#{kind}" for kind in _KINDS}
    about_all = not narrowed and ("event" in asked.concepts or bool(kinds))
    if not about_all and not narrowed:
        return _by_time_alone(asked, calendar)
    found = [event for event in calendar.events if narrowed <= _terms(event, asked, calendar)]
    if kinds:
        found = [
            event
            for event in found
            if any(event.kind in kind for kind in kinds) or rest <= _titled(event, asked)
        ]
    found = [event for event in found if _in_time(event, asked)]
    return found or (None if not about_all else [])


def _by_time_alone(asked: Asked, calendar: _Calendar) -> list[Event] | None:
    """Answer "what happened in May 2018?": a time and nothing else."""
    if "happen" not in asked.concepts or not asked.years:
        return None
    return [event for event in calendar.events if _in_time(event, asked)] or None


def _titled(event: Event, asked: Asked) -> frozenset[str]:
    return terms_of(events.text_in(event.title, asked.language), asked.language) | terms_of(
        events.text_in(event.place, asked.language), asked.language
    )


def _terms(event: Event, asked: Asked, calendar: _Calendar) -> frozenset[str]:
    """Return every term by which an event may be called: title, place, country and, for few, hosts."""
    language = asked.language
    country = formats.country(event.country, language) if event.country else ""
    hosts = [calendar.partners[key] for key in event.partners if key in calendar.partners]
    # A meeting of the whole partnership is not called by the name of each partner.
    named = [] if len(hosts) == len(calendar.partners) else [names_of(host, language) for host in hosts]
    return _titled(event, asked).union(terms_of(country, language), *named)


def _in_time(event: Event, asked: Asked) -> bool:
    if not asked.years and not asked.months:
        return True
    first = event.starts_on.isoformat() if event.starts_on else event.period
    in_year = not asked.years or (first[:4].isdigit() and int(first[:4]) in asked.years)
    in_month = not asked.months or (len(first) >= len("2018-06") and int(first[5:7]) in asked.months)
    return in_year and in_month


def _answer(asked: Asked, texts: Texts, calendar: _Calendar, found: list[Event]) -> Answer | None:
    if "next" in asked.concepts:
        return _next(asked, texts, calendar, found)
    if not found:
        return None
    if "last" in asked.concepts:
        over = [event for event in found if event.sort_key and event.is_over(calendar.today)]
        return _said(asked, texts, calendar, over[-1:], "last") if over else None
    if asked.concepts & {"when", "where"} and len(found) == 1 and not _is_known(found[0], asked):
        return _said(asked, texts, calendar, found, "undated", outcome=Outcome.UNKNOWN)
    mode = "one" if len(found) == 1 else "list"
    return _said(asked, texts, calendar, found, mode)


def _is_known(event: Event, asked: Asked) -> bool:
    has_time = bool(event.starts_on or event.period)
    has_place = bool(event.country)
    return ("when" not in asked.concepts or has_time) and ("where" not in asked.concepts or has_place)


def _next(asked: Asked, texts: Texts, calendar: _Calendar, found: list[Event]) -> Answer | None:
    upcoming = [event for event in found if not event.is_over(calendar.today)]
    if upcoming:
        return _said(asked, texts, calendar, upcoming, "next")
    over = [event for event in found or calendar.events if event.sort_key and event.is_over(calendar.today)]
    return _said(asked, texts, calendar, over[-1:], "none_to_come") if over else None


def _said(
    asked: Asked,
    texts: Texts,
    calendar: _Calendar,
    found: list[Event],
    mode: str,
    *,
    outcome: Outcome = Outcome.ANSWER,
) -> Answer:
    text = texts.render(
        "answers/events.md",
        asked.language,
        mode=mode,
        events=found[:MOST_SHOWN],
        count=len(found),
        project=calendar.project,
        ended=calendar.project.ends_on < calendar.today,
    )
    return Answer(
        outcome=outcome,
        language=asked.language,
        title=texts.labels("answers/titles.jinja", asked.language)["events"],
        text=text.strip(),
        references=references_of(event.references for event in found),
        sources=sources_of(event.sources for event in found),
        as_of=max((event.as_of for event in found if event.as_of), default=None),
        confidence=LOOKED_UP,
    )
