"""Pipelines: one connection that carries letter after letter without waiting in between (RFC 2920).

The envelope of the next letter travels with the letter before it, so that a letter costs one round trip.
What may have been taken is known exactly: a letter is in doubt only from its first byte after DATA to the
relay's answer.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar, cast

from mailer.envelopes import Envelope, mail_command, rcpt_command, unsendable
from mailer.results import LOST_IN_DATA, Ambiguous, Result, Sent, Unreachable, doubt, reason_of, refusal

COMMAND_TIMEOUT = 60.0
"""Seconds for the answer to a command of the envelope, on any connection."""
DATA_TIMEOUT = 180.0
"""Seconds for a letter and its answer. RFC 5321, 4.5.3.2, allows more."""
IDLE_TIMEOUT = 10.0
"""Seconds after which a connection without work is closed: relays count them."""
_LOOK = 2.0
_LONGEST_LINE = 8_192
_MOST_LINES = 100
_CLOSING = 421


class Carried(Protocol):
    """Whatever holds an envelope."""

    @property
    def envelope(self) -> Envelope:
        """What is to be handed over."""


P = TypeVar("P", bound=Carried)


class Source(Protocol[P]):
    """Where a pipeline gets its letters from, and whom it tells what became of them."""

    def take(self) -> P | None:
        """Return the next letter; None when there is none now: `wake` is called when there is."""

    def settle(self, parcel: P, result: Result) -> None:
        """Hear the relay's answer to a letter."""

    def give_back(self, parcel: P, *, is_suspect: bool) -> None:
        """Take a letter back that was certainly not taken by the relay.

        `is_suspect` says that the connection may have been lost because of it.
        """


class Pipeline(asyncio.Protocol, Generic[P]):
    """Speaks SMTP on a connection that is open, encrypted and logged in."""

    def __init__(self, source: Source[P], *, international: bool, most: int = 0) -> None:
        """Keep what is needed; `most` letters go over one connection (0 = any number)."""
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._loop = asyncio.get_running_loop()
        self._source = source
        self._international = international
        self._left = most or -1
        self._replies: deque[Callable[[int, str], None]] = deque()
        """Who hears the answers that are still to come, in their order."""
        self._buffer = b""
        self._lines: list[str] = []
        self._offered: P | None = None
        self._refused: Result | None = None
        self._travelling: P | None = None
        self._needs_reset = False
        self._has_carried = False
        self._is_closing = False
        self._moved_at = self._loop.time()

    def wake(self) -> None:
        """Look for a letter; called when there may be one."""
        if commands := self._next_envelope():
            self._write(commands)

    def finish(self) -> None:
        """End after the letters under way."""
        self._left = 0
        self._part_if_done()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to speak."""
        self._transport = cast("asyncio.Transport", transport)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the signature is asyncio's
        """Settle what was under way: what had not begun to travel was not taken."""
        travelling, offered = self._travelling, self._offered
        self._travelling = self._offered = None
        self._left = 0
        self._watcher.cancel()
        if travelling is not None:
            self._source.settle(travelling, Ambiguous(LOST_IN_DATA))
        if offered is not None and self._refused is not None:
            self._source.settle(offered, self._refused)
        elif offered is not None:
            self._source.give_back(offered, is_suspect=travelling is None and not self._is_closing)
        if not self.ended.done():
            self.ended.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Hand every complete reply to whoever waits for it."""
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            if self._transport.is_closing():
                return
            self._read_line(line)
        if len(self._buffer) > _LONGEST_LINE:
            self._transport.abort()

    def _read_line(self, line: bytes) -> None:
        code, mark, text = line[:3], line[3:4], line[4:].strip()
        is_code = code.isdigit() and 200 <= int(code) <= 599
        if not is_code or mark not in (b" ", b"-", b"\r", b"") or len(line) > _LONGEST_LINE:
            self._transport.abort()  # this is no SMTP: nothing it says can be believed
            return
        self._lines.append(text.decode("ascii", "replace"))
        if len(self._lines) > _MOST_LINES:
            self._transport.abort()
        elif mark != b"-":
            message, self._lines = self._lines[0], []
            self._hear(int(code), message)

    def _hear(self, code: int, message: str) -> None:
        self._moved_at = self._loop.time()
        self._is_closing |= code == _CLOSING
        if self._replies:
            self._replies.popleft()(code, message)
        elif not self._is_closing:
            self._transport.abort()  # an answer to nothing: every later one would meet the wrong letter
            return
        if self._is_closing:
            self._transport.close()
        else:
            self._part_if_done()

    def _next_envelope(self) -> bytes:
        """Return the commands that offer the next letter; nothing when there is none."""
        if self._offered is not None or not self._left or self._is_closing:
            return b""
        while (parcel := self._source.take()) is not None:
            envelope = parcel.envelope
            unfit = unsendable(envelope, international=self._international)
            if unfit is None:
                return self._offer(parcel, envelope)
            self._source.settle(parcel, unfit)
        return b""

    def _offer(self, parcel: P, envelope: Envelope) -> bytes:
        self._left -= 1
        self._offered = parcel
        commands = [mail_command(envelope), rcpt_command(envelope), b"DATA", b""]
        self._replies += (self._on_mail, self._on_rcpt, self._on_data)
        if self._needs_reset:
            commands.insert(0, b"RSET")
            self._replies.insert(len(self._replies) - 3, self._on_reset)
            self._needs_reset = False
        return b"\r\n".join(commands)

    def _on_reset(self, code: int, message: str) -> None:
        """Hear that the refused envelope is forgotten; where it is not, MAIL is refused next."""

    def _on_mail(self, code: int, message: str) -> None:
        """Note a refusal: whatever its code, it is about us, and no reader may lose a letter by it."""
        if code == _CLOSING and self._has_carried:
            return  # this connection is used up, as some relays want it: a new one will do
        if code != 250:
            self._refused = Unreachable(reason_of(code, message))

    def _on_rcpt(self, code: int, message: str) -> None:
        if code not in (250, 251) and self._refused is None:
            self._refused = refusal(code, message)

    def _on_data(self, code: int, message: str) -> None:
        parcel, refused = self._offered, self._refused
        assert parcel is not None
        if code < 400 and code != 354:
            self._transport.abort()  # this answers something else: the relay is out of step
            return
        self._offered = self._refused = None
        self._has_carried = True
        if code == 354 and refused is None:
            self._travelling = parcel
            self._replies.append(self._on_taken)
            envelope = parcel.envelope
            self._write(envelope.head, envelope.body, b".\r\n", self._next_envelope())
            return
        if code == 354:  # it goes on although it refused the only recipient: it gets nothing
            self._replies.append(self._on_nothing)
            self._write(b".\r\n")
        self._needs_reset = code != 354
        result = refused or refusal(code, message)
        self._is_closing |= isinstance(result, Unreachable)
        self._source.settle(parcel, result)
        self.wake()

    def _on_taken(self, code: int, message: str) -> None:
        parcel, self._travelling = self._travelling, None
        assert parcel is not None
        result = Sent() if code == 250 else doubt(code, message)
        self._is_closing |= isinstance(result, Ambiguous)
        self._source.settle(parcel, result)
        self.wake()

    def _on_nothing(self, code: int, message: str) -> None:
        """Hear the answer to a letter of no lines to nobody."""

    def _on_quit(self, code: int, message: str) -> None:  # noqa: ARG002
        self._transport.close()

    def _part_if_done(self) -> None:
        """Say goodbye once nothing is under way and nothing more will come."""
        if not self._left and not self._replies:
            self._replies.append(self._on_quit)
            self._write(b"QUIT\r\n")

    def _write(self, *pieces: bytes) -> None:
        self._moved_at = self._loop.time()
        self._transport.write(b"".join(pieces))

    def _watch(self) -> None:
        """End a connection whose relay is silent, and one that has nothing to do."""
        still = self._loop.time() - self._moved_at
        if self._replies and still > (DATA_TIMEOUT if self._travelling else COMMAND_TIMEOUT):
            self._transport.abort()
        elif not self._replies and still > IDLE_TIMEOUT:
            self.finish()
        self._watcher = self._loop.call_later(_LOOK, self._watch)
