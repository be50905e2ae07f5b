"""How a campaign stands at one moment, in the few numbers a visitor wants."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

WAITING = ("queued", "sending")
FAILED = ("failed", "bounced", "uncertain")
FINAL = ("sent", "cancelled")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A campaign's progress: `queued + sent + failed + skipped` grow to `total`."""

    name: str
    status: str
    scheduled_at: datetime | None
    queued: int
    sent: int
    failed: int
    skipped: int
    total: int

    @property
    def final(self) -> bool:
        return self.status in FINAL

    @property
    def percent(self) -> int:
        """How much of the audience is settled; 100 only when nobody is left."""
        settled = self.sent + self.failed + self.skipped
        return min(100, settled * 100 // self.total) if self.total else 0

    def seconds_left(self, now: datetime) -> int:
        """Return the whole seconds until the scheduled time, 0 when it has come or there is none."""
        if self.scheduled_at is None:
            return 0
        return max(0, int((self.scheduled_at - now).total_seconds()))

    def share(self, count: int) -> float:
        """Return the share of the audience in per cent, for the width of a bar."""
        return round(min(100.0, count * 100 / self.total), 2) if self.total else 0.0


def read_snapshot(told: Mapping[str, Any]) -> Snapshot:
    counts: Mapping[str, int] = told.get("counts") or {}
    known = sum(counts.values())
    return Snapshot(
        name=str(told["name"]),
        status=str(told["status"]),
        scheduled_at=_read_time(told.get("scheduled_at")),
        queued=_sum(counts, *WAITING),
        sent=_sum(counts, "sent"),
        failed=_sum(counts, *FAILED),
        skipped=_sum(counts, "skipped"),
        total=max(int(told.get("audience") or 0), known),
    )


def clock_text(seconds: int) -> str:
    """Write seconds as a clock does: `0:09`, `12:05`, `1:00:00`."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _sum(counts: Mapping[str, int], *names: str) -> int:
    return sum(counts.get(name, 0) for name in names)


def _read_time(told: datetime | str | None) -> datetime | None:
    if not told:
        return None
    time = datetime.fromisoformat(told) if isinstance(told, str) else told
    return time if time.tzinfo else time.replace(tzinfo=UTC)
