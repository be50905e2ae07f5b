"""What the landing page needs to know, handed in by whoever starts the demo."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from demo.landing.snapshots import Snapshot, read_snapshot

PUBLIC_PATHS = {
    "subscribe": "/subscribe",
    "events": "/events",
    "archive": "/archive",
    "privacy": "/privacy",
    "accessibility": "/accessibility",
    "health": "/health",
}

ReadProgress = Callable[[], Awaitable[Mapping[str, Any] | None]]


@dataclass(frozen=True, slots=True)
class Tour:
    """Addresses of the demo's parts, commands to try, and how the demo's campaign is getting on.

    `progress` answers `{"name", "status", "scheduled_at", "counts": {…}, "audience"}`, or None while there is
    no campaign. `paths` names the service's public pages below `service_url`.
    """

    service_url: str
    chat_url: str
    inbox_url: str
    project_name: str
    commands: Sequence[str]
    progress: ReadProgress
    paths: Mapping[str, str] = field(default_factory=lambda: PUBLIC_PATHS)

    def page(self, name: str) -> str:
        """Return the address of one of the service's public pages."""
        return self.service_url.rstrip("/") + {**PUBLIC_PATHS, **self.paths}[name]

    async def snapshot(self) -> Snapshot | None:
        told = await self.progress()
        return None if told is None else read_snapshot(told)
