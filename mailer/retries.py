"""Retries: when a letter that could not be handed over is tried again, and when we stop trying."""

import random
from datetime import datetime, timedelta

DEADLINE = timedelta(days=3)
"""How long we try: news that comes later is none, and a taken letter is the relay's to retry."""
FEWEST_ATTEMPTS = 8
"""Tried at least so often: a campaign that was paused for days gets its chance too."""
RELAY_REST = timedelta(seconds=30)
"""After which a letter is offered again when it was the relay that could not be used."""
_DELAYS = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
)
_JITTER = 0.25


def next_attempt(attempt: int, since: datetime, now: datetime) -> datetime | None:
    """Return when to try again after that attempt; None when the deadline since `since` is over.

    No wait is longer than the time since `since`: a short outage of the relay makes many attempts, and
    must not make hours of the first wait after it.
    """
    if attempt >= FEWEST_ATTEMPTS and now - since >= DEADLINE:
        return None
    delay = _DELAYS[min(max(attempt, 1), len(_DELAYS)) - 1]
    return now + jittered(min(delay, max(now - since, _DELAYS[0])))


def jittered(delay: timedelta) -> timedelta:
    """Return the delay made up to a quarter longer, so that letters do not come back all at once."""
    return delay * random.uniform(1, 1 + _JITTER)  # noqa: S311 - nobody gains by guessing it
