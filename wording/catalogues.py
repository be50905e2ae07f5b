"""The translations of the service's own words, read from the `.po` files that translators edit."""

from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

from domain.languages import FALLBACK, Language

DOMAIN = "helixpost"


def load(locales: Path, language: Language) -> NullTranslations:
    """Return the catalogue of a language; English is the language of the templates themselves."""
    if language is FALLBACK:
        return NullTranslations()
    with (locales / language / "LC_MESSAGES" / f"{DOMAIN}.po").open("rb") as file:
        catalogue = read_po(file, locale=language.value, abort_invalid=True)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled, domain=DOMAIN)
