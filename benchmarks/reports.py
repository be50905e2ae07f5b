"""Reports: the figures of a benchmark as a table for people and as JSON for scripts."""

from collections.abc import Sequence
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.requirements import OURS, Measure, Requirement, Rounds

_WIDTH = 120
_SPREAD = ("minimum", "median", "maximum")


def as_dict(measure: Measure, rounds: Rounds) -> dict[str, Any]:
    """Return a measure's figures, one value per round, and its requirements."""
    return {
        "contestants": {
            contestant: {figure: [each[figure] for each in figures] for figure in _figures_of(figures)}
            for contestant, figures in rounds.items()
        },
        "requirements": [
            {
                "name": requirement.name,
                "contestant": contestant,
                "least": requirement.least,
                "aim": requirement.aim,
                **(dict(zip(_SPREAD, _spread(values), strict=True)) if values else {}),
                "verdict": requirement.verdict(values),
            }
            for requirement, contestant, values in _decided(measure, rounds)
        ],
    }


def print_measure(measure: Measure, rounds: Rounds) -> None:
    """Print a measure: what was promised first, then what everybody came to."""
    out = Console(highlight=False, width=_WIDTH)
    out.print(f"\n{measure.title}", style="bold")
    promises = _table("requirement", *_SPREAD, "at least", "aim", "")
    for requirement, contestant, values in _decided(measure, rounds):
        cells = [_number(value) for value in _spread(values)] if values else ["–"] * 3
        bounds = [f"{'≤ ' if requirement.at_most else ''}{bound:g}" for bound in _bounds(requirement)]
        promises.add_row(f"{contestant}: {requirement.name}", *cells, *bounds, requirement.verdict(values))
    if promises.row_count:
        out.print(promises)
    details = _table("figure", *_SPREAD)
    for contestant, figures in rounds.items():
        for figure in _figures_of(figures):
            spread = _spread([each[figure] for each in figures])
            details.add_row(f"{contestant}: {figure}", *(_number(value) for value in spread))
    if details.row_count:
        out.print(details)


def _decided(measure: Measure, rounds: Rounds) -> list[tuple[Requirement, str, list[float]]]:
    return [
        (requirement, contestant, requirement.values(rounds, contestant))
        for requirement in measure.requirements
        for contestant in rounds
        if contestant.startswith(OURS)
    ]


def _figures_of(figures: Sequence[Any]) -> list[str]:
    return list(figures[0]) if figures else []


def _spread(values: Sequence[float]) -> list[float]:
    return [min(values), median(values), max(values)]


def _bounds(requirement: Requirement) -> list[float]:
    return [requirement.least, requirement.aim]


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if 0 < number < len(columns) - (not columns[-1]) else "left")
    return table
