"""Products: Helixpost as a user runs it, by its command, with settings of a benchmark's own."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import processes
from helixpost.places import ROOT

ZONE = "Europe/Ljubljana"
_SETTINGS = """\
[service]
name = "INTRA"
base_url = "https://news.example.org"
time_zone = "{zone}"
secret = "b3nchmarksOnlyAndNowhereElse"
operator = "Benchmark agency"
contact = "team@example.org"

[database]
url = "{database}"

[telegram]
mode = "off"

[mail]
sender = "INTRA <news@example.org>"
reply_to = "team@example.org"
postal_address = "Street 1, Maribor"

[[relays]]
host = "127.0.0.1"
port = {port}
security = "none"
{more}"""


@dataclass(frozen=True, slots=True)
class Setup:
    """What a measure sets differently from the product's own defaults."""

    connections: int | None = None
    window: int | None = None
    dkim_key: Path | None = None

    def settings(self, database: str, port: int) -> str:
        """Return the text of a settings file; its last section is the relay's."""
        more = [f"connections = {self.connections}"] if self.connections else []
        if self.window:
            more.append(f"\n[delivery]\nwindow = {self.window}")
        if self.dkim_key:
            more.append(f'\n[[dkim]]\ndomain = "example.org"\nselector = "news"\nkey = "{self.dkim_key}"')
        return _SETTINGS.format(zone=ZONE, database=database, port=port, more="\n".join([*more, ""]))


def command(config: Path, *words: str | Path) -> str:
    """Run a command to its end and return what it said; raises `Failed`."""
    log = config.with_name("command.log")
    processes.run(helixpost(*words, "--config", config), log, **options(config.parent))
    return log.read_text(encoding="utf-8")


def helixpost(*words: str | Path) -> list[str | Path]:
    """Return the words that start it."""
    return [sys.executable, "-m", "helixpost", *words]


def options(folder: Path) -> dict[str, Any]:
    """Return where and in which environment it runs: nothing there overrides the settings file."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HELIXPOST_")}
    return {"cwd": folder, "env": kept | {"PYTHONPATH": str(ROOT)}}
