"""A rig for each fault test, on either database."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from domain.database import Database
from tests.faults.nurseries import Nursery
from tests.faults.relays import Relay
from tests.faults.rigs import Rig


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Where every mailer of these tests comes from."""
    nursery = Nursery()
    yield nursery
    nursery.close()


@pytest.fixture
async def rig(database: Database, database_url: str, tmp_path: Path, nursery: Nursery) -> AsyncIterator[Rig]:
    """An empty installation and its relay; nothing runs yet, and nothing does afterwards."""
    async with Relay() as relay:
        ready = Rig(tmp_path, database, database_url, relay, nursery)
        yield ready
        await ready.put_away()
