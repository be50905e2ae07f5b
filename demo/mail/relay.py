"""An SMTP server in the running loop that keeps letters in memory and fails when told to."""

import asyncio
import logging
from collections.abc import Iterable
from datetime import UTC, datetime
from types import TracebackType
from typing import AnyStr, Literal, Self

from aiosmtpd.smtp import SMTP, Envelope, Session, syntax

from demo.mail.faults import Fault, Faults, Moment, Reply
from demo.mail.letters import Letter

KEPT_LETTERS = 2000
SERVICE_CLOSING = "421"
START_OF_LETTER = "354"


class Relay:
    """A mail relay nobody else can see: it accepts every letter and delivers none.

    It answers with 8BITMIME, SMTPUTF8 and PIPELINING. `script`, `drop` and `delay` make it misbehave; the
    address `*` stands for everyone.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0, *, kept: int = KEPT_LETTERS) -> None:
        self.host = host
        self.port = port
        self.received = 0
        self._kept = kept
        self._letters: dict[int, Letter] = {}
        self._faults = Faults()
        self._delay = 0.0
        self._server: asyncio.Server | None = None
        self._conversations: set[Conversation] = set()
        self._arrival = asyncio.Condition()

    async def start(self) -> None:
        """Listen; with port 0 the system chooses one and `port` tells which."""
        # the library logs every command, and with it every address
        logging.getLogger("mail.log").setLevel(logging.ERROR)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._answer, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and hang up on everyone; the letters stay."""
        if self._server is None:
            return
        self._server.close()
        open_now = list(self._conversations)
        for conversation in open_now:
            conversation.hang_up()
        await asyncio.gather(*(c.ended() for c in open_now))
        await self._server.wait_closed()
        self._server = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def script(
        self,
        address: str,
        reply: Reply,
        *,
        times: int | None = 1,
        stage: Literal["rcpt", "data"] = "rcpt",
    ) -> None:
        """Answer the next `times` (None: all) letters to `address` with `reply`.

        The answer comes to RCPT, or with stage "data" to the finished letter, which is then not kept.
        """
        moment = Moment.RCPT if stage == "rcpt" else Moment.AFTER_DATA
        self._faults.plan(address, moment, Fault(reply, times))

    def drop(
        self,
        address: str,
        stage: Literal["before_data", "in_data", "after_data"],
        *,
        times: int | None = 1,
    ) -> None:
        """Hang up on the next `times` (None: all) letters to `address`.

        "before_data": instead of answering DATA. "in_data": after 354. "after_data": the letter is kept and
        its sender never told, the case in which a careful sender cannot know.
        """
        self._faults.plan(address, Moment(stage), Fault(None, times))

    def delay(self, seconds: float) -> None:
        """Wait this long between keeping a letter and saying so."""
        self._delay = seconds

    def clear(self) -> None:
        """Forget letters, faults and delay; the count goes on."""
        self._letters.clear()
        self._faults.clear()
        self._delay = 0.0

    @property
    def letters(self) -> list[Letter]:
        """The kept letters, oldest first."""
        return list(self._letters.values())

    def letter(self, letter_id: int) -> Letter | None:
        return self._letters.get(letter_id)

    def letters_to(self, address: str) -> list[Letter]:
        return [letter for letter in self._letters.values() if letter.is_for(address)]

    async def wait_for(self, address: str, count: int = 1, timeout: float = 10) -> list[Letter]:
        """Return the letters to `address` once there are `count`; TimeoutError after `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout), self._arrival:
                await self._arrival.wait_for(lambda: len(self.letters_to(address)) >= count)
        except TimeoutError:
            found = len(self.letters_to(address))
            raise TimeoutError(f"{found} of {count} letters came to {address} in {timeout} s") from None
        return self.letters_to(address)

    async def handle_EHLO(  # noqa: N802 - the library finds its hooks by these names
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", responses[-1]]

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if fault := self._faults.take([address], Moment.RCPT):
            return str(fault.reply)
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        fault = self.strike(envelope.rcpt_tos, Moment.AFTER_DATA)
        if fault and fault.reply:
            return str(fault.reply)
        await self._keep(envelope)
        if fault:
            assert isinstance(server, Conversation)
            server.hang_up()
        await asyncio.sleep(self._delay)
        return "250 2.0.0 kept on this machine"

    def strike(self, addresses: Iterable[str], moment: Moment) -> Fault | None:
        return self._faults.take(list(addresses), moment)

    def closed(self, conversation: "Conversation") -> None:
        self._conversations.discard(conversation)

    def _answer(self) -> "Conversation":
        conversation = Conversation(self)
        self._conversations.add(conversation)
        return conversation

    async def _keep(self, envelope: Envelope) -> None:
        self.received += 1
        content = envelope.original_content or b""
        sender, recipients = envelope.mail_from or "", tuple(envelope.rcpt_tos)
        self._letters[self.received] = Letter(
            self.received, sender, recipients, bytes(content), datetime.now(UTC)
        )
        if len(self._letters) > self._kept:
            del self._letters[next(iter(self._letters))]
        async with self._arrival:
            self._arrival.notify_all()


class Conversation(SMTP):
    """One connection to the relay, which can be hung up at any moment."""

    def __init__(self, relay: Relay) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(relay, hostname="relay.example", ident="Demo relay", enable_SMTPUTF8=True, loop=loop)
        self._relay = relay

    async def push(self, status: AnyStr) -> None:
        await super().push(status)
        line = status if isinstance(status, str) else status.decode()
        if line.startswith(SERVICE_CLOSING) or (line.startswith(START_OF_LETTER) and self._drops_in_data()):
            self.hang_up()

    @syntax("DATA")
    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        if self.envelope and self.envelope.rcpt_tos and self._strikes(Moment.BEFORE_DATA):
            self.hang_up()
            return
        await super().smtp_DATA(arg)

    def hang_up(self) -> None:
        """Close the connection; whatever was being done ends at its next wait."""
        if self._handler_coroutine is not None:
            self._handler_coroutine.cancel()
        if self.transport is not None:
            self.transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self._relay.closed(self)

    async def ended(self) -> None:
        """Return when nothing runs for this connection any more."""
        if self._handler_coroutine is not None:
            await asyncio.wait([self._handler_coroutine])

    def _drops_in_data(self) -> bool:
        return self._strikes(Moment.IN_DATA)

    def _strikes(self, moment: Moment) -> bool:
        assert self.envelope is not None
        return self._relay.strike(self.envelope.rcpt_tos, moment) is not None
