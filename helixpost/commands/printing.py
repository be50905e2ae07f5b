"""What the commands print: lines and tables for people, JSON for scripts."""

import json
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Column, Table

_WIDEST = 1000
"""Columns of a table that a script reads: each row on one line."""

# No markup: square brackets in what people wrote are words, not styles.
out = Console(highlight=False, soft_wrap=True, markup=False)
err = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)


def print_json(value: Any) -> None:
    """Print a value as JSON, readable in every language."""
    print(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, empty: str) -> None:
    """Print rows as a table, or the sentence that says what to do when there are none. Nothing is cut off."""
    if not rows:
        out.print(empty)
        return
    folding = (Column(name, overflow="fold") for name in columns)
    table = Table(*folding, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    paper = out if out.is_terminal else Console(file=out.file, width=_WIDEST, highlight=False, markup=False)
    paper.print(table)
