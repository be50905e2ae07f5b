"""Relays: an SMTP server of our own that misbehaves as scripted and counts what it has accepted.

Runs in a test's loop, or as a process of its own that survives whatever happens to the mailer:
`python -m tests.faults.relays --copies FILE` prints its port and serves until it is stopped.
"""

import argparse
import asyncio
import re
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from tests.faults.copies import Book, Copy
from tests.faults.scripts import ORDINARY, Act, Moment, Scripts, says
from tests.faults.wires import Wire

MOST_OCTETS = 10_000_000
_ADDRESS = re.compile(r"(?:FROM|TO):<(?P<address>[^>]*)>(?P<options>.*)", re.IGNORECASE)
_MESSAGE_ID = re.compile(rb"^Message-ID:\s*<([^>]+)>", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offers:
    """What the relay offers, and how it behaves apart from any script."""

    pipelining: bool = True
    eight_bit: bool = True
    size: bool = True
    utf8: bool = True
    starttls: ssl.SSLContext | None = None
    login: bool = False
    """Nobody sends without having logged in; every name and password will do."""
    letters_per_connection: int = 0
    """Who has sent so many is told 421 at the next MAIL; 0 = nobody is."""
    takes_data_for_nobody: bool = False
    """Answers 354 to DATA although every recipient was refused, as RFC 2920, 3.1, warns of."""


class Relay:
    """Listens on this machine; `scripts` says to whom it misbehaves, `copies` what it has accepted."""

    def __init__(
        self, offers: Offers | None = None, *, scripts: Scripts | None = None, path: Path | None = None
    ) -> None:
        """Prepare; `path` is the file that copies are written to before their senders are told."""
        self.offers = offers or Offers()
        self.scripts = scripts or Scripts()
        self.port = 0
        self.tried_at: dict[str, datetime] = {}
        """When each recipient was last named in a RCPT."""
        self.silent: set[Wire] = set()
        """Connections whose other side waits for an answer that never comes."""
        self.rudeness: list[str] = []
        """What no client may do: speaking ahead where PIPELINING was not offered, or after DATA."""
        self.encrypted = 0
        """Connections that went on under TLS."""
        self.delay = 0.0
        """Seconds before every letter's answer."""
        self._book = Book(path)
        self._connections = 0
        self._wires: set[Wire] = set()
        self._server: asyncio.Server | None = None

    @property
    def copies(self) -> list[Copy]:
        """Every accepted copy, in order."""
        return self._book.copies

    async def start(self, port: int = 0) -> None:
        """Listen; `port` tells where."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._accept, "127.0.0.1", port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Hang up on everybody; the copies stay."""
        if self._server is not None:
            self._server.close()
            self._server = None
        tasks = [wire.task for wire in self._wires if wire.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._book.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def break_silence(self) -> None:
        """Hang up on those who wait for an answer that never comes."""
        for wire in list(self.silent):
            wire.hang_up()

    def keep(self, recipient: str, message_id: str, connection: int) -> None:
        """Write down a copy."""
        self._book.keep(recipient, message_id, connection)

    def _accept(self) -> Wire:
        wire = Wire(self._serve)
        self._wires.add(wire)
        return wire

    async def _serve(self, wire: Wire) -> None:
        self._connections += 1
        try:
            await Conversation(self, wire, self._connections).run()
        finally:
            self._wires.discard(wire)
            self.silent.discard(wire)


class Conversation:
    """One client's commands, answered one after the other; a pipelined group is no different."""

    def __init__(self, relay: Relay, wire: Wire, number: int) -> None:
        """Begin; nothing is said yet."""
        self._relay = relay
        self._wire = wire
        self._number = number
        self._encrypted = self._logged_in = self._over = False
        self._sender: str | None = None
        self._recipients: list[str] = []
        self._letters = 0

    async def run(self) -> None:
        """Speak until one side hangs up."""
        await self._answer(self._act(Moment.GREETING), "220 relay.example ESMTP")
        while not self._over:
            line = (await self._wire.line()).decode()
            verb, _, rest = line.partition(" ")
            if self._wire.holds_more and not self._relay.offers.pipelining:
                self._relay.rudeness.append(f"spoke ahead after {verb}")
            await self._obey(verb.upper(), rest)

    async def _obey(self, verb: str, rest: str) -> None:
        match verb:
            case "EHLO":
                self._wire.write(self._greeting())
            case "STARTTLS" if self._relay.offers.starttls:
                self._wire.write(b"220 2.0.0 go ahead\r\n")
                await self._wire.encrypt(self._relay.offers.starttls)
                self._encrypted = True
                self._relay.encrypted += 1
            case "AUTH":
                await self._log_in(rest)
            case "MAIL":
                await self._begin(rest)
            case "RCPT":
                await self._add(rest)
            case "DATA":
                await self._take_letter()
            case _:
                await self._tell(verb)

    async def _tell(self, verb: str) -> None:
        if verb == "RSET":
            self._clear()
        self._over = verb == "QUIT"
        replies = {"QUIT": "221 2.0.0 bye", "RSET": "250 2.0.0 forgotten", "NOOP": "250 2.0.0 still here"}
        await self._answer(ORDINARY, replies.get(verb, "502 5.5.2 unknown"))

    def _greeting(self) -> bytes:
        offers = self._relay.offers
        lines = ["relay.example"]
        lines += ["PIPELINING"] * offers.pipelining
        lines += ["8BITMIME"] * offers.eight_bit
        lines += [f"SIZE {MOST_OCTETS}"] * offers.size
        lines += ["SMTPUTF8"] * offers.utf8
        lines += ["STARTTLS"] * (offers.starttls is not None and not self._encrypted)
        lines += ["AUTH PLAIN"] * offers.login
        return _reply("250 " + "\n".join(lines))

    async def _log_in(self, rest: str) -> None:
        if " " not in rest:
            self._wire.write(b"334 \r\n")
            await self._wire.line()
        act = self._act(Moment.LOGIN)
        self._logged_in = act.reply is None
        await self._answer(act, "235 2.7.0 welcome")

    async def _begin(self, rest: str) -> None:
        self._clear()
        found = _ADDRESS.match(rest)
        if self._relay.offers.login and not self._logged_in:
            await self._answer(ORDINARY, "530 5.7.0 log in first")
        elif found is None:
            await self._answer(ORDINARY, "501 5.5.4 MAIL FROM:<address>")
        elif self._letters == self._relay.offers.letters_per_connection > 0:
            await self._answer(says("421 4.7.0 too many letters"), "")
        else:
            act = self._act(Moment.MAIL)
            self._sender = found["address"] if _goes_on(act) else None
            await self._answer(act, "250 2.1.0 go on")

    async def _add(self, rest: str) -> None:
        found = _ADDRESS.match(rest)
        if self._sender is None or found is None:
            await self._answer(ORDINARY, "503 5.5.1 MAIL first")
            return
        recipient = found["address"]
        self._relay.tried_at[recipient] = datetime.now(UTC)
        act = self._relay.scripts.take([recipient], Moment.RCPT)
        self._recipients += [recipient] * _goes_on(act)
        await self._answer(act, "250 2.1.5 go on")

    async def _take_letter(self) -> None:
        if self._wire.holds_more:
            self._relay.rudeness.append("spoke ahead after DATA")
        if not self._recipients:
            await self._refuse_letter()
            return
        act = self._act(Moment.DATA)
        await self._answer(act, "354 go ahead")
        if not _goes_on(act):
            self._clear()
            return
        await self._wire.some()
        if (act := self._act(Moment.BODY)) != ORDINARY:
            await self._answer(act, "")
        letter = await self._wire.letter()
        await self._end(letter, self._act(Moment.END))

    async def _refuse_letter(self) -> None:
        if not self._relay.offers.takes_data_for_nobody or self._sender is None:
            await self._answer(ORDINARY, "503 5.5.1 nobody to take it for")
            return
        await self._answer(ORDINARY, "354 go ahead")
        await self._wire.letter()
        self._clear()
        await self._answer(ORDINARY, "554 5.5.1 nobody to take it for")

    async def _end(self, letter: bytes, act: Act) -> None:
        self._letters += 1
        taken, recipients = act.keeps or not _hinders(act), self._recipients
        if act.call is not None:
            act.call()
        if taken:
            found = _MESSAGE_ID.search(letter)
            for recipient in recipients:
                self._relay.keep(recipient, found[1].decode() if found else "", self._number)
        await asyncio.sleep(self._relay.delay)
        await self._answer(act, "250 2.0.0 taken", called=True)
        if taken and (call := self._act(Moment.ANSWERED).call):
            call()
        self._clear()

    async def _answer(self, act: Act, ordinary: str, *, called: bool = False) -> None:
        """Act, with the ordinary answer where the act has none of its own."""
        if act.call is not None and not called:
            act.call()
        await asyncio.sleep(act.seconds)
        if act.until is not None:
            await act.until.wait()
        if act.silent:
            self._relay.silent.add(self._wire)
            await self._wire.silence()
        told = act.raw if act.raw is not None else _reply(act.reply or ordinary)
        told += act.echo
        if act.dribbles:
            await self._wire.dribble(told)
        elif act.reply or act.raw or not act.hangs_up:
            self._wire.write(told)
        if act.hangs_up:
            self._over = True
            self._wire.hang_up()

    def _act(self, moment: Moment) -> Act:
        return self._relay.scripts.take(self._recipients, moment)

    def _clear(self) -> None:
        self._sender, self._recipients = None, []


def _goes_on(act: Act) -> bool:
    """Say whether the transaction goes on after that act: a positive answer, told or not."""
    if act.hangs_up or act.silent or act.raw is not None:
        return False
    return act.reply is None or act.reply[0] in "23"


def _hinders(act: Act) -> bool:
    """Say whether the act changes what is answered."""
    return act.reply is not None or act.raw is not None or act.hangs_up or act.silent


def _reply(text: str) -> bytes:
    """Return an answer as it travels: every line but the last with a hyphen after the code."""
    if not text:
        return b""
    code, _, words = text.partition(" ")
    lines = words.split("\n")
    told = [f"{code}-{line}\r\n" for line in lines[:-1]] + [f"{code} {lines[-1]}\r\n"]
    return "".join(told).encode()


async def _serve_for_ever(arguments: argparse.Namespace) -> None:
    offers = Offers(pipelining=not arguments.no_pipelining, utf8=not arguments.no_smtputf8)
    relay = Relay(offers, path=arguments.copies)
    relay.delay = arguments.delay
    await relay.start(arguments.port)
    print(relay.port, flush=True)  # noqa: T201 - whoever started us reads it
    await asyncio.Event().wait()


def main() -> None:
    """Serve until killed; the port is the first line on stdout."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--copies", type=Path, help="append every accepted copy to this file")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before every letter's answer")
    parser.add_argument("--no-pipelining", action="store_true")
    parser.add_argument("--no-smtputf8", action="store_true")
    asyncio.run(_serve_for_ever(parser.parse_args()))


if __name__ == "__main__":
    main()
