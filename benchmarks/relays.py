"""Relays: postfix's test tools, a receiver that throws letters away and the sender in C we compare with."""

import os
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import processes
from benchmarks.processes import Ended, Failed, Missing, Process
from helixpost.places import ROOT

HOST = "127.0.0.1"
ONE_WAY = 0.010
"""Seconds: half of the round trip between two countries."""
_FOLDERS = ("/usr/sbin", "/usr/lib/postfix/sbin", "/usr/libexec/postfix")
_BACKLOG = "1000"
_PATIENCE = 10.0


def check() -> None:
    """Raise `Missing` when postfix's test tools are not there."""
    for name in ("smtp-sink", "smtp-source"):
        _tool(name)


@dataclass(frozen=True, slots=True)
class Relay:
    """A running receiver: where it listens, and the process behind every part of the way to it."""

    port: int
    sink: Process
    distance: Process | None = None


@contextmanager
def sink(folder: Path) -> Iterator[Relay]:
    """Run a fresh `smtp-sink` while the block runs."""
    port = free_port()
    privileges = ["-u", "nobody"] if os.geteuid() == 0 else []  # it refuses to work as root
    command = [_tool("smtp-sink"), *privileges, f"{HOST}:{port}", _BACKLOG]
    with processes.running(command, folder / "sink.log") as process:
        await_listener(port, process)
        yield Relay(port, process)


@contextmanager
def distant_sink(folder: Path) -> Iterator[Relay]:
    """Run a fresh `smtp-sink` behind a way of `ONE_WAY` seconds in each direction."""
    with sink(folder) as near:
        port = free_port()
        command = [sys.executable, "-m", "benchmarks.distances", str(port), str(near.port), str(ONE_WAY)]
        with processes.running(command, folder / "distance.log", cwd=ROOT) as process:
            await_listener(port, process)
            yield Relay(port, near.sink, process)


def source(relay: Relay, messages: int, size: int, sessions: int, folder: Path) -> Ended:
    """Send messages of so many bytes with `smtp-source`, over kept connections; raises `Failed`."""
    addresses = ["-f", "news@example.org", "-t", "reader@example.org"]
    amount = ["-s", str(min(sessions, messages)), "-l", str(size), "-m", str(messages)]
    command = [_tool("smtp-source"), "-d", *amount, *addresses, f"{HOST}:{relay.port}"]
    return processes.run(command, folder / "source.log")


def _tool(name: str) -> str:
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *_FOLDERS]))
    if found is None:
        raise Missing(
            f"{name} is missing: `apt-get install --no-install-recommends postfix` brings it "
            "(postfix itself need not run)"
        )
    return found


def free_port() -> int:
    """Return a port at which nobody listens now."""
    with socket.create_server((HOST, 0)) as listener:
        return int(listener.getsockname()[1])


def await_listener(port: int, process: Process) -> None:
    """Wait until somebody listens; raises `Failed` when the process ends first."""
    deadline = time.monotonic() + _PATIENCE
    while not process.ended and time.monotonic() < deadline:
        try:
            socket.create_connection((HOST, port)).close()
        except ConnectionRefusedError:
            time.sleep(0.01)
        else:
            return
    raise Failed(f"nothing listens at {HOST}:{port}: {process.last_words()}")
