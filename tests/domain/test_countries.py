"""Countries: the codes that are written out are those that the world's list has."""

from babel import Locale

from domain.countries import COUNTRIES

UNIONS_AND_MADE_UP_PLACES = {"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ"}


def test_the_codes_are_those_of_the_common_locale_data_repository() -> None:
    codes = {code for code in map(str, Locale("en").territories) if len(code) == 2 and code.isalpha()}
    assert codes - UNIONS_AND_MADE_UP_PLACES == COUNTRIES
