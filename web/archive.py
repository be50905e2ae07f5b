"""The archive: letters that went out, for anybody to read, and their Atom feed (RFC 4287)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.exceptions import HTTPException
from starlette.responses import Response

from domain import archives, projects
from domain.archives import Issue
from domain.languages import Language, choose
from domain.projects import Project
from web.readings import fill, neutral, to_html
from web.visits import Visit, Visiting

_IN_FEED = 20
_LARGEST_NUMBER = 2**31 - 1
CampaignNumber = Annotated[int, Path(ge=1, le=_LARGEST_NUMBER)]

router = APIRouter(prefix="/archive")


@dataclass(frozen=True, slots=True)
class Entry:
    """An issue as a list shows it."""

    campaign_id: int
    sent_at: datetime
    language: Language
    subject: str
    preheader: str


async def newest(session: AsyncSession, visit: Visit, *, limit: int) -> list[Entry]:
    """Return the newest issues, each in the visitor's language where it has it, else in English."""
    project = await projects.find(session)
    return [_entry(issue, visit, project) for issue in await archives.issues(session, limit=limit)]


@router.api_route("", methods=["GET", "HEAD"])
async def show(visit: Visiting) -> Response:
    """List the letters."""
    async with visit.database.reading() as session:
        entries = await newest(session, visit, limit=50)
    return await visit.page("web/archive.html", entries=entries)


@router.api_route("/feed.xml", methods=["GET", "HEAD"])
async def feed(visit: Visiting) -> Response:
    """Give the newest letters to feed readers."""
    async with visit.database.reading() as session:
        project = await projects.find(session)
        entries = await newest(session, visit, limit=_IN_FEED)
    xml = visit.render(
        "web/feed.xml",
        project=project,
        entries=entries,
        host=visit.site.host,
        updated=_updated(entries, visit),
    )
    return Response(xml, media_type="application/atom+xml")


@router.api_route("/{campaign_id}", methods=["GET", "HEAD"])
async def read(visit: Visiting, campaign_id: CampaignNumber) -> Response:
    """Show one letter without anything personal in it."""
    async with visit.database.reading() as session:
        project = await projects.find(session)
        issue = await archives.find(session, campaign_id)
        if issue is None:
            raise HTTPException(404)
        entry = _entry(issue, visit, project)
        text = await archives.text(session, issue, entry.language)
    values = neutral(visit, project, language=entry.language, campaign_id=campaign_id)
    body = to_html(fill(text, values))
    return await visit.page("web/letter.html", entry=entry, body=body, spoken=list(issue.headings))


def _entry(issue: Issue, visit: Visit, project: Project | None) -> Entry:
    language = choose([visit.language], issue.headings)
    values = neutral(visit, project, language=language, campaign_id=issue.campaign_id)
    heading = issue.headings[language]
    return Entry(
        issue.campaign_id,
        issue.started_at,
        language,
        fill(heading.subject, values),
        fill(heading.preheader, values),
    )


def _updated(entries: Sequence[Entry], visit: Visit) -> datetime:
    return entries[0].sent_at if entries else visit.now
