"""What is new since a moment: events, documents, knowledge; never anything internal or private."""

from datetime import date, datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from domain import news, questions
from domain.database import Database
from domain.events import Access, Event, Kind
from domain.items import Item, ItemText
from domain.languages import Language
from domain.projects import Document

DAY = timedelta(days=1)


def _event(key: str, on: date, added_at: datetime | None, access: Access = Access.PUBLIC) -> Event:
    texts = {"en": key}
    return Event(
        key=key,
        kind=Kind.MEETING,
        access=access,
        title=texts,
        place=texts,
        summary=texts,
        starts_on=on,
        added_at=added_at,
    )


def _document(key: str, added_at: datetime | None) -> Document:
    texts = {"en": key}
    return Document(key=key, title=texts, about=texts, url="https://example.org/", added_at=added_at)


async def _add_item(session: AsyncSession, key: str, changed_at: datetime, fingerprint: str = "x") -> None:
    item = Item(key=key, topic="t", changed_at=changed_at, fingerprint=fingerprint)
    session.add(item)
    await session.flush()
    assert item.id is not None
    session.add(ItemText(item_id=item.id, language=Language.ENGLISH, title=key, body="b"))


async def test_only_what_came_after_the_moment_is_new(database: Database, now: datetime) -> None:
    today = now.date()
    async with database.transaction() as session:
        session.add_all(
            [
                _event("known", today + DAY, now - DAY),
                _event("added", today, now + DAY),
                _event("past", today - DAY, now + DAY),
                _event("old", today - DAY, None),
                _event("internal", today + DAY, now + DAY, Access.INTERNAL),
                _document("fresh", now + DAY),
                _document("stale", now),
                _document("imported before this was kept", None),
            ]
        )
        await _add_item(session, "changed", now + DAY)
        await _add_item(session, "newest", now + 2 * DAY)
        await _add_item(session, "unchanged", now)
        await _add_item(session, "answer", now + DAY, fingerprint="")
    async with database.reading() as session:
        found = await news.since(session, now, today)
    assert found
    assert [event.key for event in found.upcoming] == ["added", "known"]
    assert found.fresh_events == {"added", "past"}
    assert [event.key for event in found.past] == ["past"]
    assert [document.key for document in found.documents] == ["fresh"]
    assert [known.item.key for known in found.knowledge] == ["newest", "changed"]
    assert [known.item.key for known in found.answers] == ["answer"]


async def test_an_event_that_was_told_before_and_a_question_are_no_news(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        session.add(_event("known", now.date() + DAY, now - DAY))
        await questions.record(
            session,
            chat_id=1,
            language=Language.ENGLISH,
            text="something private",
            outcome="answer",
            item_key=None,
            now=now + DAY,
        )
        found = await news.since(session, now, now.date())
    assert not found
    assert len(found.upcoming) == 1
