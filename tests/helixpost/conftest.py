"""The command line as a script sees it: words in, exit code and output out."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from helixpost.__main__ import main

SETTINGS = """
[service]
name = "INTRA"
base_url = "http://127.0.0.1:8080"
secret = "k3yF0rTh3T3stsOnlyAndNowhereElse"
contact = "team@example.org"
[database]
url = "{url}"
[mail]
sender = "INTRA <news@example.org>"
postal_address = "Street 1, Maribor"
[[relays]]
host = "127.0.0.1"
port = 1
security = "none"
"""


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

    code: int
    out: str
    err: str


Command = Callable[..., Result]


@pytest.fixture
def bare(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """The command on an empty, migrated database."""
    config = tmp_path / "config.toml"
    config.write_text(SETTINGS.format(url=database_url), encoding="utf-8")
    monkeypatch.setenv("HELIXPOST_CONFIG", str(config))

    def run(*words: str | Path) -> Result:
        monkeypatch.setattr(sys, "argv", ["helixpost", *map(str, words)])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return run


@pytest.fixture
def helixpost(bare: Command) -> Command:
    """The command on a database with INTRA's content."""
    assert bare("content", "import", "content/intra").code == 0
    return bare
