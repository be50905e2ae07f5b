"""Rosters: CSV files of subscribers, read row by row; bad rows are named, good rows are kept."""

import csv
import re
from collections.abc import Iterator
from datetime import datetime
from io import TextIOWrapper
from os import SEEK_CUR, fstat, lseek
from pathlib import Path

from domain.errors import Invalid
from domain.refusals import Refusal
from domain.roster_rows import Row, RowReader

LONGEST_LINE = 100_000
"""Characters of one line; what has no ends of lines is not taken into memory."""
MOST_ROWS = 2_000_000
LARGEST_FILE = 1_000_000_000
"""Bytes."""
_NOT_UTF8 = re.compile("[\udc80-\udcff]")


class Roster:
    """A file of subscribers, or a pipe: it is gone through once, with little of it in memory at a time."""

    def __init__(
        self, path: Path, topics: frozenset[str], now: datetime, *, most_rows: int = MOST_ROWS
    ) -> None:
        """Take the file, the topics that its rows may name, and the present moment; nothing is opened yet."""
        self.path = path
        self._topics, self._now = topics, now
        self._most_rows = most_rows
        self.size = 0
        """Bytes of the file, once it is opened; 0 when nobody can tell, as of a pipe."""
        self._file: TextIOWrapper | None = None
        self._reader: RowReader | None = None

    @property
    def names(self) -> list[str]:
        """Its columns in their order, once its first line is read."""
        return self._reader.names if self._reader else []

    @property
    def position(self) -> int:
        """Bytes of it that are read; 0 when nobody can tell, as of a pipe."""
        return lseek(self._file.fileno(), 0, SEEK_CUR) if self._file and self.size else self.size

    def __iter__(self) -> Iterator[Row | Refusal]:
        """Read row by row; raises `Invalid` when the file as a whole cannot be right."""
        try:
            # A byte that is not UTF-8 comes as half a surrogate pair, so that its line can be named.
            with self.path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as self._file:
                self.size = fstat(self._file.fileno()).st_size
                if self.size > LARGEST_FILE:
                    raise self._invalid(f"larger than {LARGEST_FILE:,} bytes; split it into several files")
                yield from self._rows(self._file)
        except OSError as error:
            raise self._invalid(f"cannot be read ({error.strerror})") from None
        finally:
            self._file = None

    def _rows(self, file: TextIOWrapper) -> Iterator[Row | Refusal]:
        records = self._records(file)
        reader = self._reader = self._read_header(next(records, (1, []))[1])
        left = self._most_rows
        for line, fields in records:
            if not fields:  # a blank line
                continue
            if not left:
                raise self._invalid(f"more than {self._most_rows:,} rows; split it into several files")
            left -= 1
            yield reader.read(line, fields)

    def _read_header(self, header: list[str]) -> RowReader:
        try:
            return RowReader(header, self._topics, self._now)
        except Invalid as error:
            raise self._invalid(error.reason, 1) from None

    def _records(self, file: TextIOWrapper) -> Iterator[tuple[int, list[str]]]:
        """Yield each record with the line on which it begins."""
        reader, begun = csv.reader(self._lines(file), strict=True), 1
        try:
            for fields in reader:
                yield begun, fields
                begun = reader.line_num + 1
        except csv.Error as error:
            raise self._invalid(f"this is not CSV ({error})", begun) from None

    def _lines(self, file: TextIOWrapper) -> Iterator[str]:
        number = 0
        while line := file.readline(LONGEST_LINE):
            number += 1
            if len(line) == LONGEST_LINE:
                raise self._invalid(f"{LONGEST_LINE:,} characters without the end of a line", number)
            if not line.isascii() and _NOT_UTF8.search(line):
                raise self._invalid("not UTF-8; save it as CSV UTF-8", number)
            yield line

    def _invalid(self, reason: str, line: int | None = None) -> Invalid:
        return Invalid(f"{self.path}:{line}" if line else str(self.path), reason)
