"""Answers: from a question to a typed answer with its source, or an honest "I do not know".

The order is: fields that are declined, look-ups in the tables, then the index. A question that is
(nearly) one of an item's own phrasings goes to that item first, whatever the others say.

The confidence is a logistic sum of what the index found. Its weights were fitted on the pack's own
English phrasings, never on a file of test questions: each was asked once while it was left out of the
index (right when an item with its facts comes first) and once while every item with its facts was left
out (then any answer is wrong), together with thirty everyday questions that no project answers.
`WEIGHTS` are the rounded result. At `SURE_ENOUGH`, two thirds of the phrasings that were found are
answered and a third is asked back; of the questions whose facts were taken away, 76 % are not answered
as certain, and of the everyday ones 93 %. Nine in ten right items lie above `WORTH_A_TRY`; below it
nothing is suggested. `tests/knowledge/test_calibration.py` repeats it on a sample.
"""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from domain import items, projects
from domain.items import Knowledge
from domain.languages import Language
from domain.sites import ServiceSettings
from knowledge import asked, lookups
from knowledge.languages import language_of_question
from knowledge.lexical import Index, Match, Passage
from knowledge.outcomes import Answer, Outcome, Source, Suggestion, sources_of
from knowledge.scopes import Scope, scope_of
from knowledge.words import clean
from wording.texts import Texts

__all__ = ["Answer", "Answers", "Outcome", "Source", "Suggestion"]

WEIGHTS = {"score": 2.0, "margin": 4.1, "missing": -1.0, "names": -1.1, "bias": -2.1}
SURE_ENOUGH = 0.38
WORTH_A_TRY = 0.18
SAME_QUESTION = 0.98
"""Closeness from which a question is taken to be one of the item's own phrasings."""
MOST_SUGGESTIONS = 3


@dataclass(frozen=True, slots=True)
class _Known:
    """An item as it is answered with, free of the session it came from."""

    key: str
    titles: dict[Language, str]
    bodies: dict[Language, str]
    references: tuple[str, ...]
    sources: tuple[Source, ...]
    as_of: date | None

    def language_for(self, language: Language) -> Language:
        return language if language in self.bodies else Language.ENGLISH


@dataclass(frozen=True, slots=True)
class _Shelf:
    """The items of one version, and the index over them."""

    version: Any
    known: dict[str, _Known]
    index: Index


class Answers:
    """The engine's door: asks the tables and the index, and decides what may be said."""

    def __init__(self, texts: Texts, service: ServiceSettings) -> None:
        """Keep what answers are worded with; the index is built at the first question."""
        self._texts = texts
        self._service = service
        self._shelf: _Shelf | None = None
        self._building = asyncio.Lock()

    async def answer(
        self, session: AsyncSession, question: str, *, language: Language, now: datetime
    ) -> Answer:
        """Return the answer to a question; `language` is that of the person's chat.

        The answer is in the question's own language as far as we tell it, or in English where the
        item has no text in it. Whatever is sent, the work is bounded.
        """
        text = clean(question)
        spoken = language_of_question(text, language)
        shelf = await self._current_shelf(session)
        matches = shelf.index.search(text, spoken)
        if matches and matches[0].closeness >= SAME_QUESTION:
            return self._of_item(shelf, matches[0], 1.0, spoken)
        scope = scope_of(text, spoken)
        if scope is not None:
            return self._declined(scope, spoken)
        project = await projects.find(session)
        read = asked.read(text, spoken, project.name if project else "")
        found = await lookups.look_up(session, read, self._texts, self._today(now))
        return found or self._of_matches(shelf, matches, spoken)

    def _today(self, now: datetime) -> date:
        """Return the day in the project's own zone, as its pages count it."""
        return now.astimezone(self._service.zone).date()

    async def refresh(self, session: AsyncSession) -> None:
        """Bring the index up to date, for instance before a transaction that must not last as long.

        `answer` looks again: what changes in between is found there.
        """
        await self._current_shelf(session)

    async def about(self, session: AsyncSession, key: str, *, language: Language) -> Answer | None:
        """Return the answer of one item, such as a suggestion that somebody chose; None when it is gone."""
        shelf = await self._current_shelf(session)
        known = shelf.known.get(key)
        return _item_answer(known, language, 1.0) if known else None

    async def _current_shelf(self, session: AsyncSession) -> _Shelf:
        version = await items.version(session)
        async with self._building:
            if self._shelf is None or self._shelf.version != version:
                listed = await items.listing(session)
                known = {found.item.key: _known(found) for found in listed}
                # A thousand items take about a second: other chats go on meanwhile.
                index = await asyncio.to_thread(Index, _passages(listed))
                self._shelf = _Shelf(version, known, index)
            return self._shelf

    def _of_matches(self, shelf: _Shelf, matches: Sequence[Match], language: Language) -> Answer:
        confidence = _confidence(shelf, matches)
        if matches and confidence >= SURE_ENOUGH:
            return self._of_item(shelf, matches[0], confidence, language)
        if matches and confidence >= WORTH_A_TRY:
            return self._clarified(shelf, matches[:MOST_SUGGESTIONS], confidence, language)
        return self._worded(Outcome.UNKNOWN, "answers/unknown.md", language, confidence=confidence)

    def _of_item(self, shelf: _Shelf, match: Match, confidence: float, language: Language) -> Answer:
        known = shelf.known[match.key]
        return _item_answer(known, language, confidence, is_gap=match.is_gap)

    def _clarified(
        self, shelf: _Shelf, matches: Sequence[Match], confidence: float, language: Language
    ) -> Answer:
        meant = [shelf.known[match.key] for match in matches]
        suggestions = tuple(
            Suggestion(known.titles[known.language_for(language)], known.key) for known in meant
        )
        worded = self._worded(Outcome.CLARIFY, "answers/clarify.md", language, confidence=confidence)
        return _with_suggestions(worded, suggestions)

    def _declined(self, scope: Scope, language: Language) -> Answer:
        values = {"scope": scope.value, "privacy": self._service.url("/privacy")}
        return self._worded(Outcome.DECLINE, "answers/decline.md", language, confidence=1.0, **values)

    def _worded(
        self, outcome: Outcome, template: str, language: Language, *, confidence: float, **values: Any
    ) -> Answer:
        return Answer(
            outcome=outcome,
            language=language,
            title=self._texts.labels("answers/titles.jinja", language)[outcome.value],
            text=self._texts.render(template, language, **values).strip(),
            confidence=confidence,
        )


def _confidence(shelf: _Shelf, matches: Sequence[Match]) -> float:
    """Return how sure the first match is, between 0 and 1.

    Items that rest on the same facts are no rivals: whichever is said, it is right.
    """
    if not matches:
        return 0.0
    first, facts = matches[0], set(shelf.known[matches[0].key].references)
    rivals = (match for match in matches[1:] if not facts.intersection(shelf.known[match.key].references))
    margin = first.score - next((rival.score for rival in rivals), 0.0)
    evidence = (
        WEIGHTS["bias"]
        + WEIGHTS["score"] * first.score
        + WEIGHTS["margin"] * margin
        + WEIGHTS["missing"] * first.missing
        + WEIGHTS["names"] * min(first.missing_names, 2)
    )
    return 1 / (1 + math.exp(-evidence))


def _item_answer(known: _Known, language: Language, confidence: float, *, is_gap: bool = False) -> Answer:
    spoken = known.language_for(language)
    return Answer(
        outcome=Outcome.UNKNOWN if is_gap else Outcome.ANSWER,
        language=spoken,
        title=known.titles[spoken],
        text=known.bodies[spoken],
        item=known.key,
        references=known.references,
        sources=known.sources,
        as_of=known.as_of,
        confidence=confidence,
    )


def _with_suggestions(answer: Answer, suggestions: tuple[Suggestion, ...]) -> Answer:
    return Answer(
        outcome=answer.outcome,
        language=answer.language,
        title=answer.title,
        text=answer.text,
        suggestions=suggestions,
        confidence=answer.confidence,
    )


def _known(found: Knowledge) -> _Known:
    return _Known(
        key=found.item.key,
        titles={language: text.title for language, text in found.texts.items()},
        bodies={language: text.body for language, text in found.texts.items()},
        references=tuple(found.item.references),
        sources=sources_of([found.item.sources]),
        as_of=found.item.as_of,
    )


def _passages(listed: Sequence[Knowledge]) -> dict[Language, list[Passage]]:
    return {
        language: [
            Passage(
                key=found.item.key,
                title=found.texts[language].title,
                body=found.texts[language].body,
                phrasings=tuple(found.phrasings.get(language, ())),
                gaps=tuple(found.gaps.get(language, ())),
            )
            for found in listed
            if language in found.texts
        ]
        for language in Language
    }
