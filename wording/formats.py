"""Dates, times, numbers and names of places as each language writes them."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time
from babel.numbers import format_decimal

from domain.countries import COUNTRIES
from domain.languages import Language

_LOCALES = {language: Locale(language.value) for language in Language} | {
    Language.ENGLISH: Locale("en", "GB"),
    Language.PORTUGUESE: Locale("pt", "PT"),
}


def locale_of(language: Language) -> Locale:
    """Return the locale whose habits we follow: European English and European Portuguese."""
    return _LOCALES[language]


def day(moment: date, language: Language) -> str:
    """Return a date in long form: 18 May 2016."""
    return format_date(moment, "long", locale=locale_of(language))


def days(first: date, last: date | None, language: Language) -> str:
    """Return one day or a range of days, without repeating the month that both share."""
    if last is None or last == first:
        return day(first, language)
    if (first.year, first.month) == (last.year, last.month):
        return f"{day(first, language).split()[0]}–{day(last, language)}"
    return f"{day(first, language)} – {day(last, language)}"


def period(text: str, language: Language) -> str:
    """Return `2016-12` as "December 2016" and `2018` as it stands."""
    year, _, month = text.partition("-")
    if not month:
        return year
    return format_skeleton("yMMMM", date(int(year), int(month[:2]), 1), locale=locale_of(language))


def moment(at: datetime, zone: ZoneInfo, language: Language) -> str:
    """Return a date and time in a zone, with the zone's name: 1 December 2026, 09:00 (Europe/Ljubljana)."""
    local = at.astimezone(zone)
    clock = format_time(local, "HH:mm", locale=locale_of(language))
    return f"{day(local, language)}, {clock} ({zone.key})"


def number(value: float, language: Language) -> str:
    """Return a number with the separators of the language."""
    return format_decimal(value, locale=locale_of(language))


def country(code: str, language: Language) -> str:
    """Return a country's name; an unknown code stands for itself."""
    return str(locale_of(language).territories.get(code, code))


def countries(language: Language) -> list[tuple[str, str]]:
    """Return every country as (ISO 3166 code, name), by name, for a list to choose from."""
    named = [(code, country(code, language)) for code in COUNTRIES]
    return sorted(named, key=lambda pair: pair[1].casefold())
