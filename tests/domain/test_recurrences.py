"""Rules are read as people mean them, and both days on which the clocks change have each time once."""

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from apscheduler.triggers.cron import CronTrigger
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid
from domain.recurrences import Rule, moments, parse

LJUBLJANA = ZoneInfo("Europe/Ljubljana")
TUESDAY = datetime(2026, 10, 20, 12, 0, tzinfo=UTC)


def _next(text: str, after: datetime = TUESDAY, *, count: int = 3, zone: ZoneInfo = LJUBLJANA) -> list[str]:
    found = islice(moments(parse(text), zone, after), count)
    return [moment.astimezone(zone).strftime("%Y-%m-%d %H:%M") for moment in found]


@pytest.mark.parametrize(
    ("text", "words", "dates"),
    [
        (
            "every first Tuesday 09:00",
            "every first Tuesday 09:00",
            ["2026-11-03 09:00", "2026-12-01 09:00", "2027-01-05 09:00"],
        ),
        (
            "  Every MONDAY at 8:30 ",
            "every Monday 08:30",
            ["2026-10-26 08:30", "2026-11-02 08:30", "2026-11-09 08:30"],
        ),
        (
            "every Thursday and mon 07:00",
            "every Monday and Thursday 07:00",
            ["2026-10-22 07:00", "2026-10-26 07:00", "2026-10-29 07:00"],
        ),
        (
            "last Friday",
            "every last Friday 09:00",
            ["2026-10-30 09:00", "2026-11-27 09:00", "2026-12-25 09:00"],
        ),
        (
            "monthly on day 15 10:00",
            "monthly on day 15 10:00",
            ["2026-11-15 10:00", "2026-12-15 10:00", "2027-01-15 10:00"],
        ),
        (
            "monthly on the last day",
            "monthly on the last day 09:00",
            ["2026-10-31 09:00", "2026-11-30 09:00", "2026-12-31 09:00"],
        ),
        (
            "monthly on the second Wednesday 18:00",
            "every second Wednesday 18:00",
            ["2026-11-11 18:00", "2026-12-09 18:00", "2027-01-13 18:00"],
        ),
        (
            "every weekday 08:00",
            "every weekday 08:00",
            ["2026-10-21 08:00", "2026-10-22 08:00", "2026-10-23 08:00"],
        ),
        ("every day", "every day 09:00", ["2026-10-21 09:00", "2026-10-22 09:00", "2026-10-23 09:00"]),
        ("30 8 * * mon", "30 8 * * mon", ["2026-10-26 08:30", "2026-11-02 08:30", "2026-11-09 08:30"]),
        ("0 9 1 */3 *", "0 9 1 */3 *", ["2027-01-01 09:00", "2027-04-01 09:00", "2027-07-01 09:00"]),
        ("0 9 29 feb *", "0 9 29 feb *", ["2028-02-29 09:00", "2032-02-29 09:00"]),
        ("0 9 * * 0,7", "0 9 * * 0,7", ["2026-10-25 09:00", "2026-11-01 09:00", "2026-11-08 09:00"]),
        ("0 8-9 * * 1-5/2", "0 8-9 * * 1-5/2", ["2026-10-21 08:00", "2026-10-21 09:00", "2026-10-23 08:00"]),
    ],
)
def test_a_rule_is_read_as_people_mean_it(text: str, words: str, dates: list[str]) -> None:
    assert parse(text).words == words
    assert _next(text) == dates


def test_a_day_and_a_weekday_in_cron_mean_either_unless_one_begins_with_a_star() -> None:
    assert _next("0 9 22 * fri") == ["2026-10-22 09:00", "2026-10-23 09:00", "2026-10-30 09:00"]
    assert _next("0 9 */2 * fri") == ["2026-10-23 09:00", "2026-11-13 09:00", "2026-11-27 09:00"]
    assert _next("0 9 30 2 mon") == ["2027-02-01 09:00", "2027-02-08 09:00", "2027-02-15 09:00"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not a rule; write every first Tuesday 09:00"),
        ("sometimes", "is not a rule"),
        ("every blue moon", "is not a rule"),
        ("every fifth Monday", "is not a rule"),
        ("every moonday", "'moonday' is not a day of the week"),
        ("every Monday 24:00", "24:00 is not a time"),
        ("monthly on day 31", "not every month has a day 31; use day 1 to 28, or monthly on the last day"),
        ("monthly on day 0", "not every month has a day 0"),
        ("* * * * *", "give one minute"),
        ("0,30 9 * * *", "give one minute"),
        ("60 9 * * *", "give one minute"),
        ("0 9 31 2 *", "never comes"),
        ("0 24 * * *", "'24' is out of range; give 0 to 23"),
        ("0 9 * * fri-mon", "'fri-mon' is out of range"),
        ("0 9 * 13 *", "out of range"),
        ("0 9 * smarch *", "out of range"),
        ("0 9 */0 * *", "out of range"),
        ("0 9 1-2-3 * *", "is not a cron field"),
        ("0 9 * *", "is not a rule"),
    ],
)
def test_what_is_no_rule_is_refused_with_a_cure(text: str, words: str) -> None:
    with pytest.raises(Invalid) as refusal:
        parse(text)
    assert str(refusal.value).startswith("rule: ")
    assert words in str(refusal.value)


def test_the_hour_that_autumn_repeats_has_each_time_once() -> None:
    before = datetime(2026, 10, 24, 12, 0, tzinfo=UTC)
    found = list(islice(moments(parse("every day 02:30"), LJUBLJANA, before), 2))
    assert [moment.isoformat() for moment in found] == [
        "2026-10-25T00:30:00+00:00",
        "2026-10-26T01:30:00+00:00",
    ]
    again = list(islice(moments(parse("every day 02:30"), LJUBLJANA, found[0]), 1))
    assert again == found[1:], "the second 02:30 of that night is not taken for another one"


def test_a_time_that_spring_skips_comes_an_hour_later_once() -> None:
    before = datetime(2027, 3, 27, 12, 0, tzinfo=UTC)
    assert _next("every day 02:30", before) == ["2027-03-28 03:30", "2027-03-29 02:30", "2027-03-30 02:30"]
    assert _next("30 2-3 * * *", before)[:2] == ["2027-03-28 03:30", "2027-03-29 02:30"]


def test_the_clocks_local_time_stays_when_the_offset_changes() -> None:
    before = datetime(2026, 10, 24, 12, 0, tzinfo=UTC)
    found = list(islice(moments(parse("every day 09:00"), LJUBLJANA, before), 1))
    assert found == [datetime(2026, 10, 25, 8, 0, tzinfo=UTC)]


def test_a_rule_survives_being_stored() -> None:
    for text in ("every first Tuesday 09:00", "0 9 22 * fri", "monthly on the last day"):
        assert Rule.model_validate(parse(text).model_dump(mode="json")) == parse(text)


NUMBERS = st.lists(st.integers(1, 28), min_size=1, max_size=3, unique=True).map(sorted)


@given(
    minute=st.integers(0, 59),
    hour=st.one_of(st.just("*"), st.integers(0, 23).map(str), st.just("*/5")),
    days=st.one_of(st.just("*"), NUMBERS.map(lambda found: ",".join(map(str, found)))),
    months=st.sampled_from(["*", "2", "1-6/2", "jan,dec"]),
    after=st.datetimes(datetime(2024, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_cron_lines_come_when_another_cron_says(
    minute: int, hour: str, days: str, months: str, after: datetime
) -> None:
    """APScheduler's arithmetic is the oracle, in UTC, where no clock changes."""
    line = f"{minute} {hour} {days} {months} *"
    oracle, moment = CronTrigger.from_crontab(line, timezone=UTC), after
    for found in islice(moments(parse(line), ZoneInfo("UTC"), after), 4):
        expected = oracle.get_next_fire_time(None, moment + timedelta(seconds=1))
        assert found == expected
        moment = found


@given(
    st.sampled_from(["every day 02:30", "every Sunday 02:00", "every last Sunday 02:59", "15 */2 * * *"]),
    st.sampled_from(["Europe/Ljubljana", "Europe/Lisbon", "Australia/Lord_Howe", "Pacific/Apia", "UTC"]),
    st.datetimes(datetime(2010, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_moments_always_go_forward_and_do_not_depend_on_where_one_begins(
    text: str, name: str, after: datetime
) -> None:
    zone, rule = ZoneInfo(name), parse(text)
    found = list(islice(moments(rule, zone, after), 5))
    assert found == sorted(set(found))
    assert found[0] > after
    assert list(islice(moments(rule, zone, found[1]), 3)) == found[2:]
