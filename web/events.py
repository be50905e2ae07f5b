"""Events: what comes, what was, one event with its sources, and calendars (RFC 5545)."""

from collections.abc import Iterable

from fastapi import APIRouter
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.exceptions import HTTPException
from starlette.responses import Response

from domain import events, projects
from domain.events import Event
from web.visits import Visit, Visiting
from wording.calendars import calendar_of

router = APIRouter(prefix="/events")
calendars = APIRouter()


@router.api_route("", methods=["GET", "HEAD"])
async def show(visit: Visiting, q: str = "", year: str = "") -> Response:
    """List upcoming and past events, all or those that match a search."""
    async with visit.database.reading() as session:
        upcoming = await events.upcoming(session, visit.today)
        past = await events.past(session, visit.today)
    years = sorted({event.sort_key[:4] for event in (*upcoming, *past) if event.sort_key}, reverse=True)
    return await visit.page(
        "web/events.html",
        upcoming=[event for event in upcoming if _matches(event, visit, q, year)],
        past=[event for event in past if _matches(event, visit, q, year)],
        years=years,
        q=q,
        year=year,
        known=bool(upcoming or past),
    )


@router.api_route("/{key}.ics", methods=["GET", "HEAD"])
async def calendar_of_one(visit: Visiting, key: str) -> Response:
    """Give one event as a calendar; one whose days are not known has none."""
    async with visit.database.reading() as session:
        event = await _find(session, key)
    if event.starts_on is None:
        raise HTTPException(404)
    return _calendar(visit, [event], name=key)


@router.api_route("/{key}", methods=["GET", "HEAD"])
async def read(visit: Visiting, key: str) -> Response:
    """Show one event."""
    async with visit.database.reading() as session:
        event = await _find(session, key)
        names = {partner.key: partner.name for partner in await projects.partners(session)}
    hosts = [names[partner] for partner in event.partners if partner in names]
    return await visit.page("web/event.html", event=event, hosts=hosts, over=event.is_over(visit.today))


@calendars.api_route("/events.ics", methods=["GET", "HEAD"])
async def calendar_of_all(visit: Visiting) -> Response:
    """Give every event whose days are known as one calendar to subscribe to."""
    async with visit.database.reading() as session:
        found = await events.listing(session)
    return _calendar(visit, found, name="events")


async def _find(session: AsyncSession, key: str) -> Event:
    # A key that could not be one is not asked for: PostgreSQL takes no NUL in a text.
    event = await events.find(session, key) if key.isprintable() else None
    if event is None:
        raise HTTPException(404)
    return event


def _matches(event: Event, visit: Visit, words: str, year: str) -> bool:
    told = (event.title, event.place, event.summary)
    text = " ".join(events.text_in(texts, visit.language) for texts in told if texts).casefold()
    found = all(word in text for word in words.casefold().split())
    return found and event.sort_key.startswith(year)


def _calendar(visit: Visit, found: Iterable[Event], *, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}.ics"'}
    content = calendar_of(found, visit.service, visit.language, visit.now)
    return Response(content, media_type="text/calendar", headers=headers)
