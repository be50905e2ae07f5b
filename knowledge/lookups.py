"""Structured look-ups: what the tables answer better than any text, tried before the index.

A look-up answers only when it accounts for every word of the question, so it does not guess.
"""

from datetime import date

from sqlmodel.ext.asyncio.session import AsyncSession

from knowledge import document_lookups, event_lookups, partner_lookups
from knowledge.asked import Asked
from knowledge.outcomes import Answer
from wording.texts import Texts


async def look_up(session: AsyncSession, asked: Asked, texts: Texts, today: date) -> Answer | None:
    """Return an answer from the tables, or None when none of them explains the whole question."""
    found = await partner_lookups.look_up(session, asked, texts, today)
    found = found or await event_lookups.look_up(session, asked, texts, today)
    return found or await document_lookups.look_up(session, asked, texts)
