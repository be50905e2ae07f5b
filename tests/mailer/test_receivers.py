"""The embedded server over real sockets: 250 is a promise, and strangers get nowhere."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Literal

import pytest
from sqlmodel import select

from domain.bounces import Bounce
from domain.database import Database, DatabaseSettings
from domain.errors import Invalid
from mailer.bounce_settings import ReceiverSettings
from mailer.receivers import MOST_CONVERSATIONS, Receiver
from mailer.reports import LARGEST
from mailer.returns import Returns, Verdict
from tests.mailer.conftest import Desk
from tests.mailer.returned_mail import BOUNCES, report

HOST = "127.0.0.1"


class Caller:
    """A mail server that talks to us, command by command."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def say(self, *commands: str) -> str:
        """Send commands one after the other and return the last answer."""
        answer = ""
        for command in commands:
            self._writer.write(f"{command}\r\n".encode())
            answer = await self.hear()
        return answer

    async def hear(self) -> str:
        """Return the last line of the next answer; empty when the other side has hung up."""
        while (line := await self._reader.readline()) and line[3:4] == b"-":
            pass
        return line.decode().rstrip()

    async def hand_over(self, content: bytes) -> str:
        assert (await self.say("DATA")).startswith("354")
        self._writer.write(content.replace(b"\r\n.", b"\r\n..") + b"\r\n.\r\n")
        return await self.hear()

    async def pour(self, octets: int) -> None:
        """Send a line that does not end."""
        for _ in range(0, octets, 2**16):
            self._writer.write(b"x" * 2**16)
            await self._writer.drain()

    def close(self) -> None:
        self._writer.close()


def _settings(protocol: Literal["smtp", "lmtp"] = "smtp", port: int = 0) -> ReceiverSettings:
    return ReceiverSettings.model_construct(host=HOST, port=port, protocol=protocol)


@asynccontextmanager
async def _receiving(
    returns: Returns, protocol: Literal["smtp", "lmtp"] = "smtp", port: int = 0
) -> AsyncIterator[Receiver]:
    receiver, stop = Receiver(_settings(protocol, port), returns), asyncio.Event()
    running = asyncio.create_task(receiver.run(stop))
    try:
        yield receiver
    finally:
        stop.set()
        await running


@asynccontextmanager
async def _calling(receiver: Receiver, hello: str = "EHLO mx.example.org") -> AsyncIterator[Caller]:
    caller = Caller(*await asyncio.open_connection(HOST, receiver.port))
    try:
        assert (await caller.hear()).startswith("220")
        assert (await caller.say(hello)).startswith("250")
        yield caller
    finally:
        caller.close()


async def _recorded(desk: Desk) -> list[str]:
    async with desk.office.database.reading() as session:
        return [row.code for row in (await session.exec(select(Bounce))).all()]


@pytest.mark.parametrize(
    ("protocol", "hello"),
    [("smtp", "EHLO mx.example.org"), ("lmtp", "LHLO mx.example.org"), ("smtp", "HELO mx")],
)
async def test_a_report_is_recorded_when_250_is_said(
    desk: Desk, protocol: Literal["smtp", "lmtp"], hello: str
) -> None:
    async with _receiving(desk.returns, protocol) as receiver, _calling(receiver, hello) as caller:
        assert (await caller.say("MAIL FROM:<>", f"RCPT TO:<{desk.path.upper()}>")).startswith("250")
        answer = await caller.hand_over(report("postfix-unknown-user", desk.path))
        assert answer == "250 2.0.0 taken"
        assert await _recorded(desk) == ["5.1.1"]
        # The next one on the same connection fares as well.
        assert (await caller.say("MAIL FROM:<>", f"RCPT TO:<{BOUNCES}>")).startswith("250")
        assert await caller.hand_over(report("yahoo-complaint", desk.path)) == "250 2.0.0 taken"
        assert await _recorded(desk) == ["5.1.1", ""]


async def test_recipients_that_are_none_of_ours_are_refused(desk: Desk) -> None:
    forged = desk.path.replace(desk.path.partition("@")[0][-4:], "aaaa")
    async with _receiving(desk.returns) as receiver, _calling(receiver) as caller:
        await caller.say("MAIL FROM:<someone@example.net>")
        for address in (
            forged,
            "news@example.org",
            "bounces@example.net",
            "postmaster",
            "bounces+x@example.org",
        ):
            assert (await caller.say(f"RCPT TO:<{address}>")).startswith("550"), address
        assert (await caller.say("DATA")).startswith("503")


async def test_letters_come_one_recipient_at_a_time(desk: Desk) -> None:
    async with _receiving(desk.returns) as receiver, _calling(receiver) as caller:
        await caller.say("MAIL FROM:<>", f"RCPT TO:<{desk.path}>")
        assert (await caller.say(f"RCPT TO:<{BOUNCES}>")).startswith("452")
        assert await caller.hand_over(report("exim", desk.path)) == "250 2.0.0 taken"


async def test_while_the_database_is_out_reports_are_asked_to_come_again(desk: Desk) -> None:
    gone = Database(DatabaseSettings(url="postgresql://postgres@127.0.0.1:1/nowhere"))
    returns = Returns(gone, desk.returns.paths, desk.office.stationery.service.keyring, desk.office.clock)
    async with _receiving(returns) as receiver, _calling(receiver) as caller:
        await caller.say("MAIL FROM:<>", f"RCPT TO:<{desk.path}>")
        assert (await caller.hand_over(report("exim", desk.path))).startswith("451")
        # What is no report needs no database, and the conversation goes on.
        await caller.say("MAIL FROM:<>", f"RCPT TO:<{desk.path}>")
        assert (await caller.hand_over(report("vacation", desk.path))).startswith("250")
    await gone.close()


class _Tripping(Returns):
    """A desk with a defect."""

    async def take(self, content: bytes, arrived_at: Sequence[str]) -> Verdict:
        raise ZeroDivisionError(f"{len(content)} octets for {arrived_at}")


async def test_a_defect_of_ours_costs_no_report_and_tells_no_stranger(desk: Desk) -> None:
    keyring = desk.office.stationery.service.keyring
    tripping = _Tripping(desk.office.database, desk.returns.paths, keyring, desk.office.clock)
    async with _receiving(tripping) as receiver, _calling(receiver) as caller:
        await caller.say("MAIL FROM:<>", f"RCPT TO:<{desk.path}>")
        assert await caller.hand_over(report("exim", desk.path)) == "451 4.3.0 try again later"


async def test_long_lines_are_taken_and_huge_letters_are_not(desk: Desk) -> None:
    async with _receiving(desk.returns) as receiver, _calling(receiver) as caller:
        await caller.say("MAIL FROM:<>", f"RCPT TO:<{desk.path}>")
        content = report("exim", desk.path) + b"<p>" + b"x" * 20_000
        assert await caller.hand_over(content) == "250 2.0.0 taken"
        await caller.say("MAIL FROM:<>", f"RCPT TO:<{desk.path}>")
        assert (await caller.hand_over(b"x: y\r\n" * (LARGEST // 6 + 1))).startswith("552")
        assert (await caller.say(f"MAIL FROM:<> SIZE={LARGEST + 1}")).startswith("552")


async def test_who_sends_without_an_end_is_hung_up_on(desk: Desk) -> None:
    async with _receiving(desk.returns) as receiver, _calling(receiver) as caller:
        await caller.say("MAIL FROM:<>", f"RCPT TO:<{desk.path}>", "DATA")
        with pytest.raises(ConnectionError):
            await caller.pour(64 * LARGEST)


async def test_too_many_at_once_are_asked_to_come_again(desk: Desk) -> None:
    async with _receiving(desk.returns) as receiver:
        callers = [
            Caller(*await asyncio.open_connection(HOST, receiver.port)) for _ in range(MOST_CONVERSATIONS + 1)
        ]
        answers = [await caller.hear() for caller in callers]
        assert sorted(answer[:3] for answer in answers) == ["220"] * MOST_CONVERSATIONS + ["421"]
        for caller in callers:
            caller.close()


async def test_stopping_hangs_up_on_whoever_is_there(desk: Desk) -> None:
    async with _receiving(desk.returns) as receiver:
        caller = Caller(*await asyncio.open_connection(HOST, receiver.port))
        await caller.hear()
    assert await caller.hear() == ""
    caller.close()


async def test_a_taken_port_is_said_at_once(desk: Desk) -> None:
    with socket.create_server((HOST, 0)) as other, pytest.raises(Invalid, match="choose another"):
        Receiver(_settings(port=other.getsockname()[1]), desk.returns)


async def test_several_mailers_of_one_machine_share_the_port(desk: Desk) -> None:
    async with _receiving(desk.returns) as first:
        async with _receiving(desk.returns, port=first.port) as second:
            assert second.port == first.port
        async with _calling(first):
            pass
