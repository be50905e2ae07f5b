"""Moments as people write them, in named time zones, turned into aware UTC."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.errors import Invalid

Clock = Callable[[], datetime]
"""Tells the present moment, aware, in UTC; tests hand in their own."""


def utc_now() -> datetime:
    """Return the present moment; only the edges call it."""
    return datetime.now(UTC)


def zone_of(name: str, *, field: str = "zone") -> ZoneInfo:
    """Return the IANA zone of that name; raises `Invalid` naming a cure."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid(
            field, f"unknown time zone {name!r}; use an IANA name such as Europe/Ljubljana"
        ) from None


def moment_of(text: str, zone: ZoneInfo, *, field: str = "at") -> datetime:
    """Return the UTC moment of an ISO date and time, read in `zone` unless it carries an offset.

    A local time that the spring clock change skips is refused; of one that the autumn change
    repeats, the first is meant (PEP 495, fold 0).
    """
    try:
        written = datetime.fromisoformat(text.strip())
    except ValueError:
        raise Invalid(field, f"{text!r} is not a date and time; write 2026-12-01 09:00") from None
    try:
        return _in_utc(written, zone, text, field)
    except OverflowError:
        raise Invalid(field, f"{text!r} lies outside of all calendars; write 2026-12-01 09:00") from None


def second_of(moment: datetime, zone: ZoneInfo) -> datetime | None:
    """Return the moment that shows the same local time again after the autumn change; None if none does."""
    local = moment.astimezone(zone)
    second = local.replace(fold=1).astimezone(UTC)
    return second if local.fold == 0 and second != moment.astimezone(UTC) else None


def _in_utc(written: datetime, zone: ZoneInfo, text: str, field: str) -> datetime:
    if written.tzinfo is not None:
        return written.astimezone(UTC)
    moment = written.replace(tzinfo=zone).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) != written:
        later = (written + timedelta(hours=1)).isoformat(" ", "minutes")
        raise Invalid(field, f"{text!r} does not exist in {zone.key}: the clocks skip it; use {later}")
    return moment
