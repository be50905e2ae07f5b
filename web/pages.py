"""The project's own pages: home, partners, documents, privacy, accessibility."""

from datetime import date

from fastapi import APIRouter
from starlette.responses import Response

from domain import events, projects
from domain.events import text_in
from domain.projects import Document
from web import archive
from web.visits import Visit, Visiting

STATEMENT_PREPARED = date(2026, 11, 24)
"""When the accessibility statement was last reviewed; (EU) 2018/1523 wants the day told."""
_ON_HOME = 3

router = APIRouter()


@router.api_route("/", methods=["GET", "HEAD"])
async def home(visit: Visiting) -> Response:
    """Say what the project is, what comes next and how to hear of it."""
    async with visit.database.reading() as session:
        project = await projects.find(session)
        upcoming = await events.upcoming(session, visit.today)
        past = await events.past(session, visit.today)
        partners = await projects.partners(session)
        letters = await archive.newest(session, visit, limit=_ON_HOME)
    return await visit.page(
        "web/home.html",
        upcoming=upcoming[:_ON_HOME],
        past=past[:_ON_HOME],
        partners=partners,
        letters=letters,
        ended=project is not None and project.ends_on < visit.today,
    )


@router.api_route("/partners", methods=["GET", "HEAD"])
async def partners(visit: Visiting) -> Response:
    """List the partners."""
    async with visit.database.reading() as session:
        found = await projects.partners(session)
    return await visit.page("web/partners.html", partners=found)


@router.api_route("/documents", methods=["GET", "HEAD"])
async def documents(visit: Visiting, q: str = "", sort: str = "newest") -> Response:
    """List the documents, all or those that match a search, newest first or by title."""
    async with visit.database.reading() as session:
        known = await projects.documents(session)
    found = [document for document in known if _matches(document, visit, q)]
    if sort == "title":
        found.sort(key=lambda document: text_in(document.title, visit.language).casefold())
    return await visit.page("web/documents.html", documents=found, known=bool(known), q=q, sort=sort)


@router.api_route("/privacy", methods=["GET", "HEAD"])
async def privacy(visit: Visiting) -> Response:
    """Say what is kept, why, for how long, and what people may ask for (GDPR, Article 13)."""
    return await visit.page("web/privacy.html")


@router.api_route("/accessibility", methods=["GET", "HEAD"])
async def accessibility(visit: Visiting) -> Response:
    """Give the accessibility statement after the model of Implementing Decision (EU) 2018/1523."""
    return await visit.page("web/accessibility.html", prepared=STATEMENT_PREPARED)


def _matches(document: Document, visit: Visit, words: str) -> bool:
    told = (document.title, document.about)
    text = " ".join(text_in(texts, visit.language) for texts in told if texts).casefold()
    return all(word in text for word in words.casefold().split())
