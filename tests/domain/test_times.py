"""Moments are read in named zones; the hour that the clocks skip is refused."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from domain.errors import Invalid
from domain.times import moment_of, second_of, zone_of

LJUBLJANA = ZoneInfo("Europe/Ljubljana")


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-12-01 09:00", "2026-12-01T08:00:00+00:00"),
        ("2026-07-01T09:00", "2026-07-01T07:00:00+00:00"),
        ("2026-12-01T09:00:00Z", "2026-12-01T09:00:00+00:00"),
        ("2026-10-25 02:30", "2026-10-25T00:30:00+00:00"),
    ],
)
def test_a_local_time_is_read_in_its_zone(text: str, utc: str) -> None:
    assert moment_of(text, LJUBLJANA).isoformat() == utc


def test_the_hour_that_spring_skips_is_refused_with_a_cure() -> None:
    with pytest.raises(Invalid, match="use 2027-03-28 03:30"):
        moment_of("2027-03-28 02:30", LJUBLJANA)


def test_the_second_of_two_same_hours_is_found_from_the_first_and_nowhere_else() -> None:
    first = moment_of("2026-10-25 02:30", LJUBLJANA)
    second = second_of(first, LJUBLJANA)
    assert second == first + timedelta(hours=1)
    assert second_of(second, LJUBLJANA) is None
    for text in ("2026-10-25 01:59", "2026-10-25 03:00", "2027-03-28 03:30", "2026-07-01 09:00"):
        assert second_of(moment_of(text, LJUBLJANA), LJUBLJANA) is None


@pytest.mark.parametrize(
    "text", ["tomorrow", "", "2026-13-01 09:00", "09:00", "0001-01-01 00:00", "9999-12-31T23:59:00-12:00"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="at: "):
        moment_of(text, LJUBLJANA)


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "Europe"])
def test_an_unknown_zone_is_refused_with_an_example(name: str) -> None:
    with pytest.raises(Invalid, match="Europe/Ljubljana"):
        zone_of(name)
