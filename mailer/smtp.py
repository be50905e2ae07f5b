"""The door to a relay: one SMTP connection, kept open, whose every answer becomes a typed result.

The only file that names aiosmtplib. It issues the commands itself, because the library raises the same
error whether the connection was lost before DATA, when sending again is safe, or after it, when the
letter may have been taken.
"""

import asyncio
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import NoReturn

import aiosmtplib
from aiosmtplib import SMTPResponseException, SMTPServerDisconnected, SMTPTimeoutError

from domain.errors import DomainError
from mailer.messages import Envelope
from mailer.relays import RelaySettings

CONNECT_TIMEOUT = 30.0
"""Seconds, for connection, greeting, encryption and login together."""
COMMAND_TIMEOUT = 60.0
"""Seconds, for each command of the envelope."""
DATA_TIMEOUT = 180.0
"""Seconds, for a whole letter and its answer. RFC 5321, 4.5.3.2, allows more."""
SLOWEST_SEND = timedelta(seconds=2 * (CONNECT_TIMEOUT + 2 * COMMAND_TIMEOUT) + DATA_TIMEOUT)
"""The longest that `Connection.send` takes: two connections, MAIL and RCPT on each, one letter.

A lease must outlast it, or somebody else sends the letter too.
"""

_ENHANCED = re.compile(r"^([245]\.\d{1,3}\.\d{1,3})\b")
_POLICY = "5.7."


@dataclass(frozen=True, slots=True)
class Sent:
    """The relay has taken the letter."""


@dataclass(frozen=True, slots=True)
class Temporary:
    """Not now: worth another attempt later."""

    reason: str


@dataclass(frozen=True, slots=True)
class Permanent:
    """Never, for this letter."""

    reason: str


@dataclass(frozen=True, slots=True)
class Policy:
    """The relay or its rules refuse us (5.7.x, RFC 3463): the next letter would fare no better."""

    reason: str


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """The connection was lost while or after the letter travelled: it may have been taken."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unreachable:
    """The relay itself cannot be used; nothing is wrong with the letter."""

    reason: str


Refusal = Temporary | Permanent | Policy | Ambiguous | Unreachable
Result = Sent | Refusal


class RelayRefused(DomainError):
    """The relay did not take a letter that somebody waits for."""


class _ConnectionLost(Exception):
    """Before DATA: the letter was certainly not taken."""


class Connection:
    """One connection to a relay, opened when it is first needed and again when it was lost."""

    def __init__(self, relay: RelaySettings) -> None:
        """Name the relay; nothing is opened yet."""
        self.relay = relay
        self._client: aiosmtplib.SMTP | None = None

    async def send(self, envelope: Envelope) -> Result:
        """Hand one letter over. No answer to one letter touches the next."""
        try:
            return await self._attempt(envelope)
        except _ConnectionLost:
            # An idle connection that the relay has closed shows only now; a fresh one decides.
            pass
        try:
            return await self._attempt(envelope)
        except _ConnectionLost as lost:
            return Temporary(str(lost))

    async def close(self) -> None:
        """Say goodbye and close; a relay that is gone already is no error."""
        client, self._client = self._client, None
        if client is not None and client.is_connected:
            try:
                await client.quit(timeout=CONNECT_TIMEOUT)
            except (aiosmtplib.SMTPException, OSError):
                client.close()

    async def _attempt(self, envelope: Envelope) -> Result:
        try:
            client = await self._connected()
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            if self._client is not None:
                self._client.close()
            return Unreachable(_reason_of(error))
        if envelope.international and not client.supports_extension("smtputf8"):
            return Permanent("undeliverable_here")
        refused = await self._offer(client, envelope)
        result = refused or await self._transfer(client, envelope.content)
        if refused:
            await self._reset(client)
        return result

    async def _connected(self) -> aiosmtplib.SMTP:
        if self._client is not None and self._client.is_connected:
            return self._client
        relay = self.relay
        self._client = aiosmtplib.SMTP(
            hostname=relay.host,
            port=relay.port,
            username=relay.username or None,
            password=relay.password or None,
            use_tls=relay.security == "tls",
            start_tls=relay.security == "starttls",
            timeout=CONNECT_TIMEOUT,
        )
        async with asyncio.timeout(CONNECT_TIMEOUT):
            await self._client.connect()
            await self._client.ehlo()
        return self._client

    async def _offer(self, client: aiosmtplib.SMTP, envelope: Envelope) -> Result | None:
        """Send the envelope; None when the relay wants the letter.

        A refusal of MAIL is about us, whatever its code (530 without a login, 553 for the sender's
        address): no reader may lose a letter by it.
        """
        options = [b"SMTPUTF8", b"BODY=8BITMIME"] if envelope.international else []
        # The library's own mail() and rcpt() repair addresses; ours travel byte for byte.
        try:
            code, message = await self._ask(client, b"MAIL", f"FROM:<{envelope.sender}>".encode(), *options)
            if code != 250:
                client.close()
                return Unreachable(_reason(code, message))
            code, message = await self._ask(client, b"RCPT", f"TO:<{envelope.recipient}>".encode())
        except ValueError:
            return Permanent("unsendable_address")
        return None if code in (250, 251) else _refusal(code, message)

    async def _ask(self, client: aiosmtplib.SMTP, *command: bytes) -> tuple[int, str]:
        """Send one command of the envelope; a connection that is lost or speaks no SMTP is closed."""
        try:
            return await client.execute_command(*command, timeout=COMMAND_TIMEOUT)
        except (SMTPServerDisconnected, SMTPTimeoutError, OSError):
            client.close()
            raise _ConnectionLost("connection_lost") from None
        except SMTPResponseException as error:
            client.close()
            return error.code, error.message

    async def _transfer(self, client: aiosmtplib.SMTP, content: bytes) -> Result:
        try:
            async with asyncio.timeout(DATA_TIMEOUT):
                await client.data(content, timeout=DATA_TIMEOUT)
        except aiosmtplib.SMTPDataError as error:
            if error.code == 421:
                client.close()
            return _refusal(error.code, error.message)
        except (aiosmtplib.SMTPException, OSError):
            client.close()
            return Ambiguous("connection_lost_in_data")
        return Sent()

    async def _reset(self, client: aiosmtplib.SMTP) -> None:
        """Clear the refused envelope; a connection that cannot do that is not used again."""
        if not client.is_connected:
            return
        try:
            await client.rset(timeout=COMMAND_TIMEOUT)
        except (aiosmtplib.SMTPException, OSError):
            client.close()


def refuse(relay: RelaySettings, result: Refusal) -> NoReturn:
    """Raise the error that tells a waiting person what the relay said."""
    told = _PLAIN.get(result.reason, result.reason)
    raise RelayRefused(
        f"the relay {relay.name} did not take the letter ({told}); check [[relays]] and the address"
    )


_PLAIN = {
    "SMTPConnectError": "nobody answers at this host and port",
    "SMTPConnectTimeoutError": "nobody answers at this host and port",
    "SMTPException": "it does not offer the encryption or login that [[relays]] asks for",
}
"""What the library's errors mean to the person who set up the relay."""


def _refusal(code: int, message: str) -> Result:
    if not 500 <= code <= 599:
        return Temporary(_reason(code, message))
    enhanced = _ENHANCED.match(message)
    if enhanced and enhanced[1].startswith(_POLICY):
        return Policy(_reason(code, message))
    return Permanent(_reason(code, message))


def _reason(code: int, message: str) -> str:
    """Return the codes alone: relays like to repeat the address in their words."""
    enhanced = _ENHANCED.match(message)
    return f"{code} {enhanced[1]}" if enhanced else str(code)


def _reason_of(error: Exception) -> str:
    if isinstance(error, SMTPResponseException):
        return _reason(error.code, error.message)
    return type(error).__name__
