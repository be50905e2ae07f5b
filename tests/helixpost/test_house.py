"""The rules of the house that no linter knows."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("helixpost", "domain", "wording", "knowledge", "bot", "mailer", "web", "demo")
DUMPS = {"utils", "helpers", "common", "misc", "core", "base", "manager", "service", "services", "handlers"}
LONGEST_FILE = 400


def _modules() -> list[Path]:
    return [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]


def test_no_module_is_a_dump() -> None:
    assert [path for path in _modules() if path.stem in DUMPS] == []


def test_no_file_grows_past_what_one_can_read() -> None:
    assert [path for path in _modules() if len(path.read_text().splitlines()) > LONGEST_FILE] == []


def test_every_module_says_what_it_owns() -> None:
    silent = [path for path in _modules() if not path.read_text().startswith('"""')]
    assert silent == []


def test_nothing_is_left_to_do_later() -> None:
    mark = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    assert [path for path in _modules() if mark.search(path.read_text())] == []


def test_the_lock_file_pins_with_hashes_and_names_no_registry() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    pins = re.findall(r"^[a-z0-9-]+(?:\[[a-z,]+\])?==\S+.*?(?=^[a-z]|\Z)", lock, re.MULTILINE | re.DOTALL)
    assert len(pins) > 50
    assert [pin for pin in pins if "--hash=sha256:" not in pin] == []
    assert "://" not in lock


def test_no_secret_lies_in_the_tree() -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert "config.toml" not in tracked
    assert not [name for name in tracked if name.startswith(("var/", ".env", ".venv/"))]
