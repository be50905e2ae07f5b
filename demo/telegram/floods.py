"""Flood control: how fast a bot may write to one chat."""

import math
from dataclasses import dataclass, field

from demo.telegram.errors import too_many_requests


@dataclass
class Flood:
    """Messages per second that a chat takes for long, and how many at once before that."""

    rate: float = 1.0
    burst: int = 20
    _left: dict[int, tuple[float, float]] = field(default_factory=dict)

    def spend(self, chat_id: int, now: float) -> None:
        """Count one message; refuse it with 429 and the seconds to wait when the chat is full."""
        tokens, then = self._left.get(chat_id, (float(self.burst), now))
        tokens = min(float(self.burst), tokens + (now - then) * self.rate)
        if tokens < 1:
            raise too_many_requests(max(1, math.ceil((1 - tokens) / self.rate)))
        self._left[chat_id] = (tokens - 1, now)
