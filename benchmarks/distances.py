"""Distances: a TCP relay that makes the way to a server on this machine as long as one to another country.

A program of its own (`python -m benchmarks.distances PORT TARGET_PORT SECONDS`), so that its work is
accounted apart. Every byte arrives SECONDS after it was sent, in both directions, however many are on
their way; the connection itself is made at once. One thread, epoll, and one queue for all connections:
as the delay is the same for all, what was read first is due first.
"""

import select
import socket
import sys
from collections import deque
from dataclasses import dataclass, field
from time import monotonic

HOST = "127.0.0.1"
_AT_ONCE = 100_000  # bytes; glibc takes larger buffers from the kernel and gives them back, each time
_BACKLOG = 1000


@dataclass(slots=True, eq=False)
class End:
    """One of the two sockets of a connection, with what could not be written to it yet."""

    socket: socket.socket
    peer: "End | None" = None
    unwritten: bytearray = field(default_factory=bytearray)


class Distance:
    """Carries bytes between the ends of every connection, each a fixed time after it was read."""

    def __init__(self, port: int, target: int, delay: float) -> None:
        """Listen; `delay` is one way, in seconds."""
        self._target, self._delay = target, delay
        self._listener = socket.create_server((HOST, port), backlog=_BACKLOG)
        self._epoll = select.epoll()
        self._epoll.register(self._listener.fileno(), select.EPOLLIN)
        self._ends: dict[int, End] = {}
        self._travelling: deque[tuple[float, End, bytes]] = deque()

    def run(self) -> None:
        """Carry until the process is ended."""
        while True:
            for number, events in self._epoll.poll(self._until_next()):
                if number == self._listener.fileno():
                    self._accept()
                elif end := self._ends.get(number):
                    self._attend(end, events)
            now = monotonic()
            while self._travelling and self._travelling[0][0] <= now:
                _, end, data = self._travelling.popleft()
                self._arrive(end, data)

    def _until_next(self) -> float | None:
        return max(0.0, self._travelling[0][0] - monotonic()) if self._travelling else None

    def _accept(self) -> None:
        near, _ = self._listener.accept()
        ends = End(near), End(socket.create_connection((HOST, self._target)))
        ends[0].peer, ends[1].peer = ends[1], ends[0]
        for end in ends:
            end.socket.setblocking(False)
            end.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._ends[end.socket.fileno()] = end
            self._epoll.register(end.socket.fileno(), select.EPOLLIN)

    def _attend(self, end: End, events: int) -> None:
        if events & select.EPOLLOUT:
            data = bytes(end.unwritten)
            end.unwritten.clear()
            self._epoll.modify(end.socket.fileno(), select.EPOLLIN)
            self._write(end, data)
        if events & ~select.EPOLLOUT:
            self._read(end)

    def _read(self, end: End) -> None:
        assert end.peer is not None
        try:
            data = end.socket.recv(_AT_ONCE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:  # it says no more; its end travels behind what it has said
            self._forget(end)
        self._travelling.append((monotonic() + self._delay, end.peer, data))

    def _arrive(self, end: End, data: bytes) -> None:
        if not data:
            self._forget(end)
            end.socket.close()
            if end.peer is not None:
                end.peer.socket.close()
        elif end.unwritten:
            end.unwritten += data
        elif end.socket.fileno() in self._ends:
            self._write(end, data)

    def _write(self, end: End, data: bytes) -> None:
        try:
            sent = end.socket.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            return  # the end is gone, which reading it will show
        if sent < len(data):
            end.unwritten += data[sent:]
            self._epoll.modify(end.socket.fileno(), select.EPOLLIN | select.EPOLLOUT)

    def _forget(self, end: End) -> None:
        if self._ends.pop(end.socket.fileno(), None) is not None:
            self._epoll.unregister(end.socket.fileno())


if __name__ == "__main__":
    Distance(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])).run()
