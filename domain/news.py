"""News: what the project has to tell since a moment, for letters that fill themselves.

Questions that people asked are never part of it: they are private. What the team answered is told by the
items it wrote, in the team's own words.
"""

from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from domain import events, items, projects
from domain.events import Access, Event
from domain.items import Knowledge
from domain.projects import Document


@dataclass(frozen=True, slots=True)
class News:
    """What there is to tell. `upcoming` also has events that were told before: a reminder, no news."""

    since: datetime
    upcoming: list[Event]
    fresh_events: frozenset[str]
    """The keys of those events, to come or past, that were added since."""
    past: list[Event]
    documents: list[Document]
    answers: list[Knowledge]
    """What people wrote in the service itself: answers to questions."""
    knowledge: list[Knowledge]
    """What the project's pack brought or changed."""

    def __bool__(self) -> bool:
        """Whether anything is new."""
        return bool(self.fresh_events or self.documents or self.answers or self.knowledge)


async def since(session: AsyncSession, moment: datetime, today: date) -> News:
    """Return what was added or changed after that moment, and the events to come; nothing internal."""
    known = [event for event in await events.listing(session) if event.access is not Access.INTERNAL]
    upcoming = [event for event in known if not event.is_over(today)]
    added = [event for event in known if _is_after(event.added_at, moment)]
    documents = [found for found in await projects.documents(session) if _is_after(found.added_at, moment)]
    changed = [found for found in await items.listing(session) if found.item.changed_at > moment]
    changed.sort(key=lambda found: found.item.changed_at, reverse=True)
    return News(
        since=moment,
        upcoming=upcoming,
        fresh_events=frozenset(event.key for event in added),
        past=[event for event in reversed(added) if event.is_over(today)],
        documents=documents,
        answers=[found for found in changed if not found.item.fingerprint],
        knowledge=[found for found in changed if found.item.fingerprint],
    )


def _is_after(added_at: datetime | None, moment: datetime) -> bool:
    """Say whether something was added after that moment; for what is older than this record, no."""
    return added_at is not None and added_at > moment
