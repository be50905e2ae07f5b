"""A full disk: sending stops and goes on by itself, who leaves is asked to come again, and all balances."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from sqlmodel import col, select

from domain.database import Database, DatabaseSettings
from domain.deliveries import Status
from domain.sites import ServiceSettings
from domain.subscribers import Subscriber
from domain.times import utc_now
from helixpost.places import LOCALES, TEMPLATES
from tests.faults.disks import Disk, NoDisk, mounted
from tests.faults.nurseries import Nursery
from tests.faults.relays import Relay
from tests.faults.rigs import WINDOW, Rig, check_copies
from tests.faults.servers import OWNER, NoServer, server
from tests.faults.stores import is_intact
from tests.postgres import address_of, ask, migrate
from web.app import create_app
from wording.texts import Texts

SERVICE = ServiceSettings(
    secret="a-key-for-the-tests-only-0123456789",
    base_url="https://news.example.org",
    operator="Example Agency",
    name="INTRA",
)
DONE, COME_AGAIN = 200, 503
READERS = [f"reader+{number}" for number in range(600)]
SQLITE_DISK = "6m"
POSTGRES_DISK = "32m"


@pytest.fixture(scope="session")
def own_server() -> Iterator[str]:
    """The address of a PostgreSQL server that nobody else uses."""
    try:
        with server() as url:
            yield url
    except NoServer as refusal:
        pytest.skip(f"NO FULL DISK ON POSTGRESQL: {refusal}")


@pytest.fixture(params=["sqlite", "postgresql"])
def small(request: pytest.FixtureRequest) -> Iterator[tuple[Disk, str]]:
    """A small disk and the address of an empty, migrated database on it, of each kind."""
    try:
        if request.param == "sqlite":
            with mounted(SQLITE_DISK) as disk:
                shutil.copy(request.getfixturevalue("sqlite_template"), disk.path / "helixpost.db")
                yield disk, f"sqlite:///{disk.path}/helixpost.db"
        else:
            own = request.getfixturevalue("own_server")
            with mounted(POSTGRES_DISK, OWNER) as disk:
                yield from _in_tablespace(disk, own)
    except NoDisk as refusal:
        pytest.skip(f"NO FULL DISK ON {request.param.upper()}: {refusal}")


def _in_tablespace(disk: Disk, own: str) -> Iterator[tuple[Disk, str]]:
    """Make a database on that disk."""
    asyncio.run(
        ask(
            f"CREATE TABLESPACE small LOCATION '{disk.path}'",
            "CREATE DATABASE small TABLESPACE small",
            at=own,
        )
    )
    try:
        url = address_of("small", at=own)
        asyncio.run(migrate(url))
        yield disk, url
    finally:
        disk.empty()
        asyncio.run(ask("DROP DATABASE small WITH (FORCE)", "DROP TABLESPACE small", at=own))


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


async def test_while_the_disk_is_full_nobody_is_told_that_they_left_who_did_not(
    small: tuple[Disk, str], tmp_path: Path, nursery: Nursery
) -> None:
    disk, url = small
    database = Database(DatabaseSettings(url=url))
    try:
        async with Relay() as relay:
            await Rig(tmp_path, database, url, relay, nursery).prepare(READERS)
        async with _door(database) as door:
            readers = await _consenting(database)
            assert await _leave(door, readers.pop()) == DONE
            disk.fill()
            while (status := await _leave(door, refused := readers.pop())) == DONE:
                pass
            assert status == COME_AGAIN
            disk.empty()
            assert await _consenting(database) == [*readers, refused]
            assert await _leave(door, refused) == DONE
            assert await _consenting(database) == readers
    finally:
        await database.close()


@asynccontextmanager
async def _door(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    """Open the pages of the installation."""
    app = create_app(database, Texts(TEMPLATES, LOCALES), SERVICE, telegram_enabled=False, clock=utc_now)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=SERVICE.base_url) as door:
        yield door


async def _leave(door: httpx.AsyncClient, reader: int) -> int:
    """Leave as a mail program does (RFC 8058), and return the answer's code."""
    link = f"/unsubscribe/{SERVICE.keyring.sign_unsubscribe(reader)}"
    return (await door.post(link, data={"List-Unsubscribe": "One-Click"})).status_code


async def _consenting(database: Database) -> list[int]:
    query = select(Subscriber.id).where(col(Subscriber.email_consented_at).is_not(None))
    async with database.reading() as session:
        return [number for number in (await session.exec(query.order_by(col(Subscriber.id)))).all() if number]


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
