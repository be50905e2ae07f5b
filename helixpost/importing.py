"""Importing: a roster is read once to its end, then its good rows are stored slice by slice."""

import asyncio
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from domain import enrolments, gatherings, projects
from domain.enrolments import SLICE, Source, Tally
from domain.refusals import Refusal
from domain.rosters import Roster
from helixpost.wiring import Service

BATCH = 1_000
"""Rows that are in memory at a time."""
GIVE_WAY = 0.11
"""Seconds between two slices on SQLite: whoever waits to write there looks again every 0.1 seconds."""
READING, STORING = "Reading", "Storing"

Tell = Callable[[str, int, int], None]
"""Is told a step, how far it is, and how far it goes: 0 when nobody knows."""
Refuse = Callable[[Refusal], None]


async def open_roster(service: Service, path: Path) -> Roster:
    """Return the file as a roster of the present project."""
    async with service.database.reading() as session:
        project = await projects.find(session)
    return Roster(path, frozenset(project.topics if project else ()), service.clock())


class Import:
    """One import. Nothing is stored before the file is read to its end and every bad row is refused."""

    def __init__(
        self,
        service: Service,
        roster: Roster,
        refuse: Refuse | None = None,
        tell: Tell | None = None,
        *,
        size: int = SLICE,
    ) -> None:
        """Take the file, who is told of bad rows and of how far it is, if anybody, and a slice's rows."""
        self._service, self._roster = service, roster
        self._refuse, self._tell = refuse or _ignore, tell or _ignore
        self._size = size

    async def run(self, consent: str) -> Tally:
        """Add the good rows with that consent text; what is stored stays when a later slice fails."""
        source = Source(consent, self._roster.path.name)
        async with self._service.database.workbench() as workbench:
            last = await self._gather(workbench)
            return await self._store(workbench, last, source)

    async def rehearse(self) -> Tally:
        """Return what `run` would do, changing nothing."""
        async with self._service.database.workbench() as workbench:
            await self._gather(workbench)
            async with self._service.database.aside(workbench) as session:
                return await enrolments.compare(session)

    async def _gather(self, workbench: AsyncConnection) -> int:
        """Read the file, hand over its bad rows, and return how many rows are to be looked at."""
        roster, keyring = self._roster, self._service.settings.service.keyring
        async with self._service.database.aside(workbench) as session:
            await gatherings.prepare(session)
            found = iter(roster)
            while batch := list(islice(found, BATCH)):
                await gatherings.gather(session, batch, keyring)
                self._tell(READING, roster.position, roster.size)
            await gatherings.sort(session)
            last, refused = await gatherings.count(session)
            if refused:
                async for refusal in gatherings.refusals(session, roster.names):
                    self._refuse(refusal)
        return last

    async def _store(self, workbench: AsyncConnection, last: int, source: Source) -> Tally:
        total, database = Tally(), self._service.database
        now = self._service.clock()
        for first in range(1, last + 1, self._size):
            places = range(first, min(first + self._size, last + 1))
            async with database.transaction(workbench) as session:
                total += await enrolments.enrol(session, places, source, now)
            self._tell(STORING, places.stop - 1, last)
            if database.is_sqlite and places.stop <= last:
                await asyncio.sleep(GIVE_WAY)
        return total


def _ignore(*_: object) -> None:
    """Tell nobody."""
