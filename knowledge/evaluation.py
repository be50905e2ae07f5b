"""Measures the answers on a file of questions with their expected outcomes, per language."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from sqlmodel.ext.asyncio.session import AsyncSession

from domain import items
from domain.errors import Invalid, Problems
from domain.languages import Language
from knowledge.answers import Answer, Answers, Outcome


class Question(BaseModel):
    """One line of the file; keys beyond these, such as notes, are passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str
    language: Language
    question: str
    expect: Literal["answer", "unknown", "decline"]
    references: tuple[str, ...] = ()


@dataclass
class Tally:
    """Counts of one language, and the shares made of them."""

    answerable: int = 0
    refusable: int = 0
    right: int = 0
    clarified: int = 0
    wrong: int = 0
    false_unknown: int = 0
    refused: int = 0

    def as_dict(self) -> dict[str, float]:
        """Return the number of questions and the shares, each of the questions it can apply to.

        `wrong` are answers given as certain whose references miss the expected ones; `refused` is the
        share of `unknown` and `decline` lines that were not answered as certain.
        """
        return {
            "questions": self.answerable + self.refusable,
            "right": _share(self.right, self.answerable),
            "clarified": _share(self.clarified, self.answerable),
            "right_or_clarified": _share(self.right + self.clarified, self.answerable),
            "wrong": _share(self.wrong, self.answerable),
            "false_unknown": _share(self.false_unknown, self.answerable),
            "refused": _share(self.refused, self.refusable),
        }

    def add(self, question: Question, answer: Answer, suggested: Sequence[str]) -> None:
        """Count one answered question; `suggested` are the references of what was suggested."""
        if question.expect != "answer":
            self.refusable += 1
            self.refused += answer.outcome is not Outcome.ANSWER
            return
        self.answerable += 1
        if answer.outcome is Outcome.ANSWER:
            is_right = _meets(answer.references, question)
            self.right += is_right
            self.wrong += not is_right
        elif answer.outcome is Outcome.CLARIFY:
            self.clarified += _meets(suggested, question)
        else:
            self.false_unknown += 1


@dataclass
class Evaluation:
    """The tallies per language and over all."""

    languages: dict[Language, Tally] = field(default_factory=dict)
    summary: Tally = field(default_factory=Tally)

    def as_dict(self) -> dict[str, dict[str, dict[str, float]] | dict[str, float]]:
        """Return the figures as `answers evaluate --json` prints them."""
        return {
            "languages": {language.value: tally.as_dict() for language, tally in self.languages.items()},
            "summary": self.summary.as_dict(),
        }


def read(file: Path) -> list[Question]:
    """Return the questions of a JSON Lines file; raises `Problems` naming each line that is wrong."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Problems([Invalid(str(file), f"it cannot be read as UTF-8 text ({error})")]) from None
    questions: list[Question] = []
    problems: list[Invalid] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            questions.append(Question.model_validate(json.loads(line)))
        except json.JSONDecodeError as error:
            problems.append(Invalid(f"{file}:{number}", f"not JSON ({error.msg}); write one object a line"))
        except ValidationError as error:
            problems += [Invalid(f"{file}:{number}", _reason(found)) for found in error.errors()]
    if problems or not questions:
        raise Problems(problems or [Invalid(str(file), "it holds no question; write one JSON object a line")])
    return questions


async def evaluate(
    answers: Answers, session: AsyncSession, questions: Sequence[Question], now: datetime
) -> Evaluation:
    """Ask every question, each from a chat in its own language, and count what came of it."""
    references = {known.item.key: known.item.references for known in await items.listing(session)}
    evaluation = Evaluation()
    for question in questions:
        answer = await answers.answer(session, question.question, language=question.language, now=now)
        suggested = [found for meant in answer.suggestions for found in references[meant.key]]
        evaluation.languages.setdefault(question.language, Tally()).add(question, answer, suggested)
        evaluation.summary.add(question, answer, suggested)
    return evaluation


def _meets(references: Sequence[str], question: Question) -> bool:
    """Whether one of the expected references is there; where none is named, any answer will do."""
    return not question.references or bool(set(references) & set(question.references))


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


def _reason(found: object) -> str:
    assert isinstance(found, dict)
    where = ".".join(str(step) for step in found["loc"]) or "the line"
    return f"`{where}`: {found['msg'][:1].lower()}{found['msg'][1:]}"
