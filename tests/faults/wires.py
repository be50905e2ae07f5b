"""Wires: one connection's octets, read by lines and written as a script wants them."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable

_END_OF_LETTER = b"\r\n.\r\n"


class Gone(Exception):
    """The other side has hung up, or we have."""


class Wire(asyncio.Protocol):
    """One accepted connection; `serve` speaks on it until it returns."""

    def __init__(self, serve: Callable[["Wire"], Awaitable[None]]) -> None:
        """Wait for the connection."""
        self._serve = serve
        self._buffer = bytearray()
        self._over = False
        self._news = asyncio.Event()
        self._transport: asyncio.Transport | None = None
        self.task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.task = asyncio.get_running_loop().create_task(self._run())

    def data_received(self, data: bytes) -> None:
        if not self._over:
            self._buffer += data
            self._news.set()

    def eof_received(self) -> bool:
        self._end()
        return False

    def connection_lost(self, _error: Exception | None) -> None:
        self._end()

    @property
    def holds_more(self) -> bool:
        """Whether the other side has written more than was read."""
        return bool(self._buffer)

    async def line(self) -> bytes:
        """Return the next line without its end; raises `Gone`."""
        return (await self._until(b"\r\n"))[:-2]

    async def letter(self) -> bytes:
        """Return a letter up to its final dot; raises `Gone`."""
        self._buffer[:0] = b"\r\n"
        return (await self._until(_END_OF_LETTER))[2 : -len(_END_OF_LETTER)]

    async def some(self) -> None:
        """Return once there is anything to read; raises `Gone`."""
        while not self._buffer:
            await self._more()

    async def silence(self) -> None:
        """Say nothing until somebody hangs up; raises `Gone`."""
        while True:
            await self._more()

    def write(self, data: bytes) -> None:
        """Send octets; lost ones are the other side's loss."""
        if self._transport is not None and not self._over:
            self._transport.write(data)

    async def dribble(self, data: bytes) -> None:
        """Send octets one by one, each in a packet of its own as far as the system lets us."""
        for octet in data:
            self.write(bytes([octet]))
            await asyncio.sleep(0.001)

    def hang_up(self) -> None:
        """Say no more and hear no more.

        Where possible the other side closes: closing with octets unread would reset the connection, and
        with it destroy answers that are still under way.
        """
        self._buffer.clear()
        if self._transport is not None and not self._over:
            if self._transport.can_write_eof():
                self._transport.write_eof()
            else:
                self._transport.close()
        self._end()

    async def encrypt(self, context: ssl.SSLContext) -> None:
        """Go on under TLS; what was sent ahead in the clear is thrown away (RFC 3207, 5)."""
        assert self._transport is not None
        self._buffer.clear()
        loop = asyncio.get_running_loop()
        encrypted = await loop.start_tls(self._transport, self, context, server_side=True)
        assert isinstance(encrypted, asyncio.Transport)
        self._transport = encrypted

    async def _until(self, mark: bytes) -> bytes:
        looked_at = 0
        while (found := self._buffer.find(mark, looked_at)) < 0:
            looked_at = max(0, len(self._buffer) - len(mark))
            await self._more()
        end = found + len(mark)
        taken = bytes(self._buffer[:end])
        del self._buffer[:end]
        return taken

    async def _more(self) -> None:
        if self._over:
            raise Gone
        await self._news.wait()
        self._news.clear()

    async def _run(self) -> None:
        try:
            await self._serve(self)
        except (Gone, OSError):  # OSError: a handshake that the other side broke off
            pass
        finally:
            self.hang_up()

    def _end(self) -> None:
        self._over = True
        self._news.set()
