"""Stored updates into effects and replies: in order within a chat, chats side by side.

Effects and the decided replies share one transaction. Each reply is marked as begun before it is
sent, so that a crash neither handles an update twice nor says anything twice. Only the process that
holds an update's lease answers it.
"""

import asyncio
import traceback
from collections.abc import Iterable
from datetime import timedelta

import structlog
from sqlmodel.ext.asyncio.session import AsyncSession

from bot import departures, incoming, replies, routing
from bot.incoming import Arrival, Incoming
from bot.outbox import Outbox, chat_of
from bot.replies import Reply, SendText
from bot.troubles import BadToken, Busy, Gone, Trouble, Unreachable
from bot.turns import Means, Turn
from domain import chats, updates
from domain.database import OUTAGES, Database
from domain.languages import choose
from domain.times import Clock
from domain.updates import Lease, TelegramUpdate, Waiting
from domain.waits import pause

log = structlog.get_logger()

LOOK_SECONDS = 0.3
_WAIT: tuple[type[Exception], ...] = (Unreachable, Busy, *OUTAGES)
"""After these an update waits and is tried again."""
_AT_ONCE = 200
_SIDE_BY_SIDE = 16
_IN_A_ROW = 3
"""So many updates of one chat, then it stands at the end of the queue again: nobody can fill it."""
_REST_SECONDS = 1.0
_LEASE = timedelta(minutes=2)
"""Renewed with every reply, so it need only be longer than sending one."""
_MOST_ATTEMPTS = 5
"""So often an update is tried while the database answers with errors and yet takes other writes."""


class Processor:
    """Works off the table of updates."""

    def __init__(self, database: Database, means: Means, outbox: Outbox, clock: Clock, claimant: str) -> None:
        """Take what conversations may use, the one way out, and the name to hold updates under."""
        self._database, self._means, self._outbox, self._clock = database, means, outbox, clock
        self._claimant = claimant
        self._working: set[int] = set()
        self._free = asyncio.Semaphore(_SIDE_BY_SIDE)
        self._attempts: dict[int, int] = {}

    async def run(self, stop: asyncio.Event, arrived: asyncio.Event) -> None:
        """Work until `stop` is set, then end what was begun; raises what no update may raise."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._prepare())
            while not stop.is_set():
                arrived.clear()
                for lane, numbers in (await self._look(stop)).items():
                    self._working.add(lane)
                    group.create_task(self._work_lane(lane, numbers, stop, arrived))
                await pause(LOOK_SECONDS, stop, arrived)

    async def _prepare(self) -> None:
        """Let the answers' index be built before the first question."""
        try:
            async with self._database.reading() as session:
                await self._means.answers.refresh(session)
        except OUTAGES as problem:
            log.warning("answers_not_prepared", problem=type(problem).__name__)

    async def _look(self, stop: asyncio.Event) -> dict[int, list[int]]:
        """Return what waits, by lane, without the lanes that are being worked on."""
        try:
            async with self._database.reading() as session:
                waiting = await updates.pending(
                    session, self._claimant, self._clock(), limit=_AT_ONCE, except_chats=self._working
                )
        except OUTAGES as problem:
            log.warning("database_unreachable", problem=type(problem).__name__)
            await pause(_REST_SECONDS, stop)
            return {}
        lanes = _by_lane(waiting)
        return {lane: numbers[:_IN_A_ROW] for lane, numbers in lanes.items() if lane not in self._working}

    async def _work_lane(
        self, lane: int, numbers: list[int], stop: asyncio.Event, arrived: asyncio.Event
    ) -> None:
        """Carry a chat's updates in order; an outage ends the lane for now, the rest stays stored."""
        try:
            async with self._free:
                for number in numbers:
                    if stop.is_set() or not await self._carry(number, stop):
                        return
        finally:
            self._working.discard(lane)
            arrived.set()

    async def _carry(self, number: int, stop: asyncio.Event) -> bool:
        """Handle and answer one update; False when it has to wait."""
        try:
            update = await self._handle(number)
            if update is not None:
                await self._answer(update)
        except BadToken:
            raise
        except _WAIT as problem:
            log.warning("update_waits", update_id=number, problem=type(problem).__name__)
            # After `Busy` the limits hold everybody back for as long as Telegram asked.
            await pause(0 if isinstance(problem, Busy) else _REST_SECONDS, stop)
            return False
        self._attempts.pop(number, None)
        return True

    async def _handle(self, number: int) -> TelegramUpdate | None:
        """Return the update with its replies decided; None when there is nothing left to say."""
        async with self._database.reading() as session:
            update = await session.get(TelegramUpdate, number)
        if update is None or update.answered_at is not None:
            return None
        if update.handled_at is not None:
            async with self._database.transaction() as session:
                return await updates.resume(session, number, self._lease(), self._clock())
        try:
            said = incoming.read(update.payload, self._means.me)
        except Exception as problem:  # noqa: BLE001 - whatever the library stumbles over is no reason to stop
            await self._fail(update, problem)
            return None
        try:
            return await self._take_effect(update, said)
        except OUTAGES as problem:
            await self._count_attempt(update, said, problem)
            raise
        except Exception as problem:  # noqa: BLE001 - one bad update never stops the others
            await self._give_up(update, said, problem)
            return None

    async def _take_effect(self, update: TelegramUpdate, said: Incoming | None) -> TelegramUpdate | None:
        if said and said.is_question:
            await self._outbox.show_typing(said.chat_id)
            async with self._database.reading() as session:
                # After an import this takes seconds, in which nobody could write.
                await self._means.answers.refresh(session)
        now = self._clock()
        async with self._database.transaction() as session:
            if not await updates.begin(session, update.update_id, self._lease(), now):
                return None
            decided = await self._decide(session, said) if said else []
            update.replies, update.replies_begun = replies.to_rows(decided), 0
            await updates.decide(session, update.update_id, update.replies)
        log.info("update_handled", update_id=update.update_id, replies=len(decided))
        return update

    async def _decide(self, session: AsyncSession, said: Incoming) -> list[Reply]:
        now = self._clock()
        if said.arrival is Arrival.LEFT:
            await departures.depart(session, said.chat_id, f"telegram update {said.update_id}", now)
            return []
        language = choose([said.language_code], self._means.service.languages)
        chat = await chats.find_or_add(session, said.chat_id, language, now)
        turn = Turn(means=self._means, session=session, chat=chat, incoming=said, now=now)
        await routing.route(turn)
        return turn.replies

    async def _answer(self, update: TelegramUpdate) -> None:
        """Send what was decided and not yet begun, then close the update; stop when it is taken over."""
        try:
            decided = replies.from_rows(update.replies)
        except ValueError as problem:  # another version of the service wrote them
            await self._fail(update, problem)
            return
        for place in range(update.replies_begun, len(decided)):
            await self._outbox.turn(chat_of(decided[place]))
            async with self._database.transaction() as session:
                if not await updates.begin_reply(session, update.update_id, place, self._lease()):
                    return
            if not await self._send(update, decided[place], place):
                break
        async with self._database.transaction() as session:
            await updates.finish(session, update.update_id, self._claimant, self._clock())

    def _lease(self) -> Lease:
        return Lease(self._claimant, self._clock() + _LEASE)

    async def _send(self, update: TelegramUpdate, reply: Reply, place: int) -> bool:
        """Send one reply; False when nobody is there to read the others."""
        number = update.update_id
        try:
            await self._outbox.send(reply)
        except (Unreachable, Busy):
            async with self._database.transaction() as session:
                await updates.take_back_reply(session, number, place)
            raise
        except BadToken:
            raise
        except Gone:
            await self._part(number, update.chat_id)
            return False
        except Trouble as trouble:
            log.warning(
                "reply_lost",
                update_id=number,
                reply=reply.kind,
                trouble=type(trouble).__name__,
                why=str(trouble),
            )
        return True

    async def _part(self, number: int, chat_id: int | None) -> None:
        log.info("chat_gone", update_id=number)
        if chat_id is not None:
            async with self._database.transaction() as session:
                await departures.depart(session, chat_id, f"telegram update {number}", self._clock())

    async def _count_attempt(self, update: TelegramUpdate, said: Incoming | None, problem: Exception) -> None:
        """Give an update up that fails again and again although the database takes our other writes."""
        attempts = self._attempts[update.update_id] = self._attempts.get(update.update_id, 0) + 1
        if attempts >= _MOST_ATTEMPTS:
            await self._give_up(update, said, problem)

    async def _give_up(self, update: TelegramUpdate, said: Incoming | None, problem: Exception) -> None:
        await self._fail(update, problem)
        self._attempts.pop(update.update_id, None)
        if said is None or said.arrival is not None:
            return
        language = choose([said.language_code], self._means.service.languages)
        async with self._database.reading() as session:
            chat = await session.get(chats.Chat, said.chat_id)
        words = self._means.texts.render("bot/sorry.html", chat.language if chat else language)
        await self._outbox.turn(said.chat_id)
        try:
            await self._outbox.send(SendText(chat_id=said.chat_id, html=words.strip()))
        except BadToken:
            raise
        except Trouble as trouble:
            log.info("sorry_not_said", update_id=update.update_id, trouble=type(trouble).__name__)

    async def _fail(self, update: TelegramUpdate, problem: Exception) -> None:
        """Close an update that cannot be handled.

        Of the error only its kind and place are told: its message may quote what the person wrote.
        """
        place = "".join(traceback.format_tb(problem.__traceback__))
        log.error("update_failed", update_id=update.update_id, problem=type(problem).__name__, place=place)
        async with self._database.transaction() as session:
            await updates.fail(session, update.update_id, type(problem).__name__, self._clock())


def _by_lane(waiting: Iterable[Waiting]) -> dict[int, list[int]]:
    """Sort updates by chat, up to the first that another process answers: it would be overtaken.

    One without a chat is a lane of its own, below every chat's number.
    """
    lanes: dict[int, list[int]] = {}
    held: set[int] = set()
    for update in waiting:
        lane = update.chat_id if update.chat_id is not None else -(2**62) - update.update_id
        if update.is_held:
            held.add(lane)
        elif lane not in held:
            lanes.setdefault(lane, []).append(update.update_id)
    return lanes
