"""A question as the look-ups read it: its concepts, its times, and what is left to explain."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from domain.languages import Language
from knowledge.words import fold, months_of, words_of

_YEAR = re.compile(r"\b(20\d\d)\b")


@dataclass(frozen=True, slots=True)
class Asked:
    """The terms of a question, without those that name a time."""

    text: str
    language: Language
    concepts: frozenset[str]
    """Names of concepts, without the `#`."""
    others: frozenset[str]
    """Terms that stand for no concept: names of places, of things."""
    years: frozenset[int]
    months: frozenset[int]

    def rest(self, frame: Collection[str]) -> frozenset[str]:
        """Return the terms that a look-up with that frame of concepts does not account for."""
        return self.others | {f"#{concept}" for concept in self.concepts.difference(frame)}


def read(text: str, language: Language, project_name: str) -> Asked:
    """Return a cleaned question as the look-ups read it; the project's own name says nothing."""
    words = words_of(text, language)
    months = {month for word in words if (month := months_of(language).get(fold(word.text))) is not None}
    named = {fold(name) for name in project_name.split()}
    kept = [word for word in words if fold(word.text) not in named and not _YEAR.fullmatch(word.text)]
    kept = [word for word in kept if fold(word.text) not in months_of(language)]
    return Asked(
        text=text,
        language=language,
        concepts=frozenset(word.term[1:] for word in kept if word.term.startswith("#")),
        others=frozenset(word.term for word in kept if not word.term.startswith("#")),
        years=frozenset(int(year) for year in _YEAR.findall(text)),
        months=frozenset(months),
    )
