"""Routes: the way over one relay, its lane of waiting letters, its connections and its limits."""

import asyncio
from collections import deque
from collections.abc import Container, Iterator
from typing import Protocol

import structlog

from domain.waits import pause
from mailer.parcels import Parcel
from mailer.pipelines import IDLE_TIMEOUT, Pipeline
from mailer.relays import RelaySettings
from mailer.results import LOST, Result, Temporary, Unreachable
from mailer.retries import RELAY_REST, jittered
from mailer.smtp import Connection
from mailer.throttles import throttles_of

MOST_RETURNS = 2
"""A letter that came back unsent so often, because its connection was lost, is tried later."""
LANE = 500
"""Letters that wait in a lane at most."""
_AHEAD = 2
"""Seconds of work that a limited relay keeps in its lane."""

log = structlog.get_logger()


class Desk(Protocol):
    """Where parcels come from and go back to."""

    def admit(self, parcel: Parcel) -> bool:
        """Say whether a parcel may go now; the desk keeps one that has to be looked at again."""

    @property
    def has_room(self) -> bool:
        """Whether the window has room for one more."""

    def settle(self, parcel: Parcel, result: Result) -> None:
        """Hear what became of a parcel."""

    def put_back(self, parcel: Parcel, reason: str = "") -> None:
        """Take back a parcel that was not sent."""


class Route:
    """Takes letters to one relay, over as many connections as it allows."""

    def __init__(self, relay: RelaySettings, desk: Desk, hungry: asyncio.Event) -> None:
        """Keep what is needed; connections are opened when there is something to send."""
        self.relay = relay
        self.credit = 0
        """How far the relay is behind its share of the letters."""
        self._desk = desk
        self._hungry = hungry
        self._lane: deque[Parcel] = deque()
        self._throttles = throttles_of(relay.per_second, relay.per_hour)
        self._pipelines: set[Pipeline[Parcel]] = set()
        self._news = asyncio.Event()
        self._opening = 0
        self._rests_until = 0.0
        self._trouble: Unreachable | None = None
        self._is_closing = False
        self._alarm: asyncio.TimerHandle | None = None

    @property
    def is_up(self) -> bool:
        """Whether the relay can be used, as far as we know."""
        return not self._rests_until or asyncio.get_running_loop().time() >= self._rests_until

    def appetite(self) -> int:
        """Return how many more letters the lane takes now; none before it is half empty."""
        rate = min((throttle.rate for throttle in self._throttles), default=None)
        wanted = LANE if rate is None else min(LANE, int(rate * _AHEAD) + 1)
        return wanted - len(self._lane) if self.is_up and 2 * len(self._lane) <= wanted else 0

    def put(self, parcel: Parcel, *, first: bool = False) -> None:
        """Let a parcel wait for its turn; `wake` then looks at the lane."""
        if self._is_closing:
            self._desk.put_back(parcel)
        elif first:
            self._lane.appendleft(parcel)
        else:
            self._lane.append(parcel)

    def pull(self, campaigns: Container[int]) -> list[Parcel]:
        """Take the letters of those campaigns out of the lane."""
        parcels = list(self._emptied())
        pulled = [parcel for parcel in parcels if parcel.claim.campaign_id in campaigns]
        self._lane.extend(parcel for parcel in parcels if parcel.claim.campaign_id not in campaigns)
        self._hungry.set()
        return pulled

    def wake(self) -> None:
        """Let whoever is idle look for work."""
        self._news.set()
        for pipeline in tuple(self._pipelines):
            if not self._lane:
                return
            pipeline.wake()

    def close(self) -> None:
        """Give back what has not begun, and end after what has."""
        self._is_closing = True
        if self._alarm:
            self._alarm.cancel()
        for parcel in self._emptied():
            self._desk.put_back(parcel)
        for pipeline in tuple(self._pipelines):
            pipeline.finish()
        self._news.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Carry letters until the route is closed; raises when a carrier dies."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self.relay.connections):
                group.create_task(self._carry(stop))

    def take(self) -> Parcel | None:
        """Return the next letter that may go now; None when there is none."""
        while self._lane and self.is_up and self._desk.has_room and self._may_pass():
            parcel = self._lane.popleft()
            if 2 * len(self._lane) <= LANE:
                self._hungry.set()
            if self._desk.admit(parcel):
                for throttle in self._throttles:
                    throttle.pass_one(asyncio.get_running_loop().time())
                return parcel
        return None

    def settle(self, parcel: Parcel, result: Result) -> None:
        """Hear the relay's answer; a letter that it could not be asked about goes another way."""
        if isinstance(result, Unreachable):
            self._trouble = result
            self._rests_until = asyncio.get_running_loop().time() + RELAY_REST.total_seconds()
            self._desk.put_back(parcel, result.reason)
        else:
            self._desk.settle(parcel, result)

    def give_back(self, parcel: Parcel, *, is_suspect: bool) -> None:
        """Let a letter whose connection was lost before it travelled go over another one."""
        parcel.returns += is_suspect
        if parcel.returns >= MOST_RETURNS:
            self._desk.settle(parcel, Temporary(LOST))
        else:
            self._desk.put_back(parcel, LOST)

    def _may_pass(self) -> bool:
        if not self._throttles:
            return True
        loop = asyncio.get_running_loop()
        wait = max((throttle.wait(loop.time()) for throttle in self._throttles), default=0.0)
        if wait and self._alarm is None:
            self._alarm = loop.call_later(wait, self._ring)
        return not wait

    def _ring(self) -> None:
        self._alarm = None
        self.wake()

    async def _carry(self, stop: asyncio.Event) -> None:
        """Open a connection whenever letters wait for one, and use it until it ends."""
        connection = Connection(self.relay)
        try:
            while await self._work_waits():
                self._opening += 1
                try:
                    trouble = await connection.open()
                finally:
                    self._opening -= 1
                if trouble is None:
                    await (
                        self._pipe(connection) if connection.offers("pipelining") else self._step(connection)
                    )
                if trouble := trouble or self._trouble:
                    await self._rest(trouble, stop)
        finally:
            await connection.close()

    async def _work_waits(self) -> bool:
        """Wait until the lane has more letters than connections that are about to take them."""
        while not self._is_closing:
            if self.is_up and len(self._lane) > self._opening:
                return True
            self._news.clear()
            await self._news.wait()
        return False

    async def _pipe(self, connection: Connection) -> None:
        """Use a connection that takes one letter with the next one's envelope."""
        most, international = self.relay.per_connection, connection.offers("smtputf8")
        pipeline = Pipeline(self, international=international, most=most)
        connection.hand_over(pipeline)
        self._pipelines.add(pipeline)
        try:
            pipeline.wake()
            if self._is_closing:
                pipeline.finish()
            await pipeline.ended
        finally:
            self._pipelines.discard(pipeline)

    async def _step(self, connection: Connection) -> None:
        """Use a connection that takes one command after the other."""
        left = self.relay.per_connection or -1
        while left and not self._is_closing and self._trouble is None:
            parcel = self.take()
            if parcel is not None:
                left -= 1
                self.settle(parcel, await connection.send(parcel.envelope))
            elif not await self._heard_news():
                break
        await connection.close()

    async def _heard_news(self) -> bool:
        self._news.clear()
        await pause(IDLE_TIMEOUT, self._news)
        return self._news.is_set()

    async def _rest(self, trouble: Unreachable, stop: asyncio.Event) -> None:
        """Leave the relay alone for a while; other relays take its letters meanwhile.

        While another connection works, the relay only wants fewer of them.
        """
        self._trouble = None
        rest = jittered(RELAY_REST).total_seconds()
        if not (self._pipelines and self.is_up):
            log.warning("relay_rests", relay=self.relay.name, reason=trouble.reason)
            self._rests_until = asyncio.get_running_loop().time() + rest
            for parcel in self._emptied():
                self._desk.put_back(parcel, trouble.reason)
        await pause(rest, stop)
        self._rests_until = 0.0
        self._hungry.set()
        self.wake()

    def _emptied(self) -> Iterator[Parcel]:
        while self._lane:
            yield self._lane.popleft()
