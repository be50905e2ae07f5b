"""Heartbeats: proof that somebody watches the clock here, and that this database is no restored copy.

A backup that is put back knows nothing of what went out after it was made: left to itself it would send
that again. So the mailer keeps the moment of its newest look in a row, and after each commit on a file
beside the database. The row is never older than the file, unless the database went back in time; and the
file names its own inode, which a copy of the folder does not have. On PostgreSQL, where the file may lie on
another machine, the row names the server and the tables it was written in: a dump read back has others.
"""

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from sqlalchemy import text
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.columns import UtcDateTime
from domain.database import add_if_new

BEAT = timedelta(seconds=5)
"""How often the row is written while all is well."""
_ONLY = 1
_FILE = "heartbeat"
_TICK = timedelta(microseconds=1)
_TABLES = "(SELECT oid FROM pg_database WHERE datname = current_database()), 'heartbeat'::regclass::oid"
_MAY_ASK = text("SELECT has_function_privilege('pg_control_system()', 'execute')")
_SERVER_AND_TABLES = text(f"SELECT concat_ws('/', system_identifier, {_TABLES}) FROM pg_control_system()")  # noqa: S608 - constants
_TABLES_ALONE = text(f"SELECT concat_ws('/', {_TABLES})")


class Gap(StrEnum):
    """What happened since the newest look, if it was not all well."""

    SLEPT = "slept"
    RESTORED = "restored"


class Heartbeat(SQLModel, table=True):
    """The one row: when somebody last looked, and in which database."""

    id: int = Field(default=_ONLY, primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)
    place: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the clock: the gap before it, and the moment to stamp once the transaction is committed."""

    gap: Gap | None
    at: datetime


async def look(session: AsyncSession, folder: Path, now: datetime, *, patience: timedelta) -> Look:
    """Compare the row with the clock, with the file in that folder and with the database it stands in.

    A gap longer than `patience` means that nobody looked: the machine was off, or frozen. The look that finds
    a gap is the only one that does: it writes the row.
    """
    place = await _place(session)
    row = await _row(session)
    if row is None:
        _write(folder, datetime.min.replace(tzinfo=now.tzinfo))
        await add_if_new(session, Heartbeat, {"id": _ONLY, "at": now, "place": place})
        return Look(None, now)
    stamped = _read(folder)  # with the row held: nobody can commit, and then stamp, what is newer
    gap = _gap(row, stamped, place, now, patience)
    at = row.at
    if gap is not None or abs(now - at) >= BEAT:
        # Always forward, also of a file that was ahead, and when somebody sets the clock back.
        at = max(now, row.at + _TICK, (stamped or row.at) + _TICK)
        row.at, row.place = at, place
    return Look(gap, at)


def stamp(folder: Path, seen: Look) -> None:
    """Note a look beside the database; only after its transaction was committed."""
    _write(folder, seen.at)


async def newest(session: AsyncSession) -> datetime | None:
    """Return when somebody last looked; None before anybody ever did."""
    return (await session.exec(select(Heartbeat.at))).first()


def _gap(
    row: Heartbeat, stamped: datetime | None, place: str, now: datetime, patience: timedelta
) -> Gap | None:
    if stamped is None and not place:
        return Gap.RESTORED
    if row.place != place or (stamped is not None and stamped > row.at):
        return Gap.RESTORED
    return Gap.SLEPT if now - row.at > patience else None


async def _row(session: AsyncSession) -> Heartbeat | None:
    query = select(Heartbeat).where(col(Heartbeat.id) == _ONLY).with_for_update()
    return (await session.exec(query)).first()


async def _place(session: AsyncSession) -> str:
    """Return what a copy of this database on PostgreSQL cannot share; empty on SQLite."""
    connection = await session.connection()
    if connection.dialect.name != "postgresql":
        return ""
    # Some who rent out databases do not let anybody ask for the server's number.
    may = (await connection.execute(_MAY_ASK)).scalar_one()
    return str((await connection.execute(_SERVER_AND_TABLES if may else _TABLES_ALONE)).scalar_one())


def _read(folder: Path) -> datetime | None:
    """Return the moment in the file; None where there is none, or one that was copied here."""
    path = folder / _FILE
    try:
        at, inode = path.read_text(encoding="ascii").split()
        return datetime.fromisoformat(at) if int(inode) == path.stat().st_ino else None
    except (FileNotFoundError, ValueError):
        return None


def _write(folder: Path, at: datetime) -> None:
    """Write the file in place, always at the same length: a crash leaves the old words or the new ones."""
    folder.mkdir(parents=True, exist_ok=True)
    file = os.open(folder / _FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        words = f"{at.isoformat(timespec='microseconds')} {os.fstat(file).st_ino:>20}\n"
        os.pwrite(file, words.encode("ascii"), 0)
    finally:
        os.close(file)
