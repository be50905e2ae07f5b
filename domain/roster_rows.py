"""Roster rows: what one row of a roster says about one person, checked field by field."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple, TypeVar

from domain.addresses import address_of
from domain.countries import COUNTRIES, NOT_ONE
from domain.errors import Invalid
from domain.helixes import HelixGroup, TargetGroup
from domain.languages import FALLBACK, Language
from domain.refusals import NOTES, Refusal, unmarked

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
_EARLIEST_YEAR = 1990
_REMEMBERED = 10_000
"""Most words stand in a roster many thousand times; what is refused is raised, so it is not remembered."""
_Word = TypeVar("_Word", TargetGroup, HelixGroup, Language)


class Row(NamedTuple):
    """One good row: a million of them pass, so it is flat and light, and its words are plain text."""

    line: int
    email: str
    email_key: str
    name: str
    organisation: str
    target_group: str | None
    helix_group: str | None
    country: str | None
    region: str
    language: str
    topics: tuple[str, ...]
    consented_at: datetime | None


class RowReader:
    """Reads the rows of one file: it knows where the columns stand, and what may stand in them.

    A consent dated more than a day after `now` refuses its row: a date without a zone is read as UTC.
    """

    def __init__(self, header: list[str], topics: frozenset[str], now: datetime) -> None:
        """Take the names of the columns; raises `Invalid` for one that is unknown, twice there or missing."""
        self._has_notes = tuple(header[: len(NOTES)]) == NOTES
        self.names = header[len(NOTES) :] if self._has_notes else header
        _check_names(self.names)
        # A column that the file has not is read from the blank that is added to every row.
        self._order = [self.names.index(name) if name in self.names else -1 for name in COLUMNS]
        self._topics, self._tomorrow = topics, now + timedelta(days=1)

    def read(self, line: int, fields: list[str]) -> Row | Refusal:
        """Return what the row on that line says, or why it is refused."""
        if self._has_notes:
            fields = [unmarked(text) for text in fields[len(NOTES) :]]
        try:
            return self._row_of(line, self._arrange(fields))
        except Invalid as error:
            return Refusal(line, error.field, error.reason, tuple(fields))

    def _arrange(self, fields: list[str]) -> list[str]:
        if len(fields) != len(self.names):
            raise Invalid("row", "it has more or fewer fields than the first line; check commas and quotes")
        whole = "".join(fields)
        if len(whole) > LONGEST_FIELD or not whole.isprintable():
            self._check(fields)
        texts = [*fields, ""]
        return [texts[index].strip() for index in self._order]

    def _check(self, fields: list[str]) -> None:
        for name, text in zip(self.names, fields, strict=True):
            if len(text) > LONGEST_FIELD:
                raise Invalid(name, f"longer than {LONGEST_FIELD} characters; check commas and quotes")
            if not text.isprintable():
                raise Invalid(name, "it has control characters; take them out")

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
            _word("language", language, Language) or str(FALLBACK),
            _topics_of(topics, self._topics),
            self._moment(consented_at) if consented_at else None,
        )

    def _moment(self, text: str) -> datetime:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise Invalid("consented_at", f"{text!r} is not a date; write 2026-03-01T10:00:00Z") from None
        if moment.year < _EARLIEST_YEAR:
            raise Invalid("consented_at", f"{text!r} is no date on which somebody agreed")
        dated = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        if dated > self._tomorrow:
            raise Invalid("consented_at", f"{text!r} is still to come; write the day on which they agreed")
        return dated


def written(row: Row, names: Sequence[str]) -> tuple[str, ...]:
    """Return a good row's fields as a file with those columns would have them."""
    texts = {
        "email": row.email,
        "name": row.name,
        "organisation": row.organisation,
        "target_group": row.target_group,
        "helix": row.helix_group,
        "country": row.country,
        "region": row.region,
        "language": row.language,
        "topics": ";".join(row.topics),
        "consented_at": row.consented_at.isoformat() if row.consented_at else "",
    }
    return tuple(texts[name] or "" for name in names)


def _check_names(names: list[str]) -> None:
    for name in names:
        if name not in COLUMNS:
            raise Invalid("header", f"unknown column {name!r}; the columns are {', '.join(COLUMNS)}")
        if names.count(name) > 1:
            raise Invalid("header", f"the column {name!r} stands there twice")
    if "email" not in names:
        raise Invalid("header", "there is no column 'email'; the first line names the columns")


@lru_cache(_REMEMBERED)
def _groups(target: str, helix: str) -> tuple[str | None, str | None]:
    group = _word("target_group", target, TargetGroup)
    own = _word("helix", helix, HelixGroup)
    counted = TargetGroup(group).helix_group if group else None
    return group, own or (str(counted) if counted else None)


@lru_cache(_REMEMBERED)
def _word(field: str, text: str, words: type[_Word]) -> str | None:
    try:
        return str(words(text.lower())) if text else None
    except ValueError:
        raise Invalid(field, f"{text!r} is not one of {', '.join(words)}") from None


@lru_cache(_REMEMBERED)
def _country(text: str) -> str | None:
    code = text.upper()
    if code and code not in COUNTRIES:
        raise Invalid("country", f"{text!r} {NOT_ONE}")
    return code or None


@lru_cache(_REMEMBERED)
def _topics_of(text: str, known: frozenset[str]) -> tuple[str, ...]:
    topics = {part.strip() for part in text.replace(",", ";").split(";") if part.strip()}
    if unknown := sorted(topics - known):
        raise Invalid("topics", f"{unknown[0]!r} is not one of {', '.join(sorted(known)) or 'any topics'}")
    return tuple(sorted(topics))
