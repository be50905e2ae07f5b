"""Updates are stored once, handled once, and their replies are begun once."""

from datetime import datetime, timedelta

from domain import updates
from domain.database import Database


async def test_an_update_delivered_twice_is_stored_once(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        assert await updates.store(session, {"update_id": 5, "message": {}}, 7, now)
        assert not await updates.store(session, {"update_id": 5, "message": {}}, 7, now)
        assert await updates.newest(session) == 5


async def test_handling_and_each_reply_begin_once(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        await updates.store(session, {"update_id": 5}, 7, now)
        assert await updates.begin(session, 5, now)
        assert not await updates.begin(session, 5, now)
        await updates.decide(session, 5, [{"text": "a"}, {"text": "b"}])
        assert await updates.begin_reply(session, 5, 0)
        assert not await updates.begin_reply(session, 5, 0)
        assert await updates.begin_reply(session, 5, 1)


async def test_an_answered_update_keeps_its_number_and_loses_its_words(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        await updates.store(session, {"update_id": 5, "message": {"text": "secret"}}, 7, now)
        await updates.begin(session, 5, now)
        await updates.finish(session, 5, now)
        assert await updates.pending(session, limit=9) == []
        stored = await session.get(updates.TelegramUpdate, 5)
        assert stored is not None
        assert stored.payload == {}
        assert await updates.forget(session, now + timedelta(days=2)) == 1


async def test_a_failed_update_does_not_block_the_next(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        await updates.store(session, {"update_id": 5}, 7, now)
        await updates.store(session, {"update_id": 6}, 7, now)
        await updates.fail(session, 5, "unreadable", now)
        assert [update.update_id for update in await updates.pending(session, limit=9)] == [6]
