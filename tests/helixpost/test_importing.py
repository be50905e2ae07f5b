"""Imports from outside: killed and repeated, with rows to be mended, from files that are wrong."""

import asyncio
import csv
import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from domain.database import Database, DatabaseSettings
from helixpost import importing, settings
from helixpost.importing import Import
from helixpost.places import ROOT
from helixpost.wiring import Service
from tests.helixpost.conftest import Command

READERS = 300
SLICE = 50
CONSENT = ("--consent", "I agree.")
State = list[tuple[object, ...]]

_STATE = text(
    "SELECT s.email, s.name, s.language, o.name, s.email_consented_at IS NOT NULL, c.evidence, c.method, "
    "(SELECT count(*) FROM consent x WHERE x.subscriber_id = s.id), "
    "(SELECT count(*) FROM subscriber_topic t WHERE t.subscriber_id = s.id) "
    "FROM subscriber s LEFT JOIN organisation o ON o.id = s.organisation_id "
    "LEFT JOIN consent c ON c.subscriber_id = s.id ORDER BY s.email_key"
)


@pytest.fixture
def roster(tmp_path: Path) -> Path:
    """A file with readers in no order, one of them twice and one of them bad."""
    path = tmp_path / "readers.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["email", "name", "organisation", "language", "topics"])
        for number in range(READERS):
            shuffled = number * 97 % READERS
            row = [
                f"reader{shuffled}@example.org",
                f"R {shuffled}",
                f"Org {shuffled % 7}",
                "sl",
                "events;policy",
            ]
            writer.writerow(row)
        writer.writerow(["READER5@example.org", "Again", "", "", ""])
        writer.writerow(["nobody", "", "", "", ""])
    return path


@pytest.fixture
def state(database_url: str) -> Callable[[], State]:
    """Everything that imports write, by person."""

    async def look() -> State:
        database = Database(DatabaseSettings(url=database_url))
        async with database.engine.connect() as connection:
            found = [tuple(row) for row in await connection.execute(_STATE)]
        await database.close()
        return found

    return lambda: asyncio.run(look())


def _killed(config: Path, roster: Path, statement: str, times: int) -> None:
    words = [config, roster, SLICE, statement, times]
    command = [sys.executable, "-m", "tests.helixpost.killed_imports", *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.parametrize(
    ("death", "stored"),
    [
        (("INSERT INTO roster_row", 1), 0),
        (("INSERT INTO roster_newcomer", 1), 0),
        (("INSERT INTO subscriber (", 2), SLICE),
        (("INSERT INTO subscriber_topic", 3), 2 * SLICE),
        (("INSERT INTO consent (", 4), 3 * SLICE),
        (("INSERT INTO consent (", 6), 5 * SLICE),
    ],
)
def test_an_import_that_was_killed_is_completed_by_the_same_file(
    helixpost: Command,
    state: Callable[[], State],
    roster: Path,
    tmp_path: Path,
    death: tuple[str, int],
    stored: int,
) -> None:
    _killed(tmp_path / "config.toml", roster, *death)
    left_behind = state()
    assert len(left_behind) == stored
    assert all(row[-2:] == (1, 2) for row in left_behind), "whoever is stored is stored whole"
    again = json.loads(helixpost("subscribers", "import", roster, *CONSENT, "--json").out)
    assert (again["added"], again["known"], len(again["refused"])) == (READERS - stored, stored, 2)
    completed = state()
    assert [row[0] for row in completed] == sorted(f"reader{number}@example.org" for number in range(READERS))
    assert all(row[-3:] == ("import", 1, 2) for row in completed)
    lines = Counter(str(row[5]).partition(";")[0] for row in completed)
    assert set(lines) == {f"readers.csv, line {line}" for line in range(2, READERS + 2)}


def test_who_leaves_between_a_kill_and_the_next_import_stays_away(
    helixpost: Command, state: Callable[[], State], roster: Path, tmp_path: Path
) -> None:
    _killed(tmp_path / "config.toml", roster, "INSERT INTO consent (", 4)
    stored = [str(row[0]) for row in state()]
    assert helixpost("subscribers", "erase", stored[0], "--yes").code == 0
    again = json.loads(helixpost("subscribers", "import", roster, *CONSENT, "--json").out)
    assert (again["added"], again["known"], again["left"]) == (READERS - len(stored), len(stored) - 1, 1)
    assert stored[0] not in [row[0] for row in state()]


def test_refused_rows_are_mended_in_their_file_and_imported_from_there(
    helixpost: Command, tmp_path: Path
) -> None:
    file, refused, rest = (tmp_path / name for name in ("readers.csv", "refused.csv", "rest.csv"))
    file.write_text(
        "name,email,country\n"
        "Ana,ana@example.org,Slovenia\n"
        "=1+1,bor@example,SI\n"
        "Cene,cene@example.org,SI\n"
        "Cene 2,CENE@example.org,SI\n",
        encoding="utf-8",
    )
    done = helixpost("subscribers", "import", file, *CONSENT, "--refused", refused)
    assert "1 added, 0 known" in done.out
    assert f"3 rows were refused: mend them in {refused}" in done.err
    with refused.open(encoding="utf-8-sig", newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert [(row["line"], row["field"]) for row in rows] == [("2", "country"), ("3", "email"), ("5", "email")]
    assert "use an ISO 3166 code such as PT" in rows[0]["reason"]
    assert (rows[1]["name"], rows[2]["name"]) == ("'=1+1", "Cene 2")
    mended = (
        refused.read_text(encoding="utf-8-sig")
        .replace("Slovenia", "SI")
        .replace("bor@example,", "bor@example.org,")
    )
    refused.write_text(mended, encoding="utf-8")
    again = helixpost("subscribers", "import", refused, *CONSENT, "--refused", rest)
    assert "2 added, 1 known already" in again.out
    assert not rest.exists()
    assert "name: =1+1" in helixpost("subscribers", "show", "bor@example.org").out


def test_a_file_with_refused_rows_is_not_overwritten(
    helixpost: Command, roster: Path, tmp_path: Path
) -> None:
    for taken in (roster, tmp_path / "mended.csv"):
        taken.touch()
        before = taken.read_bytes()
        done = helixpost("subscribers", "import", roster, *CONSENT, "--refused", taken)
        assert (done.code, "is there already" in done.err) == (1, True)
        assert taken.read_bytes() == before
    assert helixpost("subscribers", "show", "reader1@example.org").code == 1


def test_a_trial_writes_the_refused_rows_and_nothing_else(
    helixpost: Command, roster: Path, tmp_path: Path
) -> None:
    refused = tmp_path / "refused.csv"
    done = helixpost("subscribers", "import", roster, *CONSENT, "--dry-run", "--refused", refused, "--json")
    assert json.loads(done.out)["added"] == READERS
    assert len(refused.read_text(encoding="utf-8").splitlines()) == 3
    assert helixpost("subscribers", "show", "reader1@example.org").code == 1


@pytest.mark.parametrize("size", [100, READERS + 1])
async def test_how_far_it_is_is_told_to_the_end(
    helixpost: Command, roster: Path, tmp_path: Path, size: int
) -> None:
    service = Service(settings.read(tmp_path / "config.toml"))
    told: list[tuple[str, int, int]] = []
    file = await importing.open_roster(service, roster)
    tally = await Import(service, file, tell=lambda *step: told.append(step), size=size).run("I agree.")
    await service.database.close()
    assert tally.added == READERS
    bytes_, rows = roster.stat().st_size, READERS + 1
    assert [step for step in told if step[0] == importing.READING][-1] == (importing.READING, bytes_, bytes_)
    assert told[-1] == (importing.STORING, rows, rows)
    assert sum(step[0] == importing.STORING for step in told) == -(-rows // size)
