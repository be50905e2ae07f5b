"""The door to a relay: one SMTP connection, kept open, whose every answer becomes a typed result.

The only file that names aiosmtplib. It issues the commands itself, because the library raises the same
error whether the connection was lost before DATA, when sending again is safe, or after it, when the
letter may have been taken.
"""

import asyncio
from datetime import timedelta
from typing import NoReturn, cast

import aiosmtplib
from aiosmtplib import SMTPDataError, SMTPResponseException, SMTPServerDisconnected, SMTPTimeoutError

from domain.errors import DomainError
from mailer.envelopes import Envelope, mail_command, rcpt_command, unsendable
from mailer.pipelines import COMMAND_TIMEOUT, DATA_TIMEOUT
from mailer.relays import RelaySettings
from mailer.results import (
    LOST,
    LOST_IN_DATA,
    Ambiguous,
    Refusal,
    Result,
    Sent,
    Temporary,
    Unreachable,
    doubt,
    reason_of,
    refusal,
)

CONNECT_TIMEOUT = 30.0
"""Seconds, for connection, greeting, encryption and login together."""
SLOWEST_SEND = timedelta(seconds=2 * (CONNECT_TIMEOUT + 2 * COMMAND_TIMEOUT) + DATA_TIMEOUT)
"""The longest that `Connection.send` takes: two connections, MAIL and RCPT on each, one letter.

A lease must outlast it, or somebody else sends the letter too.
"""


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
        self._has_carried = False

    async def send(self, envelope: Envelope) -> Result:
        """Hand one letter over. No answer to one letter touches the next."""
        try:
            return await self._attempt(envelope)
        except _ConnectionLost:
            # An idle connection that the relay has closed shows only now; a fresh one decides.
            pass
        try:
            return await self._attempt(envelope)
        except _ConnectionLost:
            return Temporary(LOST)

    async def open(self) -> Unreachable | None:
        """Connect, encrypt and log in unless that has been done; what stands in the way is returned."""
        if self._client is not None and self._client.is_connected:
            return None
        try:
            await self._connect()
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            self._open_client().close()
            return Unreachable(_told_by(error))
        return None

    def offers(self, extension: str) -> bool:
        """Say whether the relay named an extension in its greeting."""
        return self._open_client().supports_extension(extension)

    def hand_over(self, protocol: asyncio.Protocol) -> None:
        """Let another protocol speak on the open connection from here on."""
        transport = cast("asyncio.Transport", self._open_client().transport)
        transport.set_protocol(protocol)
        protocol.connection_made(transport)

    async def close(self) -> None:
        """Say goodbye and close; a relay that is gone already is no error."""
        client, self._client = self._client, None
        if client is not None and client.is_connected:
            try:
                await client.quit(timeout=CONNECT_TIMEOUT)
            except (aiosmtplib.SMTPException, OSError):
                client.close()

    async def _attempt(self, envelope: Envelope) -> Result:
        if trouble := await self.open():
            return trouble
        client = self._open_client()
        unfit = unsendable(envelope, international=client.supports_extension("smtputf8"))
        if unfit:
            return unfit
        refused = await self._offer(client, envelope)
        result = refused or await self._transfer(client, envelope.content)
        if refused:
            await self._reset(client)
        return result

    async def _connect(self) -> None:
        relay, self._has_carried = self.relay, False
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

    def _open_client(self) -> aiosmtplib.SMTP:
        assert self._client is not None
        return self._client

    async def _offer(self, client: aiosmtplib.SMTP, envelope: Envelope) -> Result | None:
        """Send the envelope; None when the relay wants the letter.

        A refusal of MAIL is about us, whatever its code (530 without a login, 553 for the sender's
        address): no reader may lose a letter by it.
        """
        # The library's own mail() and rcpt() repair addresses; ours travel byte for byte.
        code, message = await self._ask(client, mail_command(envelope))
        if code != 250:
            client.close()
            if code == 421 and self._has_carried:
                raise _ConnectionLost  # used up, as some relays want it: a new one will do
            return Unreachable(reason_of(code, message))
        self._has_carried = True
        code, message = await self._ask(client, rcpt_command(envelope))
        return None if code in (250, 251) else refusal(code, message)

    async def _ask(self, client: aiosmtplib.SMTP, command: bytes) -> tuple[int, str]:
        """Send one command of the envelope; a connection that is lost or speaks no SMTP is closed."""
        try:
            return await client.execute_command(command, timeout=COMMAND_TIMEOUT)
        except (SMTPServerDisconnected, SMTPTimeoutError, SMTPResponseException, OSError):
            client.close()
            raise _ConnectionLost from None

    async def _transfer(self, client: aiosmtplib.SMTP, content: bytes) -> Result:
        try:
            async with asyncio.timeout(DATA_TIMEOUT):
                await client.data(content, timeout=DATA_TIMEOUT)
        except SMTPDataError as error:
            return self._refused_letter(client, error)
        except (aiosmtplib.SMTPException, OSError):
            client.close()
            return Ambiguous(LOST_IN_DATA)
        return Sent()

    def _refused_letter(self, client: aiosmtplib.SMTP, error: SMTPDataError) -> Result:
        """Return what an answer other than 354 to DATA, or other than 250 to the letter, means."""
        result = doubt(error.code, error.message)
        if error.code == 421 or isinstance(result, Ambiguous):
            client.close()
        if error.code == 250:  # to DATA, then: the relay is out of step, and has no letter
            raise _ConnectionLost
        return result

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


def _told_by(error: Exception) -> str:
    if isinstance(error, SMTPResponseException):
        return reason_of(error.code, error.message)
    return type(error).__name__
