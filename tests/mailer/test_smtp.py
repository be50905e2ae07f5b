"""The door to a relay: each answer and each lost connection becomes the right result."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Literal

import pytest
from aiosmtpd.smtp import SMTP, AuthResult
from aiosmtpd.smtp import Envelope as Received

from demo.mail import Relay, Reply
from mailer.envelopes import Envelope
from mailer.ledgers import LEASE
from mailer.relays import RelaySettings
from mailer.results import Ambiguous, Permanent, Policy, Result, Sent, Temporary, Unreachable
from mailer.smtp import SLOWEST_SEND, Connection, RelayRefused, refuse


def _to(recipient: str) -> Envelope:
    return Envelope("news@example.org", recipient, [("Subject", "x")], b"Hi\r\n.dot\r\n")


@pytest.fixture
async def connection(relay: Relay) -> AsyncIterator[Connection]:
    opened = Connection(RelaySettings(host=relay.host, port=relay.port, security="none"))
    yield opened
    await opened.close()


async def test_letters_share_a_connection_and_arrive_unchanged(relay: Relay, connection: Connection) -> None:
    assert await connection.send(_to("a@example.org")) == Sent()
    assert await connection.send(_to("b@example.org")) == Sent()
    assert relay.letters[0].raw.endswith(b"Hi\r\n.dot\r\n")


@pytest.mark.parametrize("stage", ["rcpt", "data"])
@pytest.mark.parametrize(
    ("reply", "result"),
    [
        (Reply(421, "4.3.2 closing"), Temporary("421 4.3.2")),
        (Reply(450, "mailbox busy: a@example.org"), Temporary("450")),
        (Reply(451, "4.7.1 greylisted"), Temporary("451 4.7.1")),
        (Reply(452, "4.2.2 full"), Temporary("452 4.2.2")),
        (Reply(550, "5.1.1 no such user"), Permanent("550 5.1.1")),
        (Reply(550, "5.7.1 spam"), Policy("550 5.7.1")),
        (Reply(550, "5.1.8 bad sender's domain"), Policy("550 5.1.8")),
        (Reply(552, "5.3.4 too big"), Permanent("552 5.3.4")),
    ],
)
async def test_an_answer_is_classified_and_the_next_letter_is_not_hurt(
    relay: Relay, connection: Connection, stage: Literal["rcpt", "data"], reply: Reply, result: Result
) -> None:
    relay.script("a@example.org", reply, stage=stage)
    assert await connection.send(_to("a@example.org")) == result
    assert await connection.send(_to("b@example.org")) == Sent()
    assert [letter.envelope_to for letter in relay.letters] == [("b@example.org",)]


@pytest.mark.parametrize("stage", ["before_data", "in_data", "after_data"])
async def test_a_connection_lost_from_data_on_is_ambiguous(
    relay: Relay, connection: Connection, stage: Literal["before_data", "in_data", "after_data"]
) -> None:
    relay.drop("a@example.org", stage)
    assert await connection.send(_to("a@example.org")) == Ambiguous("connection_lost_in_data")
    assert await connection.send(_to("b@example.org")) == Sent()


async def test_a_connection_that_the_relay_closed_meanwhile_is_opened_again(
    relay: Relay, connection: Connection
) -> None:
    assert await connection.send(_to("a@example.org")) == Sent()
    await relay.stop()
    relay.port = connection.relay.port
    await relay.start()
    assert await connection.send(_to("b@example.org")) == Sent()


async def test_a_relay_that_does_not_answer_is_unreachable(relay: Relay, connection: Connection) -> None:
    await relay.stop()
    assert isinstance(await connection.send(_to("a@example.org")), Unreachable)


async def test_a_relay_without_the_encryption_asked_for_is_unreachable(relay: Relay) -> None:
    connection = Connection(RelaySettings(host=relay.host, port=relay.port, security="starttls"))
    assert isinstance(await connection.send(_to("a@example.org")), Unreachable)
    assert not relay.letters


async def test_a_command_cannot_be_smuggled_into_an_address(relay: Relay, connection: Connection) -> None:
    smuggled = _to("a@example.org>\r\nRCPT TO:<b@example.org")
    assert await connection.send(smuggled) == Permanent("unsendable_address")
    assert await connection.send(_to("c@example.org")) == Sent()
    assert [letter.envelope_to for letter in relay.letters] == [("c@example.org",)]


class _Sink:
    """Takes every letter and forgets it."""

    async def handle_DATA(self, _server: SMTP, _session: object, _envelope: Received) -> str:  # noqa: N802
        return "250 OK"


class _Refuser(_Sink):
    """Refuses every sender."""

    def __init__(self, answer: str) -> None:
        self._answer = answer

    async def handle_MAIL(self, *_: object) -> str:  # noqa: N802
        return self._answer


@asynccontextmanager
async def _server(handler: _Sink | None = None, **options: Any) -> AsyncIterator[int]:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(handler or _Sink(), loop=loop, **options), "127.0.0.1", 0)
    yield int(server.sockets[0].getsockname()[1])
    server.close()
    await server.wait_closed()


async def test_a_non_ascii_local_part_is_undeliverable_at_a_relay_without_smtputf8() -> None:
    async with _server(enable_SMTPUTF8=False) as port:
        connection = Connection(RelaySettings(host="127.0.0.1", port=port, security="none"))
        assert await connection.send(_to("žiga@example.org")) == Permanent("undeliverable_here")
        assert await connection.send(_to("ziga@xn--ebela-gya.example")) == Sent()
        await connection.close()


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize(("password", "result"), [("right", Sent()), ("wrong", Unreachable("535 5.7.8"))])
async def test_a_wrong_password_makes_the_relay_unreachable_and_fails_no_reader(
    password: str, result: Result
) -> None:
    def check(_server: SMTP, _session: object, _envelope: object, _mechanism: str, login: Any) -> AuthResult:
        return AuthResult(success=login.password == b"right", handled=False)

    async with _server(authenticator=check, auth_require_tls=False, auth_required=True) as port:
        settings = {"host": "127.0.0.1", "port": port, "security": "none", "username": "intra"}
        connection = Connection(RelaySettings(**settings, password=password))
        assert await connection.send(_to("a@example.org")) == result
        await connection.close()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("530 5.7.0 Authentication required", "530 5.7.0"),
        ("553 5.7.1 sender address refused", "553 5.7.1"),
        ("550 unknown sender", "550"),
        ("452 4.3.1 no space", "452 4.3.1"),
    ],
)
async def test_a_refusal_of_the_sender_is_the_relay_s_and_fails_no_reader(answer: str, reason: str) -> None:
    async with _server(_Refuser(answer)) as port:
        connection = Connection(RelaySettings(host="127.0.0.1", port=port, security="none"))
        assert await connection.send(_to("a@example.org")) == Unreachable(reason)
        assert await connection.send(_to("b@example.org")) == Unreachable(reason)
        await connection.close()


def test_no_lease_ends_before_the_slowest_send() -> None:
    assert timedelta(minutes=8) == SLOWEST_SEND < LEASE


def test_a_person_who_waits_is_told_what_the_relay_said() -> None:
    with pytest.raises(RelayRefused, match=r"mail\.example\.org:587 .*\(550 5\.1\.1\)"):
        refuse(RelaySettings(host="mail.example.org"), Permanent("550 5.1.1"))
