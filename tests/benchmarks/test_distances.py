"""The delaying relay: every byte arrives, in order, and none before its time."""

import socket
import socketserver
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from benchmarks import processes, relays
from helixpost.places import ROOT

ONE_WAY = 0.05
PATIENCE = 20.0


class Echo(socketserver.BaseRequestHandler):
    """Says again what it hears, until nothing more is said, or the word is QUIT."""

    def handle(self) -> None:
        while data := self.request.recv(1 << 16):
            self.request.sendall(data)
            if data == b"QUIT":
                return


@pytest.fixture
def far_echo(tmp_path: Path) -> Iterator[int]:
    """The port at which an echo answers from a distance."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever).start()
        port, target = relays.free_port(), server.server_address[1]
        command = [sys.executable, "-m", "benchmarks.distances", str(port), str(target), str(ONE_WAY)]
        with processes.running(command, tmp_path / "distance.log", cwd=ROOT) as process:
            relays.await_listener(port, process)
            yield port
        server.shutdown()


def _call(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), PATIENCE)


def _hear(line: socket.socket, count: int) -> bytes:
    heard = bytearray()
    while len(heard) < count and (data := line.recv(1 << 16)):
        heard += data
    return bytes(heard)


def test_an_answer_takes_the_way_there_and_back(far_echo: int) -> None:
    with _call(far_echo) as line:
        began = time.monotonic()
        line.sendall(b"are you there?")
        assert _hear(line, 14) == b"are you there?"
        assert time.monotonic() - began >= 2 * ONE_WAY, "faster than the way is long"


def test_much_at_once_over_many_connections_arrives_whole_and_in_order(far_echo: int) -> None:
    def talk(number: int) -> bool:
        said = bytes([number]) * 100 + bytes(range(256)) * 8000
        with _call(far_echo) as line, ThreadPoolExecutor(1) as mouth:
            mouth.submit(line.sendall, said)
            return _hear(line, len(said)) == said

    with ThreadPoolExecutor(10) as talkers:
        assert all(talkers.map(talk, range(10)))


def test_the_end_of_a_connection_travels_behind_its_last_word(far_echo: int) -> None:
    with _call(far_echo) as line:
        line.sendall(b"QUIT")
        assert _hear(line, 4) == b"QUIT"
        assert line.recv(1) == b""
