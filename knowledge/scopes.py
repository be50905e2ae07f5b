"""What the service must not answer, whatever its knowledge: advice that others give, people's data."""

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from domain.languages import Language
from knowledge.words import DATA, clean, fold, stem


class Scope(StrEnum):
    """A field that is declined; the values are the tables of `data/scopes.toml`."""

    OTHER_FUNDING = "other-funding"
    LEGAL_TAX = "legal-tax"
    MEDICAL = "medical"
    POLITICS = "politics"
    PERSONAL_DATA = "personal-data"


@dataclass(frozen=True, slots=True)
class _Pattern:
    """All of the groups must be met, each by any one of its stems."""

    groups: tuple[frozenset[str], ...]

    def fits(self, stems: frozenset[str]) -> bool:
        return all(group & stems for group in self.groups)


def scope_of(question: str, language: Language) -> Scope | None:
    """Return the field for which a question must be declined, or None."""
    stems = _stems(clean(question), language)
    for scope, patterns in _patterns(language):
        if any(pattern.fits(stems) for pattern in patterns):
            return scope
    return None


def _stems(text: str, language: Language) -> frozenset[str]:
    words = "".join(letter if letter.isalnum() or letter in "-'" else " " for letter in text.casefold())
    parts = {
        part.strip("-'") for word in words.split() for part in (word, *word.replace("'", "-").split("-"))
    }
    return frozenset(form for part in parts if part for form in (stem(part, language), fold(part)))


@lru_cache(maxsize=len(Language))
def _patterns(language: Language) -> tuple[tuple[Scope, tuple[_Pattern, ...]], ...]:
    data = tomllib.loads((DATA / "scopes.toml").read_text(encoding="utf-8"))
    return tuple(
        (scope, tuple(_pattern(line, language) for line in data[scope][language.value])) for scope in Scope
    )


def _pattern(line: str, language: Language) -> _Pattern:
    groups = (group.split("|") for group in line.split())
    return _Pattern(tuple(frozenset(stem(word.casefold(), language) for word in group) for group in groups))
