"""How fast we may write: Telegram's limits, kept on our side, and its pauses, obeyed by everybody.

https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this: 30 messages a second
over all chats, one a second in a chat (short bursts pass), 20 a minute in a group.
"""

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

PER_SECOND = 30
RESERVED = 6
"""Of those, newsletters leave so many to people who wait for an answer."""
CHAT_BURST = 5
GROUP_PER_MINUTE = 20
_MANY = 4096


@dataclass(slots=True)
class _Bucket:
    """Fills with `rate` tokens a second up to `size`; a message takes one."""

    rate: float
    size: float
    tokens: float
    filled_at: float

    def fill(self, now: float) -> None:
        self.tokens = min(self.size, self.tokens + (now - self.filled_at) * self.rate)
        self.filled_at = now

    def wait(self, keep: float = 0) -> float:
        """Return the seconds until one token more than `keep` is there."""
        return max(0.0, (1 + keep - self.tokens) / self.rate)


class Limits:
    """One for the whole bot: whoever wants to write asks for a turn."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        """Take a clock that never runs backwards."""
        self._seconds = seconds
        self._all = _Bucket(PER_SECOND, PER_SECOND, PER_SECOND, seconds())
        self._chats: dict[int, _Bucket] = {}
        self._paused_until = 0.0

    @property
    def paused(self) -> float:
        """The seconds for which nobody may write."""
        return max(0.0, self._paused_until - self._seconds())

    async def turn(self, chat_id: int | None, *, bulk: bool = False, patience: float = math.inf) -> float:
        """Wait until a message may go to that chat and return 0; `bulk` stands back behind conversations.

        A wait longer than `patience` seconds is not begun: what is left of it is returned. Without a chat
        only the limit of the whole bot counts: an answer to a button is no message.
        """
        while (wait := self.take(chat_id, bulk=bulk)) > 0:
            if wait > patience:
                return wait
            patience -= wait
            await asyncio.sleep(wait)
        return 0.0

    def take(self, chat_id: int | None, *, bulk: bool = False) -> float:
        """Use up one message and return 0, or use up nothing and return the seconds to wait."""
        now = self._seconds()
        self._all.fill(now)
        buckets = [self._all] if chat_id is None else [self._all, self._bucket(chat_id, now)]
        waits = [bucket.wait(RESERVED if bulk and bucket is self._all else 0) for bucket in buckets]
        wait = max(self._paused_until - now, *waits)
        if wait <= 0:
            for bucket in buckets:
                bucket.tokens -= 1
        return max(0.0, wait)

    def pause(self, seconds: float) -> None:
        """Let nobody write for so long: Telegram asked for it. A shorter pause never ends a longer one."""
        self._paused_until = max(self._paused_until, self._seconds() + seconds)

    def _bucket(self, chat_id: int, now: float) -> _Bucket:
        if len(self._chats) > _MANY:
            self._forget_rested(now)
        rate = 1.0 if chat_id > 0 else (GROUP_PER_MINUTE - CHAT_BURST) / 60
        bucket = self._chats.setdefault(chat_id, _Bucket(rate, CHAT_BURST, CHAT_BURST, now))
        bucket.fill(now)
        return bucket

    def _forget_rested(self, now: float) -> None:
        for bucket in self._chats.values():
            bucket.fill(now)
        self._chats = {chat: bucket for chat, bucket in self._chats.items() if bucket.tokens < bucket.size}
