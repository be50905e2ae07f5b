"""Dates and names as each language writes them."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from domain.languages import Language
from wording import formats


@pytest.mark.parametrize(
    ("language", "written"),
    [
        (Language.ENGLISH, "12–16 September 2016"),
        (Language.SLOVENIAN, "12.–16. september 2016"),
        (Language.BULGARIAN, "12–16 септември 2016\N{NARROW NO-BREAK SPACE}г."),
        (Language.SPANISH, "12–16 de septiembre de 2016"),
        (Language.PORTUGUESE, "12–16 de setembro de 2016"),
        (Language.ITALIAN, "12–16 settembre 2016"),
    ],
)
def test_a_range_of_days_names_its_month_once(language: Language, written: str) -> None:
    assert formats.days(date(2016, 9, 12), date(2016, 9, 16), language) == written


def test_a_range_over_two_months_names_both() -> None:
    written = formats.days(date(2018, 5, 31), date(2018, 6, 1), Language.ENGLISH)
    assert written == "31 May 2018 – 1 June 2018"


def test_a_single_day_is_no_range() -> None:
    day = date(2017, 12, 13)
    assert formats.days(day, day, Language.ENGLISH) == formats.days(day, None, Language.ENGLISH)


@pytest.mark.parametrize(("text", "written"), [("2016-12", "December 2016"), ("2018", "2018")])
def test_a_month_or_a_year_stands_for_days_that_are_not_known(text: str, written: str) -> None:
    assert formats.period(text, Language.ENGLISH) == written


def test_a_moment_is_told_in_its_zone_by_name() -> None:
    moment = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
    told = formats.moment(moment, ZoneInfo("Europe/Ljubljana"), Language.ENGLISH)
    assert told == "1 December 2026, 09:00 (Europe/Ljubljana)"


def test_countries_are_sorted_by_name_and_hold_no_unions() -> None:
    codes = [code for code, _ in formats.countries(Language.SLOVENIAN)]
    assert {"SI", "BG", "ES", "PT", "IT", "GB"} <= set(codes)
    assert "EU" not in codes
    assert formats.country("GB", Language.ITALIAN) == "Regno Unito"
    assert formats.country("??", Language.ITALIAN) == "??"
