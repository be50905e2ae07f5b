"""Receivers: an embedded SMTP or LMTP server to which mail servers hand letters that came back."""

import asyncio
import logging
import socket

import structlog
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session, syntax

from domain.database import OUTAGES
from domain.errors import Invalid
from mailer.bounce_settings import ReceiverSettings
from mailer.reports import LARGEST
from mailer.returns import Returns

MOST_CONVERSATIONS = 50
SILENCE = 60.0
"""Seconds without a command, or for a whole letter, after which a conversation is over."""
_MOST_OCTETS = 4 * LARGEST
"""Between two letters: the library keeps a line in memory for as long as it does not end."""
_LONGEST_LINE = 2**16
"""Copies of foreign letters inside a report do not always keep to 998 octets."""
_LATER = "451 4.3.0 try again later"

log = structlog.get_logger()


class Receiver:
    """Takes reports one by one; it answers 250 only for what is committed."""

    def __init__(self, settings: ReceiverSettings, returns: Returns) -> None:
        """Take the port; raises `Invalid` with the cure when it cannot be had."""
        self._returns = returns
        self._kind = _LocalConversation if settings.protocol == "lmtp" else _Conversation
        self._listener = _listen(settings.host, settings.port)
        self._conversations: set[_Conversation] = set()
        self.port: int = self._listener.getsockname()[1]
        # The library logs every command, and with it every address.
        logging.getLogger("mail.log").setLevel(logging.ERROR)

    async def run(self, stop: asyncio.Event) -> None:
        """Take reports until `stop` is set. What is cut off then was not answered, and comes again."""
        server = await asyncio.get_running_loop().create_server(self._answer, sock=self._listener)
        try:
            await stop.wait()
        finally:
            server.close()
            left = list(self._conversations)
            for conversation in left:
                conversation.hang_up()
            await asyncio.gather(*(conversation.ended() for conversation in left))

    async def handle_RCPT(  # noqa: N802 - the library finds its hooks by these names
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Let in what is addressed to a letter of ours, or to the address that providers complain to."""
        if envelope.rcpt_tos:  # LMTP owes an answer for each; a report has one
            return "452 4.5.3 one recipient at a time"
        paths = self._returns.paths
        if paths.read(address) is None and not paths.is_bare(address):
            return "550 5.1.1 there is no such address here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 go on"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Have the report recorded; whoever brings one while we cannot is asked to come again."""
        try:
            await self._returns.take(bytes(envelope.original_content or b""), envelope.rcpt_tos)
        except OUTAGES as error:
            log.error("database_out", during="taking a report", error=type(error).__name__)  # noqa: TRY400
            return _LATER
        return "250 2.0.0 taken"

    async def handle_exception(self, error: Exception) -> str:
        """Log a defect of ours and ask to come again; the library would repeat its words to a stranger."""
        log.error("report_not_taken", exc_info=error)
        return _LATER

    def ended(self, conversation: "_Conversation") -> None:
        """Forget a conversation that is over."""
        self._conversations.discard(conversation)

    def _answer(self) -> asyncio.Protocol:
        if len(self._conversations) >= MOST_CONVERSATIONS:
            return _Busy()
        conversation = self._kind(self, self._returns.paths.domain)
        self._conversations.add(conversation)
        return conversation


class _Conversation(SMTP):
    """One connection, bounded in what it may send."""

    line_length_limit = _LONGEST_LINE

    def __init__(self, receiver: Receiver, hostname: str) -> None:
        super().__init__(
            receiver,
            hostname=hostname,
            ident="Helixpost",
            data_size_limit=LARGEST,
            enable_SMTPUTF8=True,
            timeout=SILENCE,
            loop=asyncio.get_running_loop(),
        )
        self._receiver = receiver
        self._octets = 0

    def data_received(self, data: bytes) -> None:
        self._octets += len(data)
        if self._octets > _MOST_OCTETS:
            self.hang_up()
        else:
            super().data_received(data)

    @syntax("DATA")
    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        self._octets = 0
        await super().smtp_DATA(arg)

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self._receiver.ended(self)

    def hang_up(self) -> None:
        """Close the connection; whatever was being done ends at its next wait."""
        if self._handler_coroutine is not None:
            self._handler_coroutine.cancel()
        if self.transport is not None:
            self.transport.close()

    async def ended(self) -> None:
        """Return when nothing runs for this connection any more."""
        if self._handler_coroutine is not None:
            await asyncio.wait([self._handler_coroutine])


class _LocalConversation(_Conversation, LMTP):
    """The same in LMTP (RFC 2033); with one recipient a letter, its single answer is the right one."""


class _Busy(asyncio.Protocol):
    """Turns away who comes when too many are here."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(b"421 4.3.2 too many connections, try again later\r\n")
        transport.close()


def _listen(host: str, port: int) -> socket.socket:
    """Listen beside other mailers of this machine where it lets them share a port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, reuse_port=hasattr(socket, "SO_REUSEPORT"))
    except OSError as error:
        raise Invalid(
            "[bounces.receiver] port",
            f"{host}:{port} cannot be used ({error.strerror or error}); choose another",
        ) from None
