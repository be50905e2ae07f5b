"""Recurrences: when something happens again and again, as people say it or as five cron fields."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from heapq import merge
from typing import Any
from zoneinfo import ZoneInfo

from dateutil import rrule
from pydantic import BaseModel, ConfigDict, Field

from domain.errors import Invalid

HORIZON = timedelta(days=9 * 366)
"""So far ahead a rule is looked for: 29 February comes at least every eight years."""
MORNING = "09:00"
"""When, if a saying names no time."""
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_PLACES = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1}
_TIME = r"(?: at)?(?: (?P<time>\d{1,2}:\d{2}))?"
_WEEKLY = re.compile(rf"every (?P<names>[a-z]+(?:(?:, | and )[a-z]+)*){_TIME}")
_PLACED = re.compile(rf"(?:every |monthly on the )?(?P<place>{'|'.join(_PLACES)}) (?P<name>[a-z]+){_TIME}")
_MONTHLY = re.compile(rf"monthly on (?:day (?P<day>\d{{1,2}})|the (?P<last>last) day){_TIME}")
_CRON = re.compile(r"[\d*]\S*( \S+){4}")
_STEPS = re.compile(r"(?:\*|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>\d+))?")


class Rule(BaseModel):
    """What a saying or a cron line means. An empty list narrows nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    words: str
    """The rule as people read it."""
    minute: int = Field(ge=0, le=59)
    hours: tuple[int, ...] = Field(min_length=1)
    days: tuple[int, ...] = ()
    """Of the month; -1 is its last."""
    months: tuple[int, ...] = ()
    weekdays: tuple[int, ...] = ()
    """Monday is 0."""
    place: int = 0
    """Which of the month's such weekdays: 1 to 4, -1 for the last, 0 for each."""
    either: bool = False
    """Whether a day of the month or a weekday is enough, as cron means it when both are narrowed."""


def parse(text: str, *, field: str = "rule") -> Rule:
    """Return the rule that a person wrote; raises `Invalid` with examples."""
    said = " ".join(text.split()).lower()
    if _CRON.fullmatch(said):
        return _cron(said, field)
    if found := _MONTHLY.fullmatch(said):
        return _monthly(found, field)
    if found := _PLACED.fullmatch(said):
        place, name = found["place"], _weekday_of(found["name"], field)
        return _saying(
            f"every {place} {_name_of(name)}", found, field, weekdays=(name,), place=_PLACES[place]
        )
    if found := _WEEKLY.fullmatch(said):
        return _weekly(found, field)
    raise Invalid(
        field,
        f"{text!r} is not a rule; write every first Tuesday 09:00, every Monday 08:30, "
        "monthly on day 15 10:00, last Friday 10:00, or five cron fields such as 30 8 * * mon",
    )


def moments(rule: Rule, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """Yield the rule's moments after that one, in UTC, each once, as far as the horizon.

    A local time that the spring clock change skips is read with the offset before it, so 02:30 becomes
    03:30; of one that the autumn change repeats, the first is meant (RFC 5545, 3.3.5).
    """
    begin = after.astimezone(zone).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
    latest = after
    for wall in _walls(rule, begin - timedelta(days=1)):
        moment = wall.replace(tzinfo=zone).astimezone(UTC)
        if moment > latest:
            latest = moment
            yield moment


def _walls(rule: Rule, begin: datetime) -> Iterator[datetime]:
    """Yield the local times of a rule, as a clock on the wall shows them."""
    days = {"bymonthday": rule.days or None}
    weekdays = {"byweekday": [rrule.weekday(day, rule.place or None) for day in rule.weekdays] or None}
    if rule.either:
        return merge(_times(rule, begin, days), _times(rule, begin, weekdays))
    return _times(rule, begin, days | weekdays)


def _times(rule: Rule, begin: datetime, narrowed: dict[str, Any]) -> Iterator[datetime]:
    return iter(
        rrule.rrule(
            rrule.MONTHLY if rule.place else rrule.DAILY,
            dtstart=begin,
            until=begin + HORIZON,
            bymonth=rule.months or None,
            byhour=rule.hours,
            byminute=rule.minute,
            bysecond=0,
            **narrowed,
        )
    )


def _weekly(found: re.Match[str], field: str) -> Rule:
    if found["names"] in ("day", "weekday"):
        weekdays = tuple(range(5)) if found["names"] == "weekday" else ()
        return _saying(f"every {found['names']}", found, field, weekdays=weekdays)
    names = re.split(r", | and ", found["names"])
    weekdays = tuple(sorted({_weekday_of(name, field) for name in names}))
    return _saying(f"every {' and '.join(map(_name_of, weekdays))}", found, field, weekdays=weekdays)


def _monthly(found: re.Match[str], field: str) -> Rule:
    if found["last"]:
        return _saying("monthly on the last day", found, field, days=(-1,))
    day = int(found["day"])
    if not 1 <= day <= 28:
        raise Invalid(field, f"not every month has a day {day}; use day 1 to 28, or monthly on the last day")
    return _saying(f"monthly on day {day}", found, field, days=(day,))


def _saying(words: str, found: re.Match[str], field: str, **narrowed: Any) -> Rule:
    hour, minute = map(int, (found["time"] or MORNING).split(":"))
    if hour > 23 or minute > 59:
        raise Invalid(field, f"{found['time']} is not a time; write 09:00")
    return Rule(words=f"{words} {hour:02}:{minute:02}", minute=minute, hours=(hour,), **narrowed)


def _weekday_of(name: str, field: str) -> int:
    for number, day in enumerate(_DAYS):
        if name in (day, day[:3]):
            return number
    raise Invalid(field, f"{name!r} is not a day of the week; write monday")


def _name_of(weekday: int) -> str:
    return _DAYS[weekday].capitalize()


def _cron(said: str, field: str) -> Rule:
    """Read the five fields as crontab(5) does: 0 and 7 are Sunday; a day and a weekday mean either."""
    written = said.split()
    minute, hour, day, month, weekday = written
    if not minute.isdigit() or int(minute) > 59:
        raise Invalid(field, "give one minute, 0 to 59: letters go out once an hour at most")
    sundays = ("sun", *(name[:3] for name in _DAYS))
    numbers = _numbers(weekday, 0, 7, sundays, field)
    months = _numbers(month, 1, 12, ("", *_MONTHS), field)
    weekdays = tuple(sorted({(number - 1) % 7 for number in numbers}))
    either = "*" not in (day[0], weekday[0])
    asked = _numbers(day, 1, 31, (), field)
    longest = max(_LENGTHS[number - 1] for number in months or range(1, 13))
    days = tuple(number for number in asked if number <= longest)
    if asked and not days and not either:
        raise Invalid(field, f"{said!r} never comes: no such month has that day")
    return Rule(
        words=said,
        minute=int(minute),
        hours=_numbers(hour, 0, 23, (), field) or tuple(range(24)),
        days=days,
        months=months,
        weekdays=weekdays,
        either=either and bool(days),
    )


def _numbers(text: str, low: int, high: int, names: tuple[str, ...], field: str) -> tuple[int, ...]:
    """Return what one cron field allows; nothing when it allows everything."""
    if text == "*":
        return ()
    found: set[int] = set()
    for part in text.split(","):
        piece = _STEPS.fullmatch(part)
        if piece is None:
            raise Invalid(field, f"{part!r} is not a cron field; write *, 5, 1-5, 1,15 or */2")
        first = _number(piece["first"], low, names)
        last = _number(piece["last"], high if piece["step"] or not piece["first"] else first, names)
        step = int(piece["step"] or 1)
        if not (low <= first <= last <= high and step):
            raise Invalid(field, f"{part!r} is out of range; give {low} to {high}, the smaller first")
        found.update(range(first, last + 1, step))
    return tuple(sorted(found))


def _number(text: str | None, otherwise: int, names: tuple[str, ...]) -> int:
    """Return a number or a name's number; -1 for what is neither, which no range holds."""
    if text is None:
        return otherwise
    if text.isdigit():
        return int(text)
    return names.index(text) if text in names else -1
