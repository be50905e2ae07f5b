"""The bot's parts on the stand-in, with an engine that knows two answers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.intake import Polling
from bot.outbox import Outbox
from bot.processing import Processor
from bot.turns import Means
from domain.database import Database
from domain.languages import Language
from knowledge.answers import Answer, Outcome, Source, Suggestion
from tests.bot.packs import SOURCE


class FewAnswers:
    """Knows two answers, doubts one question, declines another, breaks on a third, and asks nobody."""

    async def answer(
        self,
        session: AsyncSession,  # noqa: ARG002 - the signature is the room's
        question: str,
        *,
        language: Language,  # noqa: ARG002
        now: datetime,  # noqa: ARG002
    ) -> Answer:
        if "break" in question:
            raise ZeroDivisionError(question)
        known = {
            "lead": (Outcome.ANSWER, "Lead partner", "The **Maribor** agency <led> it."),
            "long": (Outcome.ANSWER, "Long", "word " * 2000),
            "advice": (Outcome.DECLINE, "", "I give no tax advice."),
            "partner?": (Outcome.CLARIFY, "", "One of these?"),
        }
        for word, (outcome, title, text) in known.items():
            if word in question:
                return _answer(outcome, title, text)
        return _answer(Outcome.UNKNOWN, "", "I do not know that.")

    async def refresh(self, session: AsyncSession) -> None:
        pass

    async def about(
        self,
        session: AsyncSession,  # noqa: ARG002
        key: str,
        *,
        language: Language,  # noqa: ARG002
    ) -> Answer | None:
        return _answer(Outcome.ANSWER, "Lead partner", "It was *MDA*.") if key == "lead-partner" else None


def _answer(outcome: Outcome, title: str, text: str) -> Answer:
    sure = outcome is Outcome.ANSWER
    return Answer(
        outcome=outcome,
        language=Language.ENGLISH,
        title=title,
        text=text,
        item="lead-partner" if sure else None,
        references=("A-021",) if sure else (),
        sources=(Source(**SOURCE),) if sure else (),
        as_of=date(2021, 3, 31) if sure else None,
        suggestions=(Suggestion("Lead partner", "lead-partner"),) if outcome is Outcome.CLARIFY else (),
        confidence=0.9 if sure else 0.1,
    )


class Machine:
    """The bot's parts, to be run whole or one after the other."""

    def __init__(self, database: Database, means: Means, outbox: Outbox, now: datetime) -> None:
        self.database, self.now = database, now
        self.client = outbox._bot
        self.processor = Processor(database, means, outbox, lambda: now, "machine")
        self.polling = Polling(self.client, database, lambda: now)

    @asynccontextmanager
    async def running(self, *, polling: bool = True) -> AsyncIterator[asyncio.Event]:
        """Run until the block ends; whatever a part raised comes out here."""
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.processor.run(stop, self.polling.arrived))
            if polling:
                group.create_task(self.polling.run(stop))
            yield stop
            stop.set()
