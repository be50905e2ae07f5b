"""The benchmarks of imports and queues, on lists so short that only whether they measure is tested."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import bulk, processes
from benchmarks.requirements import MEMORY, PER_MILLION, RATIO, SECONDS
from helixpost.places import ROOT

ROWS = 60


@pytest.mark.parametrize("name", ["importing", "queueing"])
def test_ours_and_the_bare_load_are_measured_in_one_run(name: str, tmp_path: Path) -> None:
    options = [
        "--rows",
        str(ROWS),
        "--runs",
        "1",
        "--database",
        "sqlite",
        "--folder",
        str(tmp_path),
        "--json",
    ]
    command = [sys.executable, "-m", f"benchmarks.{name}", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == [], "what it prepared is gone"
    measure: dict[str, Any] = json.loads(done.stdout)["measures"]["sqlite"]
    ours, bare = (measure["contestants"][each] for each in ("ours, sqlite", bulk.BARE))
    assert ours[RATIO] == [ours[SECONDS][0] / bare[SECONDS][0]]
    assert ours[PER_MILLION] == [pytest.approx(ours[SECONDS][0] * 1_000_000 / ROWS)]
    assert ours[MEMORY][0] > 10, "a Python process of the product holds more than 10 MB"
    assert [each["contestant"] for each in measure["requirements"]] == ["ours, sqlite"] * 2


def test_what_ended_badly_has_no_figure(tmp_path: Path) -> None:
    with pytest.raises(processes.Failed, match="exit code 3"):
        processes.watch([sys.executable, "-c", "raise SystemExit(3)"], tmp_path / "log")
