"""Newsletters in the chat: the ledger's Telegram deliveries, claimed, sent and recorded one by one."""

import asyncio
from datetime import datetime, timedelta

import structlog
from sqlmodel.ext.asyncio.session import AsyncSession

from bot import departures, letters, markup
from bot.letters import Letter
from bot.outbox import Outbox
from bot.replies import SendText
from bot.troubles import BadToken, Busy, Gone, Refused, Trouble, Uncertain, Unreachable
from bot.turns import Means
from domain import campaigns, heartbeats, leases, projects, reviews
from domain.database import OUTAGES, Database
from domain.deliveries import Skip, Status
from domain.errors import DomainError
from domain.languages import Language
from domain.leases import Claim, Outcome
from domain.subscribers import Channel
from domain.times import Clock
from domain.waits import outlast, pause

log = structlog.get_logger()

_SIDE_BY_SIDE = 5
"""No more are claimed than are sent at once: after a crash only those are in doubt."""
_LEASE = timedelta(minutes=10)
_LOOK_SECONDS = 1.0
_REST = timedelta(seconds=30)
_LONGEST_REST = timedelta(minutes=30)
_PATIENCE = 5.0
"""Seconds that a claimed letter waits for its turn; for a longer wait it is given back."""
_LONGEST_WAIT = timedelta(minutes=1)
"""So long in all a letter of several messages waits in the middle before it counts as uncertain."""


class Newsletters:
    """Works off the ledger for one channel; the mailer does the same for e-mail."""

    def __init__(self, database: Database, means: Means, outbox: Outbox, clock: Clock, claimant: str) -> None:
        """Take the one way out, whose limits the conversations share, and the name to claim under."""
        self._database, self._means, self._outbox, self._clock = database, means, outbox, clock
        self._claimant = claimant
        self._letters: dict[tuple[int, Language], Letter] = {}
        self._looks: set[datetime | None] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Send what is due until `stop` is set; letters that were claimed and not begun go back.

        Nothing is sent before the mailer has looked: only then is it known that this is no restored copy.
        """
        while not stop.is_set():
            try:
                sent = await self.send_due(stop) if await self.is_watched() else 0
            except OUTAGES as problem:
                log.warning("newsletters_wait", problem=type(problem).__name__)
                sent = 0
            if not sent:
                await pause(_LOOK_SECONDS, stop)

    async def is_watched(self) -> bool:
        """Say whether the mailer has looked at the clock since we began."""
        if len(self._looks) < 2:
            async with self._database.reading() as session:
                self._looks.add(await heartbeats.newest(session))
        return len(self._looks) == 2

    async def send_due(self, stop: asyncio.Event) -> int:
        """Send some of what is due and return how many letters; none while Telegram asks to wait."""
        if self._outbox.paused > _PATIENCE:
            return 0
        async with self._database.reading() as session:
            active = list(await campaigns.active(session))
        if not active:
            self._letters.clear()
            return 0
        async with self._database.transaction() as session:
            claims = await leases.claim(
                session,
                Channel.TELEGRAM,
                active,
                self._clock(),
                limit=_SIDE_BY_SIDE,
                lease=_LEASE,
                claimant=self._claimant,
            )
        async with asyncio.TaskGroup() as group:
            for claim in claims:
                group.create_task(self._deliver(claim, stop))
        return len(claims)

    async def _deliver(self, claim: Claim, stop: asyncio.Event) -> None:
        if claim.copies:
            # The one before us died with it. A chat shows every copy, so nothing goes there twice.
            outcome = Outcome(claim, Status.UNCERTAIN, "no_answer")
        elif stop.is_set():
            outcome = self._again(claim, timedelta())
        else:
            outcome = await self._send_in_turn(claim)
        await self._record(outcome)

    async def _send_in_turn(self, claim: Claim) -> Outcome:
        """Wait for the turn first: whoever leaves meanwhile, or pauses the campaign, is heard."""
        wait = await self._outbox.turn(claim.addressee.chat_id, bulk=True, patience=_PATIENCE)
        if wait:
            return self._again(claim, timedelta(seconds=wait))
        try:
            async with self._database.reading() as session:
                left = await reviews.review(session, [claim], self._clock(), takes=_LONGEST_WAIT)
                parts = [] if left else await self._compose(session, claim)
        except DomainError as error:
            log.warning("letter_not_composed", delivery=claim.delivery_id, problem=type(error).__name__)
            return Outcome(claim, Status.FAILED, "template")
        except OUTAGES as problem:
            log.warning("letter_waits", delivery=claim.delivery_id, problem=type(problem).__name__)
            return self._again(claim, _REST)
        return left[0] if left else await self._send(claim, parts)

    async def _compose(self, session: AsyncSession, claim: Claim) -> list[str]:
        """Return the messages that make up this reader's letter."""
        project = await projects.get(session)
        letter = await self._letter(session, claim)
        service, username = self._means.service, self._means.me.username
        values = letters.values_for(claim, project, service, username)
        subject, body = letter.render(values)
        html = self._means.texts.render(
            "bot/newsletter.html",
            claim.language,
            subject=subject,
            body=markup.trusted(body),
            project=project,
            archive=values["archive_url"],
        )
        return markup.split(html)

    async def _letter(self, session: AsyncSession, claim: Claim) -> Letter:
        key = (claim.campaign_id, claim.language)
        if key not in self._letters:
            # Nothing changes a campaign's texts once it has started.
            text = (await campaigns.variants(session, claim.campaign_id))[claim.language]
            self._letters[key] = Letter(text.subject, text.body)
        return self._letters[key]

    async def _send(self, claim: Claim, parts: list[str]) -> Outcome:
        chat_id = claim.addressee.chat_id
        if chat_id is None:
            return Outcome(claim, Status.SKIPPED, Skip.LEFT)
        until = self._clock() + _LONGEST_WAIT
        for place, html in enumerate(parts):
            reply = SendText(chat_id=chat_id, html=html)
            try:
                await (self._outbox.send(reply) if place == 0 else self._send_next(reply, until))
            except BadToken:
                raise
            except Gone:
                await self._part(claim, chat_id)
                return Outcome(claim, Status.SKIPPED, Skip.LEFT)
            except Trouble as trouble:
                return self._outcome_of(claim, trouble, is_first=place == 0)
        return Outcome(claim, Status.SENT)

    async def _send_next(self, reply: SendText, until: datetime) -> None:
        """Send a message in the middle of a letter; after a short pause of Telegram's, try once more."""
        await self._wait_for_turn(reply, until)
        try:
            await self._outbox.send(reply)
        except Busy:
            await self._wait_for_turn(reply, until)
            await self._outbox.send(reply)

    async def _wait_for_turn(self, reply: SendText, until: datetime) -> None:
        """Wait for the turn; raises `Busy` when it comes after `until`."""
        patience = (until - self._clock()).total_seconds()
        if wait := await self._outbox.turn(reply.chat_id, bulk=True, patience=patience):
            raise Busy(wait)

    def _outcome_of(self, claim: Claim, trouble: Trouble, *, is_first: bool) -> Outcome:
        match trouble:
            case Busy() if is_first:
                return self._again(claim, timedelta(seconds=trouble.seconds))
            case Unreachable() if is_first:
                return self._again(claim, min(_REST * claim.attempt, _LONGEST_REST))
            case Refused():
                log.error("letter_refused", delivery=claim.delivery_id, why=str(trouble))
                return Outcome(claim, Status.FAILED, "refused")
            case Uncertain():
                return Outcome(claim, Status.UNCERTAIN, "no_answer")
            case _:
                return Outcome(claim, Status.UNCERTAIN, "sent_in_part")

    def _again(self, claim: Claim, rest: timedelta) -> Outcome:
        return Outcome(claim, Status.QUEUED, due_at=self._clock() + rest)

    async def _part(self, claim: Claim, chat_id: int) -> None:
        async def part() -> None:
            async with self._database.transaction() as session:
                await departures.depart(session, chat_id, f"delivery {claim.delivery_id}", self._clock())

        await outlast(part, "parting from a chat")

    async def _record(self, outcome: Outcome) -> None:
        """Write what became of a letter, however long the database is away: the letter is out."""

        async def record() -> None:
            async with self._database.transaction() as session:
                await leases.record(session, [outcome], self._clock())

        await outlast(record, "recording")
