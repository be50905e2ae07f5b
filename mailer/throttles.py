"""Throttles: how fast something may happen, as token buckets (GCRA). None of them ever waits by itself."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Throttle:
    """Lets through `rate` a second on average, and at most `burst` at once. Moments are seconds."""

    rate: float
    burst: float
    _full_at: float = field(default=0.0, init=False)
    """When the bucket would be full again."""

    def wait(self, now: float) -> float:
        """Return the seconds until the next may pass; 0 when it may now."""
        return max(0.0, self._full_at - now - (self.burst - 1) / self.rate)

    def pass_one(self, now: float) -> float:
        """Count one as passing at the first moment it may, and return the seconds until then."""
        wait = self.wait(now)
        self._full_at = max(self._full_at, now) + 1 / self.rate
        return wait


class DomainLimit:
    """How many letters a second a domain gets; whoever comes too soon is told when to come again."""

    def __init__(self, rate: float) -> None:
        """Set the rate, in letters a second."""
        burst = max(1.0, rate)
        self._letters = Throttle(rate, burst)
        self._returns = Throttle(rate, burst)
        """Spreads those who come again, so that they do not come all at once."""

    def wait(self, now: float) -> float:
        """Count a letter as sent and return 0, or return the seconds after which to ask again."""
        if self._letters.wait(now) == 0:
            return self._letters.pass_one(now)
        return max(self._returns.pass_one(now), self._letters.wait(now))


def throttles_of(per_second: float, per_hour: int) -> list[Throttle]:
    """Return the throttles of a relay; a limit of 0 is none.

    An hour's worth is spread over the hour, a sixtieth of it at once, so that no hour has more.
    """
    limits = []
    if per_second:
        limits.append(Throttle(per_second, max(1.0, per_second)))
    if per_hour:
        burst = max(1.0, per_hour / 60)
        limits.append(Throttle(max(per_hour - burst, 1) / 3600, burst))
    return limits
