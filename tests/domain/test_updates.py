"""Updates are stored once, handled once, and their replies are begun once."""

from datetime import datetime, timedelta

from domain import updates
from domain.database import Database
from domain.updates import Lease


def _lease(claimant: str, now: datetime) -> Lease:
    return Lease(claimant, now + timedelta(minutes=2))


async def test_an_update_delivered_twice_is_stored_once(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        assert await updates.store(session, {"update_id": 5, "message": {}}, 7, now)
        assert not await updates.store(session, {"update_id": 5, "message": {}}, 7, now)
        assert await updates.newest(session) == 5


async def test_handling_and_each_reply_begin_once(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        await updates.store(session, {"update_id": 5}, 7, now)
        assert await updates.begin(session, 5, _lease("a", now), now)
        assert not await updates.begin(session, 5, _lease("a", now), now)
        await updates.decide(session, 5, [{"text": "a"}, {"text": "b"}])
        assert await updates.begin_reply(session, 5, 0, _lease("a", now))
        assert not await updates.begin_reply(session, 5, 0, _lease("a", now))
        assert await updates.begin_reply(session, 5, 1, _lease("a", now))


async def test_an_answered_update_keeps_its_number_and_loses_its_words(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        await updates.store(session, {"update_id": 5, "message": {"text": "secret"}}, 7, now)
        await updates.begin(session, 5, _lease("a", now), now)
        await updates.finish(session, 5, "a", now)
        assert await updates.pending(session, "a", now, limit=9) == []
        stored = await session.get(updates.TelegramUpdate, 5)
        assert stored is not None
        assert (stored.payload, stored.chat_id) == ({}, None)
        assert await updates.forget(session, now + timedelta(days=2)) == 1


async def test_a_failed_update_does_not_block_the_next(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        await updates.store(session, {"update_id": 5}, 7, now)
        await updates.store(session, {"update_id": 6}, 7, now)
        await updates.fail(session, 5, "unreadable", now)
        assert [update.update_id for update in await updates.pending(session, "a", now, limit=9)] == [6]


async def test_what_one_process_answers_no_other_finishes_until_the_lease_ends(
    database: Database, now: datetime
) -> None:
    mine, theirs = _lease("a", now), _lease("b", now)
    async with database.transaction() as session:
        await updates.store(session, {"update_id": 5}, 7, now)
        await updates.begin(session, 5, mine, now)
        await updates.decide(session, 5, [{"text": "a"}, {"text": "b"}])
        assert await updates.begin_reply(session, 5, 0, mine)
        [waiting] = await updates.pending(session, "b", now, limit=9)
        assert waiting.is_held
        assert await updates.resume(session, 5, theirs, now) is None
        assert not await updates.begin_reply(session, 5, 1, theirs)
        await updates.finish(session, 5, "b", now)
        [waiting] = await updates.pending(session, "a", now, limit=9)
        assert not waiting.is_held
    later = now + timedelta(minutes=2)
    async with database.transaction() as session:
        resumed = await updates.resume(session, 5, _lease("b", later), later)
        assert resumed is not None
        assert resumed.replies_begun == 1
        assert not await updates.begin_reply(session, 5, 1, mine)


async def test_what_a_dead_process_held_is_free_at_once(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        await updates.store(session, {"update_id": 5}, 7, now)
        await updates.begin(session, 5, _lease("dead", now), now)
        assert await updates.release(session, ["somebody else"]) == 0
        assert await updates.release(session, ["dead"]) == 1
        assert await updates.resume(session, 5, _lease("heir", now), now) is not None
