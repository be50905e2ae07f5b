"""What happened in the chats, kept until the bot confirms it: getUpdates."""

import itertools
from typing import Any

from demo.telegram.bells import Bell
from demo.telegram.errors import conflict

KINDS = ("message", "edited_message", "callback_query", "my_chat_member")
PAGE = 100
LONGEST_POLL = 50

Update = dict[str, Any]


class Updates:
    """A queue that redelivers until a higher offset confirms; one poller at a time."""

    def __init__(self, bell: Bell) -> None:
        self.pending: list[Update] = []
        self.allowed: list[str] = []
        self.closed = False
        self._bell = bell
        self._ids = itertools.count(100_000_001)
        self._turn = 0
        self._interruption = ""

    def add(self, kind: str, content: dict[str, Any]) -> int | None:
        """Queue an update and return its id, or None where the bot does not want the kind."""
        if self.allowed and kind not in self.allowed:
            return None
        update_id = next(self._ids)
        self.pending.append({"update_id": update_id, kind: content})
        self._bell.ring()
        return update_id

    def allow(self, kinds: list[str] | None) -> None:
        """Remember which kinds the bot wants from now on; None changes nothing, [] means all."""
        if kinds is not None:
            self.allowed = [str(kind) for kind in kinds]

    def confirm(self, offset: int) -> None:
        """Forget everything before `offset`; a negative one keeps that many from the end."""
        if offset < 0:
            self.pending = self.pending[offset:]
        else:
            self.pending = [update for update in self.pending if update["update_id"] >= offset]

    def discard(self, update_id: int) -> None:
        self.pending = [update for update in self.pending if update["update_id"] != update_id]

    def forget_all(self) -> None:
        self.pending = []

    async def poll(self, offset: int, limit: int, timeout: float) -> list[Update]:
        """Return unconfirmed updates, waiting up to `timeout` seconds for the first.

        As with the real service, a second poller ends the wait of the first one with a conflict.
        """
        self.interrupt(
            "terminated by other getUpdates request; make sure that only one bot instance is running"
        )
        turn = self._turn
        self.confirm(offset)

        def look() -> bool:
            if turn != self._turn:
                raise conflict(self._interruption)
            return bool(self.pending) or self.closed

        try:
            await self._bell.until(look, timeout=min(timeout, LONGEST_POLL))
        except TimeoutError:
            return []
        return self.pending[: min(max(limit, 1), PAGE)]

    def interrupt(self, reason: str) -> None:
        """End a poll that waits with a conflict."""
        self._turn += 1
        self._interruption = reason
        self._bell.ring()

    def close(self) -> None:
        """End waits with an empty answer, so that a server can stop."""
        self.closed = True
        self._bell.ring()
