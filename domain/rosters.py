"""Rosters: CSV files of subscribers, read row by row; bad rows are named, good rows are kept."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from domain import consents, organisations, suppressions
from domain.addresses import Address, address_of
from domain.consents import Action, Consent, Method
from domain.countries import COUNTRIES, NOT_ONE
from domain.errors import Invalid
from domain.helixes import HelixGroup, TargetGroup
from domain.keys import Keyring
from domain.languages import FALLBACK, Language
from domain.subscribers import Channel, Profile, Subscriber, SubscriberTopic

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
_Word = TypeVar("_Word", TargetGroup, HelixGroup, Language)

_EARLIEST_YEAR = 1990
LONGEST_FIELD = 500
"""Characters of one field; a longer one is a broken file rather than a name."""
BATCH = 500
"""Rows that share one transaction."""


@dataclass(frozen=True, slots=True)
class Row:
    """One good row."""

    line: int
    address: Address
    profile: Profile
    consented_at: datetime | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """One bad row, with the reason and what to do."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Tally:
    """What an import did, or would do."""

    added: int = 0
    known: int = 0
    left: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        """Return the sums of two imports."""
        return Tally(self.added + other.added, self.known + other.known, self.left + other.left)


def read(path: Path, topics: frozenset[str], now: datetime) -> Iterator[Row | Refusal]:
    """Read a roster row by row; raises `Invalid` when the file as a whole cannot be right.

    A consent dated more than a day after `now` refuses its row: a date without a zone is read as UTC.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            _check_header(path, reader.fieldnames or [])
            seen: dict[str, int] = {}
            for fields in reader:
                yield _read_row(reader.line_num, fields, topics, now, seen)
    except UnicodeDecodeError:
        raise Invalid(f"{path}:{_undecodable_line(path)}", "not UTF-8; save it as CSV UTF-8") from None
    except csv.Error as error:
        # The reader counts the lines that it has finished; it stumbled over the next one.
        raise Invalid(f"{path}:{reader.line_num + 1}", f"this is not CSV ({error})") from None
    except OSError as error:
        raise Invalid(str(path), f"cannot be read ({error.strerror})") from None


async def add(
    session: AsyncSession, rows: list[Row], consent_text: str, keyring: Keyring, origin: str, now: datetime
) -> Tally:
    """Add new subscribers with their consents; nobody is overwritten, nobody who left is revived.

    `origin` names the file in the register, next to the line number.
    """
    fresh, tally = await _sort(session, rows, keyring)
    numbers = await _insert(session, fresh, now)
    await _insert_topics(session, fresh, numbers)
    await _insert_consents(session, fresh, numbers, consent_text, origin, now)
    return tally


async def compare(session: AsyncSession, rows: list[Row], keyring: Keyring) -> Tally:
    """Return what `add` would do, changing nothing."""
    return (await _sort(session, rows, keyring))[1]


async def _sort(session: AsyncSession, rows: list[Row], keyring: Keyring) -> tuple[list[Row], Tally]:
    known = await _known(session, rows)
    hashes = {row.address.key: keyring.hash_address(row.address.key) for row in rows}
    left = await suppressions.suppressed(session, list(hashes.values()))
    new = [row for row in rows if row.address.key not in known]
    fresh = [row for row in new if hashes[row.address.key] not in left]
    return fresh, Tally(len(fresh), len(rows) - len(new), len(new) - len(fresh))


def _undecodable_line(path: Path) -> int:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return number
    return 1


def _check_header(path: Path, names: Any) -> None:
    unknown = sorted(set(names) - set(COLUMNS))
    if unknown:
        known = ", ".join(COLUMNS)
        raise Invalid(f"{path}:1", f"unknown column {unknown[0]!r}; the columns are {known}")
    if "email" not in names:
        raise Invalid(f"{path}:1", "there is no column 'email'; the first line names the columns")


def _read_row(
    line: int, fields: Mapping[str, Any], topics: frozenset[str], now: datetime, seen: dict[str, int]
) -> Row | Refusal:
    try:
        row = _row_of(line, _texts_of(fields), topics, now)
        _check_new(row, seen)
    except Invalid as error:
        return Refusal(line, str(error))
    return row


def _check_new(row: Row, seen: dict[str, int]) -> None:
    first = seen.setdefault(row.address.key, row.line)
    if first != row.line:
        raise Invalid("email", f"the same address stands in line {first}; keep one")


def _texts_of(fields: Mapping[Any, Any]) -> dict[str, str]:
    if None in fields or None in fields.values():
        raise Invalid("row", "it has more or fewer fields than the first line; check commas and quotes")
    for name, text in fields.items():
        if len(text) > LONGEST_FIELD:
            raise Invalid(name, f"longer than {LONGEST_FIELD} characters; check commas and quotes")
        if not text.isprintable():
            raise Invalid(name, "it has control characters; take them out")
    return {name: text.strip() for name, text in fields.items()}


def _row_of(line: int, texts: dict[str, str], topics: frozenset[str], now: datetime) -> Row:
    target = _word(texts, "target_group", TargetGroup)
    helix = _word(texts, "helix", HelixGroup) or (target.helix_group if target else None)
    profile = Profile(
        language=_word(texts, "language", Language) or FALLBACK,
        name=texts.get("name", ""),
        organisation=texts.get("organisation", ""),
        target_group=target,
        helix_group=helix,
        country=_country(texts.get("country", "")),
        region=texts.get("region", ""),
        topics=_topics(texts.get("topics", ""), topics),
    )
    consented_at = _moment(texts.get("consented_at", ""), now)
    return Row(line, address_of(texts["email"]), profile, consented_at)


def _word(texts: dict[str, str], field: str, words: type[_Word]) -> _Word | None:
    text = texts.get(field, "")
    try:
        return words(text.lower()) if text else None
    except ValueError:
        raise Invalid(field, f"{text!r} is not one of {', '.join(words)}") from None


def _country(text: str) -> str | None:
    code = text.upper()
    if code and code not in COUNTRIES:
        raise Invalid("country", f"{text!r} {NOT_ONE}")
    return code or None


def _topics(text: str, known: frozenset[str]) -> tuple[str, ...]:
    topics = tuple(part.strip() for part in text.replace(",", ";").split(";") if part.strip())
    for topic in topics:
        if topic not in known:
            raise Invalid("topics", f"{topic!r} is not one of {', '.join(sorted(known)) or 'any topics'}")
    return topics


def _moment(text: str, now: datetime) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid("consented_at", f"{text!r} is not a date; write 2026-03-01T10:00:00Z") from None
    if moment.year < _EARLIEST_YEAR:
        raise Invalid("consented_at", f"{text!r} is no date on which somebody agreed")
    dated = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if dated > now + timedelta(days=1):
        raise Invalid("consented_at", f"{text!r} is still to come; write the day on which they agreed")
    return dated


async def _known(session: AsyncSession, rows: list[Row]) -> set[str | None]:
    keys = [row.address.key for row in rows]
    query = select(col(Subscriber.email_key)).where(col(Subscriber.email_key).in_(keys))
    return set((await session.exec(query)).all())


async def _insert(session: AsyncSession, rows: list[Row], now: datetime) -> dict[str, int]:
    if not rows:
        return {}
    values = [await _values_of(session, row, now) for row in rows]
    connection = await session.connection()
    added = await connection.execute(
        insert(Subscriber).returning(col(Subscriber.email_key), col(Subscriber.id)), values
    )
    return {key: number for key, number in added.all() if key and number}


async def _values_of(session: AsyncSession, row: Row, now: datetime) -> dict[str, Any]:
    profile = row.profile
    organisation = await organisations.find_or_add(
        session, profile.organisation, profile.target_group, profile.helix_group
    )
    return {
        "email": row.address.email,
        "email_key": row.address.key,
        "name": " ".join(profile.name.split()),
        "organisation_id": organisation.id if organisation else None,
        "target_group": profile.target_group,
        "helix_group": profile.helix_group,
        "country": profile.country,
        "region": profile.region,
        "language": profile.language,
        "email_consented_at": row.consented_at or now,
        "created_at": now,
    }


async def _insert_topics(session: AsyncSession, rows: list[Row], numbers: dict[str, int]) -> None:
    values = [
        {"subscriber_id": numbers[row.address.key], "topic": topic}
        for row in rows
        for topic in sorted(set(row.profile.topics))
    ]
    if values:
        await (await session.connection()).execute(insert(SubscriberTopic), values)


async def _insert_consents(
    session: AsyncSession,
    rows: list[Row],
    numbers: dict[str, int],
    consent_text: str,
    origin: str,
    now: datetime,
) -> None:
    if not rows:
        return
    text_id = await consents.keep_text(session, consent_text, FALLBACK)
    values = [
        {
            "subscriber_id": numbers[row.address.key],
            "channel": Channel.EMAIL,
            "action": Action.GRANTED,
            "text_id": text_id,
            "at": row.consented_at or now,
            "method": Method.IMPORT,
            "evidence": _evidence(row, origin),
            "purpose": "newsletter",
        }
        for row in rows
    ]
    await (await session.connection()).execute(insert(Consent), values)


def _evidence(row: Row, origin: str) -> str:
    dated = "" if row.consented_at else "; the file gives no date, so the day of the import stands"
    return f"{origin}, line {row.line}{dated}"
