"""Countries: which two-letter codes name one."""

from babel import Locale

_NOT_COUNTRIES = frozenset({"EU", "EZ", "UN", "XA", "XB", "ZZ", "QO"})
COUNTRIES = frozenset(
    code
    for code in map(str, Locale("en").territories)
    if len(code) == 2 and code.isalpha() and code not in _NOT_COUNTRIES
)
"""ISO 3166-1 codes, and the few that CLDR adds for places of their own, such as XK for Kosovo."""
NOT_ONE = "is not a country; use an ISO 3166 code such as PT (the UK is GB)"
"""What to say of any other."""
