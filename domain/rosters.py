"""Rosters: CSV files of subscribers, read row by row; bad rows are named, good rows are kept."""

import csv
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from io import TextIOWrapper
from os import fstat
from pathlib import Path
from typing import NamedTuple, TypeVar

from domain.addresses import address_of
from domain.countries import COUNTRIES
from domain.errors import Invalid
from domain.helixes import HelixGroup, TargetGroup
from domain.languages import FALLBACK, Language

COLUMNS = (
    "email",
    "name",
    "organisation",
    "target_group",
    "helix",
    "country",
    "region",
    "language",
    "topics",
    "consented_at",
)
LONGEST_FIELD = 500
"""Characters of one field; a longer one is a broken file rather than a name."""
LONGEST_LINE = 100_000
"""Characters of one line; what has no ends of lines is not taken into memory."""
MOST_ROWS = 2_000_000
LARGEST_FILE = 1_000_000_000
"""Bytes."""
_EARLIEST_YEAR = 1990
_NOT_UTF8 = re.compile("[\udc80-\udcff]")
_Word = TypeVar("_Word", TargetGroup, HelixGroup, Language)


class Row(NamedTuple):
    """One good row: a million of them pass, so it is flat and light."""

    line: int
    email: str
    email_key: str
    name: str
    organisation: str
    target_group: TargetGroup | None
    helix_group: HelixGroup | None
    country: str | None
    region: str
    language: Language
    topics: tuple[str, ...]
    consented_at: datetime | None


class Refusal(NamedTuple):
    """One bad row, with the reason and what to do."""

    line: int
    reason: str


class Roster:
    """A file of subscribers; each time it is gone through it is read once, whatever its size in little memory.

    A consent dated more than a day after `now` refuses its row: a date without a zone is read as UTC.
    """

    def __init__(
        self, path: Path, topics: frozenset[str], now: datetime, *, most_rows: int = MOST_ROWS
    ) -> None:
        """Take the file, the topics that its rows may name, and the present moment; nothing is opened yet."""
        self._path, self._topics = path, topics
        self._tomorrow = now + timedelta(days=1)
        self._most_rows = most_rows
        self._file: TextIOWrapper | None = None

    @property
    def size(self) -> int:
        """Bytes of the open file; 0 when nobody can tell, as of a pipe."""
        return fstat(self._file.fileno()).st_size if self._file else 0

    @property
    def position(self) -> int:
        """Bytes of it that are read."""
        return self._file.buffer.tell() if self._file and self.size else 0

    def __iter__(self) -> Iterator[Row | Refusal]:
        """Read row by row; raises `Invalid` when the file as a whole cannot be right."""
        try:
            # A byte that is not UTF-8 comes as half a surrogate pair, so that its line can be named.
            with self._path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as self._file:
                yield from self._rows(self._file)
        except OSError as error:
            raise Invalid(str(self._path), f"cannot be read ({error.strerror})") from None
        finally:
            self._file = None

    def _rows(self, file: TextIOWrapper) -> Iterator[Row | Refusal]:
        if self.size > LARGEST_FILE:
            raise Invalid(str(self._path), f"larger than {LARGEST_FILE:,} bytes; split it into several files")
        reader = csv.reader(self._lines(file), strict=True)
        begun, count = 1, 0
        try:
            columns = _Columns(f"{self._path}:1", next(reader, []))
            begun = reader.line_num + 1
            for fields in reader:
                begun = reader.line_num + 1
                if fields:
                    count += 1
                    yield self._read_row(reader.line_num, columns, fields)
                if count > self._most_rows:
                    raise Invalid(
                        str(self._path), f"more than {self._most_rows:,} rows; split it into several files"
                    )
        except csv.Error as error:
            raise Invalid(f"{self._path}:{begun}", f"this is not CSV ({error})") from None

    def _lines(self, file: TextIOWrapper) -> Iterator[str]:
        number = 0
        while line := file.readline(LONGEST_LINE):
            number += 1
            if len(line) == LONGEST_LINE:
                raise Invalid(f"{self._path}:{number}", f"{LONGEST_LINE:,} characters without the end of a line")
            if not line.isascii() and _NOT_UTF8.search(line):
                raise Invalid(f"{self._path}:{number}", "not UTF-8; save it as CSV UTF-8")
            yield line

    def _read_row(self, line: int, columns: "_Columns", fields: list[str]) -> Row | Refusal:
        try:
            return self._row_of(line, columns.arrange(fields))
        except Invalid as error:
            return Refusal(line, str(error))

    def _row_of(self, line: int, texts: list[str]) -> Row:
        email, name, organisation, target, helix, country, region, language, topics, consented_at = texts
        address = address_of(email)
        target_group, helix_group = _groups(target, helix)
        return Row(
            line,
            address.email,
            address.key,
            " ".join(name.split()),
            " ".join(organisation.split()),
            target_group,
            helix_group,
            _country(country),
            region,
            _word("language", language, Language) or FALLBACK,
            _topics_of(topics, self._topics),
            self._moment(consented_at),
        )

    def _moment(self, text: str) -> datetime | None:
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise Invalid("consented_at", f"{text!r} is not a date; write 2026-03-01T10:00:00Z") from None
        if not _EARLIEST_YEAR <= moment.year <= self._tomorrow.year + 1:
            raise Invalid("consented_at", f"{text!r} is no date on which somebody agreed")
        dated = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        if dated > self._tomorrow:
            raise Invalid("consented_at", f"{text!r} is still to come; write the day on which they agreed")
        return dated


class _Columns:
    """Where the columns of one file stand."""

    def __init__(self, place: str, names: list[str]) -> None:
        for name in names:
            if name not in COLUMNS:
                known = ", ".join(COLUMNS)
                raise Invalid(place, f"unknown column {name!r}; the columns are {known}")
            if names.count(name) > 1:
                raise Invalid(place, f"the column {name!r} stands there twice")
        if "email" not in names:
            raise Invalid(place, "there is no column 'email'; the first line names the columns")
        self._names = names
        # A column that the file has not is read from the blank that is added to every row.
        self._order = [names.index(name) if name in names else len(names) for name in COLUMNS]

    def arrange(self, fields: list[str]) -> list[str]:
        """Return the fields in our order, stripped; raises `Invalid` for what no field can be."""
        if len(fields) != len(self._names):
            raise Invalid("row", "it has more or fewer fields than the first line; check commas and quotes")
        whole = "".join(fields)
        if len(whole) > LONGEST_FIELD or not whole.isprintable():
            self._check(fields)
        fields.append("")
        return [fields[index].strip() for index in self._order]

    def _check(self, fields: list[str]) -> None:
        for name, text in zip(self._names, fields, strict=True):
            if len(text) > LONGEST_FIELD:
                raise Invalid(name, f"longer than {LONGEST_FIELD} characters; check commas and quotes")
            if not text.isprintable():
                raise Invalid(name, "it has control characters; take them out")


# Most words stand in a roster many thousand times. What is refused is raised, so it is not remembered.


@lru_cache
def _groups(target: str, helix: str) -> tuple[TargetGroup | None, HelixGroup | None]:
    group = _word("target_group", target, TargetGroup)
    return group, _word("helix", helix, HelixGroup) or (group.helix_group if group else None)


@lru_cache
def _word(field: str, text: str, words: type[_Word]) -> _Word | None:
    try:
        return words(text.lower()) if text else None
    except ValueError:
        raise Invalid(field, f"{text!r} is not one of {', '.join(words)}") from None


@lru_cache
def _country(text: str) -> str | None:
    code = text.upper()
    if code and code not in COUNTRIES:
        raise Invalid("country", f"{text!r} is not a country; use an ISO 3166 code such as PT (the UK is GB)")
    return code or None


@lru_cache
def _topics_of(text: str, known: frozenset[str]) -> tuple[str, ...]:
    topics = {part.strip() for part in text.replace(",", ";").split(";") if part.strip()}
    if unknown := sorted(topics - known):
        raise Invalid("topics", f"{unknown[0]!r} is not one of {', '.join(sorted(known)) or 'any topics'}")
    return tuple(sorted(topics))
