"""Notice senders: carry the single letters that people wait for to the relays."""

import asyncio
from functools import partial

import structlog

from domain import notices, projects
from domain.database import Database
from domain.errors import Invalid
from domain.notices import Notice
from domain.times import Clock
from domain.waits import outlast, pause
from mailer import messages, notice_letters
from mailer.envelopes import Envelope
from mailer.ledgers import LEASE
from mailer.messages import Stationery
from mailer.relays import RelaySettings
from mailer.results import Permanent, Result, Sent, Unreachable
from mailer.retries import RELAY_REST, jittered, next_attempt
from mailer.senders import UNFIT
from mailer.smtp import Connection

IDLE_REST = 0.5
"""Seconds until we look again: a person looks at their inbox."""

log = structlog.get_logger()


class NoticeSender:
    """Sends one notice after the other over one relay."""

    def __init__(
        self, database: Database, stationery: Stationery, relay: RelaySettings, clock: Clock
    ) -> None:
        """Keep what is needed; the connection is opened when there is something to send."""
        self._database = database
        self._stationery = stationery
        self._connection = Connection(relay)
        self._clock = clock

    async def run(self, stop: asyncio.Event) -> None:
        """Send what is due until `stop` is set."""
        try:
            while not stop.is_set():
                notice = await outlast(self._claim, "claiming a notice")
                if notice is None:
                    await pause(IDLE_REST, stop)
                elif not await self._deliver(notice):
                    await pause(jittered(RELAY_REST).total_seconds(), stop)
        finally:
            await self._connection.close()

    async def _claim(self) -> Notice | None:
        async with self._database.transaction() as session:
            claimed = await notices.claim(session, self._clock(), limit=1, lease=LEASE)
        return claimed[0] if claimed else None

    async def _deliver(self, notice: Notice) -> bool:
        """Bring one notice to its outcome; False when the relay could not be used at all."""
        try:
            letter = await outlast(partial(self._compose, notice), "composing a notice")
        except Invalid:
            result: Result = Permanent(UNFIT)
        else:
            sealed = await messages.seal(self._stationery, letter, self._clock())
            result = await self._connection.send(sealed)
        await outlast(partial(self._record, notice, result), "recording a notice")
        return not isinstance(result, Unreachable)

    async def _compose(self, notice: Notice) -> Envelope:
        async with self._database.reading() as session:
            project = await projects.find(session)
        return notice_letters.compose(self._stationery, project, notice, self._clock())

    async def _record(self, notice: Notice, result: Result) -> None:
        now = self._clock()
        async with self._database.transaction() as session:
            if isinstance(result, Sent):
                await notices.finish(session, notice, now)
                return
            again = next_attempt(notice.attempts, notice.created_at, now)
            if isinstance(result, Unreachable) and again:
                again = now + jittered(RELAY_REST)
            if isinstance(result, Permanent) or again is None:
                log.info("notice_failed", notice_id=notice.id, reason=result.reason)
                await notices.give_up(session, notice, result.reason)
                return
            await notices.postpone(session, notice, again, result.reason)
