"""Waiting: a pause ends early on stop, and known outcomes outlast an outage."""

import asyncio
import time

import pytest

from domain.waits import outlast, pause


async def test_a_pause_ends_when_the_service_stops() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(0.01, stop.set)
    before = time.monotonic()
    await pause(60, stop)
    assert time.monotonic() - before < 5


async def test_work_is_begun_anew_until_the_database_is_back() -> None:
    tries: list[int] = []

    async def work() -> str:
        tries.append(1)
        if len(tries) < 2:
            raise OSError
        return "written"

    assert await outlast(work, "testing") == "written"
    assert len(tries) == 2


async def test_a_defect_is_not_taken_for_an_outage() -> None:
    async def work() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await outlast(work, "testing")
