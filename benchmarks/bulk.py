"""Bulk work: one job of ours over very many rows beside the plainest load of the same rows, in turns."""

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import reports
from benchmarks.contests import FOLDER, Run, count, say, workplace
from benchmarks.processes import Failed, Missing
from benchmarks.requirements import (
    MEMORY,
    OURS,
    PER_MILLION,
    RATIO,
    SECONDS,
    Figures,
    Measure,
    Rounds,
)

BARE = "bare load"
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Task:
    """What a benchmark was asked to do on one kind of database."""

    kind: str
    folder: Path
    rows: int
    runs: int


async def in_turns(task: Task, ours: Run, bare: Run) -> Rounds:
    """Run both in turns, so that what else the machine does meets both; a ratio belongs to its round."""
    name = f"{OURS}, {task.kind}"
    rounds: dict[str, list[Figures]] = {name: [], BARE: []}
    for number in range(task.runs):
        reference, figures = await bare(), await ours()
        rounds[BARE].append(reference)
        rounds[name].append({**figures, RATIO: figures[SECONDS] / reference[SECONDS]})
        told = f"{figures[SECONDS]:.2f} seconds, the bare load {reference[SECONDS]:.2f}"
        say(f"{task.kind}, round {number + 1} of {task.runs}: {told}")
    return rounds


def figures_of(task: Task, seconds: float, peak_memory: float) -> Figures:
    """Return what a process came to, by name."""
    return {SECONDS: seconds, PER_MILLION: seconds * _MILLION / task.rows, MEMORY: peak_memory}


def run(name: str, measures: Mapping[str, Measure], measure: Callable[[Task], Awaitable[Rounds]]) -> int:
    """Measure on each kind of database that was asked for, and report; 1 = something was not measured."""
    arguments = _arguments(name, list(measures))
    measured: dict[str, Rounds] = {}
    notes = []
    with workplace(arguments.folder) as folder:
        for kind in arguments.database or list(measures):
            task = Task(kind, folder / kind, arguments.rows, arguments.runs)
            task.folder.mkdir()
            try:
                measured[kind] = asyncio.run(_awaited(measure(task)))
            except (Failed, Missing) as reason:
                notes.append(f"{kind}: {reason}")
    if arguments.json:
        print(json.dumps(_as_dict(arguments.rows, measures, measured, notes), indent=2))
    else:
        _print(arguments.rows, measures, measured, notes)
    return 1 if notes else 0


async def _awaited(work: Awaitable[Rounds]) -> Rounds:
    return await work


def _as_dict(
    rows: int, measures: Mapping[str, Measure], measured: Mapping[str, Rounds], notes: list[str]
) -> dict[str, Any]:
    reported = {kind: reports.as_dict(measures[kind], rounds) for kind, rounds in measured.items()}
    return {"rows": rows, "measures": reported, "not_measured": notes}


def _print(
    rows: int, measures: Mapping[str, Measure], measured: Mapping[str, Rounds], notes: list[str]
) -> None:
    print(f"\n{rows:,} rows")
    for kind, rounds in measured.items():
        reports.print_measure(measures[kind], rounds)
    for note in notes:
        print(f"not measured: {note}")


def _arguments(name: str, kinds: list[str]) -> argparse.Namespace:
    doc = sys.modules["__main__"].__doc__
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=doc)
    parser.add_argument("--rows", type=count, default=_MILLION, help="how many people")
    parser.add_argument("--runs", type=count, default=3, help="rounds; the median decides")
    parser.add_argument("--database", choices=kinds, action="append", help="may be repeated; none = each")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="on which disk to work")
    parser.add_argument("--json", action="store_true", help="print JSON for scripts")
    return parser.parse_args()
