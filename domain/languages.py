"""The six languages of the service and how one is chosen for a person."""

from collections.abc import Iterable
from enum import StrEnum


class Language(StrEnum):
    """A language in which Helixpost speaks; the value is its ISO 639-1 code."""

    ENGLISH = "en"
    SLOVENIAN = "sl"
    BULGARIAN = "bg"
    SPANISH = "es"
    PORTUGUESE = "pt"
    ITALIAN = "it"

    @property
    def endonym(self) -> str:
        """The language's name in itself."""
        return _ENDONYMS[self]


_ENDONYMS = {
    Language.ENGLISH: "English",
    Language.SLOVENIAN: "Slovenščina",
    Language.BULGARIAN: "Български",
    Language.SPANISH: "Español",
    Language.PORTUGUESE: "Português",
    Language.ITALIAN: "Italiano",
}

FALLBACK = Language.ENGLISH


def language_of(tag: str | None) -> Language | None:
    """Return the language of a BCP 47 tag such as `pt-BR`, or None when it is not one of ours."""
    primary = (tag or "").strip().lower().replace("_", "-").split("-")[0]
    return Language(primary) if primary in {language.value for language in Language} else None


def choose(tags: Iterable[str | None], offered: Iterable[Language]) -> Language:
    """Return the first of a person's languages that is offered, else English, else the first offered."""
    available = list(offered)
    for tag in tags:
        language = language_of(tag)
        if language in available:
            return language
    return FALLBACK if FALLBACK in available or not available else available[0]
