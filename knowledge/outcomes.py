"""The typed answer: an outcome, its words, and what it rests on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from domain.languages import Language


class Outcome(StrEnum):
    """What became of a question."""

    ANSWER = "answer"
    CLARIFY = "clarify"
    UNKNOWN = "unknown"
    DECLINE = "decline"


@dataclass(frozen=True, slots=True)
class Source:
    """A public page that an answer rests on."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An item that may be meant; `key` is what `Answers.about` takes."""

    title: str
    key: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service says to a question; `text` is Markdown in `language`."""

    outcome: Outcome
    language: Language
    title: str
    text: str
    item: str | None = None
    references: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()
    as_of: date | None = None
    suggestions: tuple[Suggestion, ...] = ()
    confidence: float = 0.0


LOOKED_UP = 0.95
"""A look-up accounts for every word of the question, so it is as sure as its table."""
MOST_SOURCES = 3
"""Pages named under one answer: a list of twenty events need not name forty."""


def sources_of(rows: Iterable[Iterable[Mapping[str, Any]]]) -> tuple[Source, ...]:
    """Return the first pages that rows rest on, each once."""
    found = (Source(str(source["title"]), str(source["url"])) for sources in rows for source in sources)
    return tuple(dict.fromkeys(found))[:MOST_SOURCES]


def references_of(rows: Iterable[Iterable[str]]) -> tuple[str, ...]:
    """Return the facts that rows cover, each once, in their order."""
    return tuple(dict.fromkeys(reference for references in rows for reference in references))
