"""Waking those who wait for a change, whichever event loop or thread they wait in."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


class Bell:
    """Rung after every change; waiters look again. Safe across threads and event loops."""

    def __init__(self) -> None:
        self._waiters: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        """Wake everybody who waits now."""
        waiters, self._waiters = self._waiters, set()
        for waiter in waiters:
            # a loop that was closed in the meantime has nobody left to wake
            with contextlib.suppress(RuntimeError):
                waiter.get_loop().call_soon_threadsafe(_settle, waiter)

    async def until(self, look: Callable[[], Found], *, timeout: float) -> Found:
        """Return the first truthy value of `look`, which is asked again after each ring.

        Raises TimeoutError after `timeout` seconds, and whatever `look` raises.
        """
        deadline = time.monotonic() + timeout
        while True:
            # registered before looking, so that a ring in between is not lost
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.add(waiter)
            try:
                if found := look():
                    return found
                await asyncio.wait_for(waiter, deadline - time.monotonic())
            finally:
                self._waiters.discard(waiter)


def _settle(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
