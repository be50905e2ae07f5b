"""Copies: what a relay has accepted, in memory and in a file that outlives everybody."""

import json
import os
from collections import defaultdict
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Copy:
    """One letter that was accepted for one recipient."""

    recipient: str
    message_id: str
    connection: int
    at: str


class Book:
    """Every copy in the order of its coming; with a path also on disk, before its sender is told."""

    def __init__(self, path: Path | None = None) -> None:
        """Begin a book, or go on with the one that lies there."""
        self.copies = read(path) if path and path.exists() else []
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600) if path else None

    def keep(self, recipient: str, message_id: str, connection: int) -> None:
        """Write a copy down; it is on disk when this returns."""
        copy = Copy(recipient, message_id, connection, datetime.now(UTC).isoformat())
        self.copies.append(copy)
        if self._file is not None:
            os.write(self._file, json.dumps(asdict(copy)).encode() + b"\n")
            os.fsync(self._file)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def read(path: Path) -> list[Copy]:
    """Return the copies in a file."""
    return [Copy(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def by_recipient(copies: list[Copy]) -> dict[str, list[Copy]]:
    """Return who got which copies."""
    found: defaultdict[str, list[Copy]] = defaultdict(list)
    for copy in copies:
        found[copy.recipient].append(copy)
    return dict(found)
