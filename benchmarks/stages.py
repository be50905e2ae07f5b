"""Stages: a prepared installation with INTRA's content, its readers and one approved campaign."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import databases, letters, readers
from benchmarks.databases import Original
from benchmarks.products import Setup, command
from helixpost.places import CONTENT


@dataclass(frozen=True, slots=True)
class Stage:
    """An installation on a prepared database; the campaign waits for its time."""

    original: Original
    folder: Path
    readers: int
    campaign: int
    letter: bytes
    """What one reader gets."""
    import_seconds: float | None
    """How long the readers' import took, where they were imported."""


@asynccontextmanager
async def prepared(kind: str, count: int, folder: Path, *, by_import: bool = False) -> AsyncIterator[Stage]:
    """Prepare a stage with so many readers; raises `Missing` without the database's server.

    They are put straight into the database, or come through the product's own import.
    """
    folder.mkdir(parents=True)
    async with databases.original(kind, folder / "database") as original:
        config = folder / "prepare.toml"
        config.write_text(Setup().settings(original.url, port=25), encoding="utf-8")
        command(config, "migrate")
        command(config, "content", "import", CONTENT / "intra")
        import_seconds = readers.import_file(config, count) if by_import else None
        if not by_import:
            await readers.insert(original.url, count)
        campaign = json.loads(command(config, "campaigns", "create", *letters.write(folder), "--json"))["id"]
        command(config, "campaigns", "approve", str(campaign))
        letter = _letter_of(config, campaign)
        yield Stage(original, folder, count, campaign, letter, import_seconds)


def _letter_of(config: Path, campaign: int) -> bytes:
    path = config.with_name("letter.eml")
    command(config, "campaigns", "preview", str(campaign), "--for", readers.address_of(0), "--out", path)
    return path.read_bytes()
