"""Slips of the finger in the domain of an e-mail address, guessed from the well-known ones."""

from difflib import get_close_matches

_WELL_KNOWN = (
    "gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "msn.com", "yahoo.com",
    "icloud.com", "me.com", "proton.me", "protonmail.com", "gmx.net", "gmx.com", "web.de",
    "siol.net", "t-2.net", "abv.bg", "mail.bg", "dir.bg", "libero.it", "virgilio.it", "tiscali.it",
    "sapo.pt", "telefonica.net", "hotmail.es", "yahoo.es", "hotmail.it", "yahoo.it", "hotmail.co.uk",
    "yahoo.co.uk", "ec.europa.eu",
)  # fmt: skip
_ALIKE = 0.85


def guess(email: str) -> str | None:
    """Return the address that was probably meant; None when there is nothing to suspect."""
    local, _, domain = email.rpartition("@")
    domain = domain.lower()
    if domain in _WELL_KNOWN:
        return None
    close = get_close_matches(domain, _WELL_KNOWN, n=1, cutoff=_ALIKE)
    return f"{local}@{close[0]}" if close else None
