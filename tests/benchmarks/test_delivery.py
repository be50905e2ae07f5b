"""The delivery benchmark, on a list so short that only whether it measures is tested, not how fast."""

import json
import subprocess
import sys
from typing import Any

import pytest

from benchmarks import relays
from benchmarks.processes import Missing
from benchmarks.requirements import CPU, MEMORY, RATE, Requirement
from helixpost.places import ROOT

READERS = 50


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the script reports of one round."""
    try:
        relays.check()
    except Missing as reason:
        pytest.skip(f"SKIPPED WITHOUT POSTFIX: {reason}")
    folder = tmp_path_factory.mktemp("benchmark")
    options = ["--readers", str(READERS), "--runs", "1", "--database", "sqlite", "--only", "plain", "--json"]
    command = [sys.executable, "-m", "benchmarks.delivery", *options, "--folder", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    assert list(folder.iterdir()) == [], "what it prepared is gone"
    found: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (1 if found["not_measured"] else 0)
    return found


def test_ours_and_the_reference_are_measured_in_one_run(report: dict[str, Any]) -> None:
    contestants = report["measures"]["plain"]["contestants"]
    assert {RATE, CPU, MEMORY} <= contestants["ours, sqlite"].keys()
    for name in ("ours, sqlite", "smtp-source"):
        [rate] = contestants[name][RATE]
        assert rate > 0
    [memory] = contestants["ours, sqlite"][MEMORY]
    assert memory > 10, "a Python process of the product holds more than 10 MB"


def test_the_letter_has_the_size_that_the_promises_are_about(report: dict[str, Any]) -> None:
    assert 28_000 < report["letter_bytes"] < 31_000


def test_nodemailer_is_measured_or_what_is_missing_is_said(report: dict[str, Any]) -> None:
    measured = "Nodemailer" in report["measures"]["plain"]["contestants"]
    said = [note for note in report["not_measured"] if note.startswith("Nodemailer")]
    assert measured or said
    verdicts = {each["name"]: each["verdict"] for each in report["measures"]["plain"]["requirements"]}
    assert (verdicts["throughput against Nodemailer"] == "not measured") == bool(said)


def test_every_promise_gets_its_spread_and_its_verdict(report: dict[str, Any]) -> None:
    promises = report["measures"]["plain"]["requirements"]
    assert [each["least"] for each in promises] == [0.75, 7, 0.25, 90]
    ratio = promises[0]
    contestants = report["measures"]["plain"]["contestants"]
    expected = contestants["ours, sqlite"][RATE][0] / contestants["smtp-source"][RATE][0]
    assert ratio["minimum"] == ratio["median"] == ratio["maximum"] == pytest.approx(expected)


def test_the_median_decides_and_a_bound_may_be_from_above() -> None:
    ratio = Requirement("throughput", RATE, 0.75, 0.9, "smtp-source")
    memory = Requirement("memory", MEMORY, 90, 75)
    assert [ratio.verdict(values) for values in ([], [0.1, 0.7, 2], [0.75], [0.9])] == [
        "not measured",
        "missed",
        "met",
        "aim met",
    ]
    assert [memory.verdict([value]) for value in (91, 90, 75)] == ["missed", "met", "aim met"]


def test_a_ratio_is_taken_within_a_round() -> None:
    ratio = Requirement("throughput", RATE, 0.75, 0.9, "smtp-source")
    rounds = {"ours": [{RATE: 10.0}, {RATE: 30.0}], "smtp-source": [{RATE: 20.0}]}
    assert ratio.values(rounds, "ours") == [0.5]
