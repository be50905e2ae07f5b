"""The heartbeat tells a long sleep from a restart, and a restored copy from the database it was made of."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

from sqlmodel import update

from domain import heartbeats
from domain.database import Database, DatabaseSettings
from domain.heartbeats import BEAT, Gap, Heartbeat
from tests.copies import copied

PATIENCE = timedelta(hours=6)


async def _look(database: Database, now: datetime) -> Gap | None:
    async with database.transaction() as session:
        look = await heartbeats.look(session, database.folder, now, patience=PATIENCE)
    heartbeats.stamp(database.folder, look)
    return look.gap


async def _newest(database: Database) -> datetime | None:
    async with database.reading() as session:
        return await heartbeats.newest(session)


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator[Database]:
    database = Database(DatabaseSettings(url=url))
    yield database
    await database.close()
    shutil.rmtree(database.folder, ignore_errors=True)


async def test_looks_one_after_the_other_find_nothing_and_move_the_row(
    database: Database, now: datetime
) -> None:
    assert await _newest(database) is None
    assert await _look(database, now) is None
    assert await _look(database, now + BEAT / 2) is None
    assert await _newest(database) == now
    assert await _look(database, now + BEAT) is None
    assert await _newest(database) == now + BEAT
    assert await _look(database, now + PATIENCE) is None


async def test_a_long_sleep_is_found_once(database: Database, now: datetime) -> None:
    await _look(database, now)
    later = now + PATIENCE + timedelta(seconds=1)
    assert await _look(database, later) is Gap.SLEPT
    assert await _look(database, later) is None


async def test_many_that_begin_at_once_find_nothing(database_url: str, now: datetime) -> None:
    async with _opened(database_url) as one, _opened(database_url) as other:
        found = await asyncio.gather(*(_look(database, now) for database in (one, other) * 4))
        assert set(found) == {None}


async def test_a_row_that_went_back_in_time_is_a_restored_copy(database: Database, now: datetime) -> None:
    await _look(database, now)
    await _look(database, now + timedelta(minutes=10))
    async with database.transaction() as session:
        await session.exec(update(Heartbeat).values(at=now))
    later = now + timedelta(minutes=11)
    assert await _look(database, later) is Gap.RESTORED
    assert await _look(database, later) is None


async def test_a_copy_under_another_name_is_known_at_once(
    database: Database, database_url: str, now: datetime
) -> None:
    await _look(database, now)
    async with copied(database, database_url) as url, _opened(url) as copy:
        assert await _look(copy, now) is Gap.RESTORED
        assert await _look(copy, now) is None
    assert await _look(database, now + BEAT) is None, "the original goes on"


async def test_a_copy_that_came_with_its_folder_is_known_by_the_files_inode(
    tmp_path: Path, sqlite_template: Path, now: datetime
) -> None:
    original, backup = tmp_path / "var", tmp_path / "backup"
    original.mkdir()
    shutil.copy(sqlite_template, original / "x.db")
    async with _opened(f"sqlite:///{original}/x.db") as database:
        await _look(database, now)
        await database.close()
        shutil.copytree(original, backup)
        async with _opened(f"sqlite:///{backup}/x.db") as copy:
            assert await _look(copy, now) is Gap.RESTORED
        shutil.move(original, tmp_path / "moved")
        async with _opened(f"sqlite:///{tmp_path}/moved/x.db") as moved:
            assert await _look(moved, now) is None, "what was only moved is no copy"


async def test_a_crash_between_commit_and_stamp_is_no_restored_copy(
    database: Database, now: datetime
) -> None:
    await _look(database, now)
    async with database.transaction() as session:
        await heartbeats.look(session, database.folder, now + BEAT, patience=PATIENCE)
    assert await _look(database, now + 2 * BEAT) is None


async def test_a_crash_in_the_very_first_look_is_none_either(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        await heartbeats.look(session, database.folder, now, patience=PATIENCE)
        await session.rollback()
    async with database.transaction() as session:
        await heartbeats.look(session, database.folder, now, patience=PATIENCE)
    assert await _look(database, now + BEAT) is None


async def test_a_clock_that_is_set_back_alarms_nobody_and_the_row_still_moves(
    database: Database, now: datetime
) -> None:
    await _look(database, now)
    earlier = now - timedelta(days=400)
    assert await _look(database, earlier) is None
    assert await _newest(database) == now + timedelta(microseconds=1)
    assert await _look(database, now + BEAT) is None
