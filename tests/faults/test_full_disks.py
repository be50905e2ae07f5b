"""A full disk: sending stops, goes on by itself when there is room, and both sides balance."""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from domain.database import Database, DatabaseSettings
from domain.deliveries import Status
from tests.faults.disks import Disk, NoDisk, mounted
from tests.faults.nurseries import Nursery
from tests.faults.relays import Relay
from tests.faults.rigs import WINDOW, Rig, check_copies
from tests.faults.stores import address_of, ask, is_intact

READERS = [f"reader+{number}" for number in range(600)]
SQLITE_DISK = "6m"
POSTGRES_DISK = "32m"
POSTGRES_USER = "postgres"


@pytest.fixture(params=["sqlite", "postgresql"])
def small(request: pytest.FixtureRequest) -> Iterator[tuple[Disk, str]]:
    """A small disk and the address of an empty, migrated database on it, of each kind."""
    try:
        if request.param == "sqlite":
            with mounted(SQLITE_DISK) as disk:
                shutil.copy(request.getfixturevalue("sqlite_template"), disk.path / "helixpost.db")
                yield disk, f"sqlite:///{disk.path}/helixpost.db"
        else:
            with mounted(POSTGRES_DISK, POSTGRES_USER) as disk:
                yield from _in_tablespace(disk, request.getfixturevalue("postgres_template"))
    except NoDisk as refusal:
        pytest.skip(f"NO FULL DISK ON {request.param.upper()}: {refusal}")


def _in_tablespace(disk: Disk, template: str) -> Iterator[tuple[Disk, str]]:
    """Make a database on that disk; its server must run on this machine and see it."""
    name = f"{template}_disk"
    try:
        asyncio.run(ask(f"CREATE TABLESPACE \"{name}\" LOCATION '{disk.path}'"))
    except asyncpg.PostgresError as error:
        raise NoDisk(f"the server cannot use it ({error})") from None
    try:
        asyncio.run(ask(f'CREATE DATABASE "{name}" TEMPLATE "{template}" TABLESPACE "{name}"'))
        yield disk, address_of(name)
    finally:
        disk.empty()
        asyncio.run(ask(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
        asyncio.run(ask(f'DROP TABLESPACE "{name}"'))


async def test_a_full_disk_stops_sending_until_there_is_room(
    small: tuple[Disk, str], tmp_path: Path, nursery: Nursery
) -> None:
    disk, url = small
    database = Database(DatabaseSettings(url=url))
    async with Relay() as relay:
        rig = Rig(tmp_path, database, url, relay, nursery)
        try:
            await _fill_and_empty(rig, disk)
            assert not database.is_sqlite or is_intact(url)
        finally:
            await rig.put_away()
            await database.close()


async def _fill_and_empty(rig: Rig, disk: Disk) -> None:
    await rig.prepare(READERS)
    campaign = await rig.schedule()
    async with rig.running() as mailer:

        async def noticed() -> bool:
            return "database_out" in mailer.log

        await rig.received(60)
        disk.fill()
        await rig.until("the mailer has noticed that the disk is full", noticed)
        await rig.still()
        recorded = [row for row in (await rig.rows(campaign)).values() if row.status is Status.SENT]
        assert len(rig.relay.copies) < len(READERS), "the campaign was over before the disk was full"
        assert len(rig.relay.copies) - len(recorded) <= WINDOW
        disk.empty()
        await rig.sent(campaign)
    rows = await rig.rows(campaign)
    check_copies(rig.relay.copies, rows, extra=0)
    assert {row.status for row in rows.values()} == {Status.SENT}
