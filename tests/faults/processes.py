"""Processes: a mailer of its own, killed, frozen, thawed and ended from outside."""

import asyncio
import os
import signal
from pathlib import Path

from tests.faults.nurseries import Nursery, Order

ROUNDS = int(os.environ.get("HELIXPOST_FAULT_ROUNDS", "1"))
"""How many times the usual number of kills and readers."""
PATIENCE = 120.0 if ROUNDS == 1 else 600.0
"""Seconds until a story that does not move on is given up; none is ever waited for on purpose."""


class Mailer:
    """`helixpost run mailer` in a process of its own; its log goes to a file."""

    def __init__(
        self,
        nursery: Nursery,
        config: Path,
        *,
        environment: dict[str, str],
        crash_at: str = "",
        constants: dict[str, float] | None = None,
    ) -> None:
        """Start one in the folder of its settings; with `crash_at` it kills itself at that step."""
        self._log, self._exit = config.with_suffix(".log"), config.with_suffix(".log.exit")
        named = {"HELIXPOST_CONFIG": str(config)} | environment
        words, folder, log = ["run", "mailer"], str(config.parent), str(self._log)
        self._pid = nursery.start(Order(words, folder, log, named, crash_at, constants or {}))

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return not self._exit.exists()

    @property
    def log(self) -> str:
        """What it has logged so far."""
        return self._log.read_text(encoding="utf-8", errors="replace") if self._log.exists() else ""

    def kill(self) -> None:
        """Take it away at this very moment: it gets no chance to do anything."""
        self._send(signal.SIGKILL)

    def freeze(self) -> None:
        """Stop it where it stands; it keeps its locks and its connections."""
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen one go on, knowing nothing of the time that has passed."""
        self._send(signal.SIGCONT)

    def terminate(self) -> None:
        """Ask it to end."""
        self._send(signal.SIGTERM)

    async def gone(self) -> int:
        """Return its exit code once it has ended, negative for a signal; fails when it never does."""
        try:
            async with asyncio.timeout(PATIENCE):
                while self.running:
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(f"it does not end\n{self.log[-2000:]}") from None
        return int(self._exit.read_text())

    async def put_away(self) -> None:
        """Kill it if it still runs, frozen or not."""
        self.kill()
        await self.gone()

    def _send(self, number: signal.Signals) -> None:
        if self.running:
            try:
                os.kill(self._pid, number)
            except ProcessLookupError:  # it has ended, and its code is not written yet
                return
