"""Proxies: a wire to PostgreSQL that can be cut, so that the database is down for one client alone."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Self
from urllib.parse import urlsplit

_COMMIT = b"COMMIT;\x00"
"""A simple query as asyncpg writes it."""
_COMMITTED = b"COMMIT\x00"
"""The server's answer to it (CommandComplete)."""


class Proxy:
    """Listens on this machine and hands every octet on to the server, both ways, until it is cut."""

    def __init__(self, server: str) -> None:
        """Name the server by its address, `postgresql://user@host:port/name`."""
        parts = urlsplit(server)
        self._host, self._server_port = parts.hostname or "127.0.0.1", parts.port or 5432
        self.port = 0
        self.loses_every = 0
        """Of so many commits one loses its answer, and its connection; 0 = none does."""
        self.commits = 0
        self.answers_lost = 0
        self._listener: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self.mend()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.cut()

    async def mend(self) -> None:
        """Listen, on the same port as before."""
        self._listener = await asyncio.start_server(self._carry, "127.0.0.1", self.port)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Break every connection off and refuse new ones, as a server that is down does."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._join(reader, writer)
        except (OSError, asyncio.CancelledError, _AnswerLost):
            pass
        finally:
            self._tasks.discard(task)
            _abort(writer)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream, downstream = await asyncio.open_connection(self._host, self._server_port)
        commit = _Commit(self)
        ways = [
            asyncio.ensure_future(_hand_on(reader, downstream, commit.asked)),
            asyncio.ensure_future(_hand_on(upstream, writer, commit.answered)),
        ]
        try:
            done, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in done:
                way.result()
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            _abort(downstream)


class _AnswerLost(Exception):
    """A commit took place, and its client will never know."""


class _Commit:
    """What one connection's commits come to."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self._loses = False

    def asked(self, data: bytes) -> bytes:
        if _COMMIT in data and (every := self._proxy.loses_every):
            self._proxy.commits += 1
            self._loses = self._proxy.commits % every == 0
        return data

    def answered(self, data: bytes) -> bytes:
        if self._loses and _COMMITTED in data:
            self._proxy.answers_lost += 1
            raise _AnswerLost
        return data


async def _hand_on(
    source: asyncio.StreamReader, sink: asyncio.StreamWriter, look: Callable[[bytes], bytes]
) -> None:
    while data := await source.read(65536):
        sink.write(look(data))
        await sink.drain()


def _abort(writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, RuntimeError):
        writer.transport.abort()
