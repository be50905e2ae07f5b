"""Processes: started, watched, and accounted by what the kernel says of them."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from resource import struct_rusage
from typing import Any

_TICKS = os.sysconf("SC_CLK_TCK")
_PATIENCE = 30.0
"""Seconds in which a process must end once it was asked to."""


class Missing(Exception):
    """Something a measure needs is not there; the sentence says how it is got."""


class Failed(Exception):
    """A run that came to no figure; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What a process had used when it ended, with its children; seconds."""

    code: int
    seconds: float
    cpu: float


class Process:
    """One child process; its words go into a file."""

    def __init__(self, command: Sequence[str | Path], log: Path, **options: Any) -> None:
        """Start it; `options` are those of `subprocess.Popen`."""
        self.log = log
        self._began = time.monotonic()
        with log.open("wb") as file:
            self._popen = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                **options,
            )
        self._ended: Ended | None = None

    @property
    def ended(self) -> bool:
        """Whether it has ended; it is waited for here, so that its account is kept."""
        return self._ended is not None or self._collect(os.WNOHANG) is not None

    def cpu(self) -> float:
        """Return the seconds of CPU that a running process has used so far, in all its threads."""
        return cpu_of(self._popen.pid)

    def peak_memory(self) -> float:
        """Return the most memory that a running process has had resident so far; MB as `top` counts them."""
        status = Path(f"/proc/{self._popen.pid}/status").read_text(encoding="ascii")
        # A process that has just ended has no memory any more, and no such line.
        peak = next((line for line in status.splitlines() if line.startswith("VmHWM:")), "VmHWM: 0 kB")
        return int(peak.split()[1]) / 1024

    def wait(self) -> Ended:
        """Wait for its end."""
        return self._ended or self._collect(0) or self.wait()

    def stop(self) -> Ended:
        """Ask it to end, and see that it does."""
        if not self.ended:
            self._popen.terminate()
            deadline = time.monotonic() + _PATIENCE
            while not self.ended and time.monotonic() < deadline:
                time.sleep(0.01)
            if not self.ended:
                self._popen.kill()
        return self.wait()

    def last_words(self) -> str:
        """Return the last line it wrote, which is its complaint when it failed."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    def _collect(self, options: int) -> Ended | None:
        number, status, used = os.wait4(self._popen.pid, options)
        if number == 0:
            return None
        self._popen.returncode = os.waitstatus_to_exitcode(status)
        self._ended = Ended(self._popen.returncode, time.monotonic() - self._began, _total(used))
        return self._ended


@contextmanager
def running(command: Sequence[str | Path], log: Path, **options: Any) -> Iterator[Process]:
    """Run a process while the block runs."""
    process = Process(command, log, **options)
    try:
        yield process
    finally:
        process.stop()


def run(command: Sequence[str | Path], log: Path, **options: Any) -> Ended:
    """Run a process to its end; raises `Failed` with its last words when it fails."""
    with running(command, log, **options) as process:
        ended = process.wait()
        _check(process, ended, command)
        return ended


def watch(command: Sequence[str | Path], log: Path, **options: Any) -> tuple[Ended, float]:
    """Do the same, and return its peak memory in MB too.

    It is looked at again and again, because what `wait4` says of it begins with our own memory.
    """
    with running(command, log, **options) as process:
        peak = 0.0
        while not process.ended:
            peak = max(peak, process.peak_memory())
            time.sleep(0.01)
        ended = process.wait()
        _check(process, ended, command)
        return ended, peak


def _check(process: Process, ended: Ended, command: Sequence[str | Path]) -> None:
    if ended.code != 0:
        how = signal.Signals(-ended.code).name if ended.code < 0 else f"exit code {ended.code}"
        raise Failed(f"{Path(command[0]).name} failed ({how}): {process.last_words()}")


def cpu_of(pid: int) -> float:
    """Return the seconds of CPU that a process has used so far, in all its threads (proc(5), stat)."""
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    fields = stat.rpartition(")")[2].split()  # the name before it may hold anything
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _total(used: struct_rusage) -> float:
    return used.ru_utime + used.ru_stime
