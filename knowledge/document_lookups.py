"""Questions about documents, answered from their table."""

from collections.abc import Sequence

from sqlmodel.ext.asyncio.session import AsyncSession

from domain import events, projects
from domain.projects import Document
from knowledge.asked import Asked
from knowledge.outcomes import LOOKED_UP, Answer, Outcome, references_of, sources_of
from knowledge.words import terms_of
from wording.texts import Texts

_FRAME = frozenset({"document", "list", "count", "project"})


async def look_up(session: AsyncSession, asked: Asked, texts: Texts) -> Answer | None:
    """Return the documents that are asked for, or None when their titles do not explain all of it."""
    if "document" not in asked.concepts:
        return None
    found = await projects.documents(session)
    rest = asked.rest(_FRAME)
    if rest:
        found = [document for document in found if rest <= _titled(document, asked)]
    return _said(asked, texts, found) if found else None


def _titled(document: Document, asked: Asked) -> frozenset[str]:
    return terms_of(events.text_in(document.title, asked.language), asked.language)


def _said(asked: Asked, texts: Texts, found: Sequence[Document]) -> Answer:
    return Answer(
        outcome=Outcome.ANSWER,
        language=asked.language,
        title=texts.labels("answers/titles.jinja", asked.language)["documents"],
        text=texts.render("answers/documents.md", asked.language, documents=found).strip(),
        references=references_of(document.references for document in found),
        sources=sources_of(document.sources for document in found),
        confidence=LOOKED_UP,
    )
