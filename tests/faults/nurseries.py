"""Nurseries: a process that has imported the program once, and forks it whenever one is to be run.

What runs is `helixpost run mailer` from its entry point on, in a process of its own; only the second
of imports is saved, which these tests would otherwise spend nearly all of their time with.
"""

import json
import os
import select
import signal
import subprocess
import sys
import traceback
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).parents[2]
_REST = 0.02
"""Seconds until an end that nobody waits for is noticed."""


@dataclass(frozen=True, slots=True)
class Order:
    """One process to be started."""

    words: list[str]
    """The command, without the program's name."""
    folder: str
    """Where it runs."""
    log: str
    """The file that takes what it prints; its exit code goes to a file of this name and `.exit`."""
    environment: dict[str, str]
    crash_at: str = ""
    """The step at which it kills itself (`tests.faults.crashing`)."""
    constants: dict[str, float] = field(default_factory=dict)
    """Time-outs and rests of the program made shorter, `mailer.smtp.DATA_TIMEOUT`, in seconds."""


class Nursery:
    """The door to such a process, which ends, with all that it has started, when the door is closed."""

    def __init__(self) -> None:
        """Start it; the first order waits for its imports."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.nurseries"],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, order: Order) -> int:
        """Start a process and return its number."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asdict(order)) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        """End it."""
        self._process.communicate()


def _serve() -> None:
    """Fork for every line on stdin, and write down the exit codes of those who end."""
    import mailer.role  # noqa: F401 - imported for those who are forked

    logs: dict[int, str] = {}
    while True:
        if select.select([sys.stdin], [], [], _REST)[0]:
            line = sys.stdin.readline()
            if not line:
                break
            order = Order(**json.loads(line))
            pid = os.fork() or _become(order)
            logs[pid] = order.log
            print(pid, flush=True)  # noqa: T201 - the answer to the order
        _note_ends(logs)
    for pid in logs:
        os.kill(pid, signal.SIGKILL)


def _note_ends(logs: dict[int, str]) -> None:
    while logs:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        path = Path(f"{logs.pop(pid)}.exit")
        unnamed = path.with_suffix(".new")
        unnamed.write_text(str(os.waitstatus_to_exitcode(status)))
        unnamed.rename(path)


def _become(order: Order) -> NoReturn:
    """Be the program, from its entry point to its end."""
    code = 1
    try:
        os.chdir(order.folder)
        os.environ.update(order.environment)
        _redirect(order.log)
        sys.argv = ["helixpost", *order.words]
        for name, seconds in order.constants.items():
            _set(name, seconds)
        if order.crash_at:
            from tests.faults.crashing import Step, Watcher

            Watcher(Step(order.crash_at))
        from helixpost.__main__ import main

        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - this is where the interpreter would print it
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _set(name: str, seconds: float) -> None:
    module, _, constant = name.rpartition(".")
    place = import_module(module)
    is_delta = isinstance(getattr(place, constant), timedelta)
    setattr(place, constant, timedelta(seconds=seconds) if is_delta else seconds)


def _redirect(log: str) -> None:
    nothing, out = os.open(os.devnull, os.O_RDONLY), os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for ours, theirs in ((nothing, 0), (out, 1), (out, 2)):
        os.dup2(ours, theirs)


if __name__ == "__main__":
    _serve()
