"""Repeats, on a sample, the measurement by which the engine's constants were chosen."""

from datetime import datetime
from pathlib import Path

from sqlmodel.ext.asyncio.session import AsyncSession

from domain.languages import Language
from knowledge import packs
from knowledge.answers import Answers, Outcome
from knowledge.entries import Item
from knowledge.lexical import LanguageIndex, Match, Passage
from knowledge.scopes import scope_of
from knowledge.words import clean, words_of

INTRA = Path(__file__).parents[2] / "content" / "intra"
EVERY = 13
"""One phrasing in so many is asked: about thirty, so that the test stays short."""


def _passage(item: Item, without: str) -> Passage:
    text = item.texts[Language.ENGLISH]
    kept = tuple(question for question in text.questions if question != without)
    return Passage(item.id, text.title, text.body, kept, text.gaps)


def _ask(items: tuple[Item, ...], question: str) -> list[Match]:
    index = LanguageIndex(Language.ENGLISH, [_passage(item, question) for item in items])
    return index.search(words_of(clean(question), Language.ENGLISH))


def test_a_phrasing_that_was_left_out_finds_its_facts_among_the_first_three() -> None:
    items = packs.read(INTRA).items
    facts = {item.id: set(item.references) for item in items}
    asked = [(item.id, question) for item in items for question in item.texts[Language.ENGLISH].questions]
    sample = asked[::EVERY]
    found = sum(
        any(facts[match.key] & facts[key] for match in _ask(items, question)[:3]) for key, question in sample
    )
    assert len(sample) >= 30
    assert found / len(sample) >= 0.75


def test_no_phrasing_of_the_pack_is_declined() -> None:
    declined = [
        question
        for item in packs.read(INTRA).items
        for language, text in item.texts.items()
        for question in text.questions
        if scope_of(question, language)
    ]
    assert declined == []


EVERYDAY = (
    "What is the best phone?",
    "Who wrote Hamlet?",
    "Book me a flight to Paris",
    "What should I cook tonight?",
    "How old are you?",
    "Where is my parcel?",
)


async def test_everyday_questions_are_not_answered(
    answers: Answers, intra: AsyncSession, now: datetime
) -> None:
    for question in EVERYDAY:
        answer = await answers.answer(intra, question, language=Language.ENGLISH, now=now)
        assert answer.outcome is not Outcome.ANSWER, question
