"""Refusals: the bad rows of a roster, in a file that is mended and imported again."""

import csv
import re
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple, Self

from domain.errors import Invalid

if TYPE_CHECKING:
    from domain.rosters import Roster

NOTES = ("line", "field", "reason")
"""The columns before a refused row's own; what stands in them is not read again."""
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_MARKED = re.compile(rf"'{_FORMULA.pattern}")


class Refusal(NamedTuple):
    """One bad row: the line on which it begins, the field, the reason with its cure, and its own words."""

    line: int
    field: str
    reason: str
    fields: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The field and the reason in one."""
        return f"{self.field}: {self.reason}"


class RefusalFile:
    """A CSV file of bad rows as they stood, each behind its notes; it is made when the first one comes."""

    def __init__(self, path: Path, roster: "Roster") -> None:
        """Name the file; raises `Invalid` when there is one already, which may be half mended."""
        if path.exists():
            raise Invalid(str(path), "is there already; name another file for the refused rows, or delete it")
        self._path, self._roster = path, roster
        self._file: IO[str] | None = None
        self._writer: Any = None

    def __enter__(self) -> Self:
        """Begin: nothing is written yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def write(self, refusal: Refusal) -> None:
        """Add one row."""
        if self._file is None:
            # With a mark of UTF-8 at its beginning, for spreadsheets; "x" overwrites nothing.
            self._file = self._path.open("x", encoding="utf-8-sig", newline="")
            self._writer = csv.writer(self._file)
            self._writer.writerow((*NOTES, *self._roster.names))
        self._writer.writerow((*refusal[:3], *map(marked, refusal.fields)))


def marked(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula: an apostrophe says that it is text."""
    return f"'{text}" if _FORMULA.match(text) else text


def unmarked(text: str) -> str:
    """Return what `marked` was given."""
    return text[1:] if _MARKED.match(text) else text
