"""Mailboxes: reports that lie in a mailbox are fetched over IMAP, one by one, and gone once recorded.

What is read: every message that is not seen. A report that was recorded is deleted; all else is marked as
seen and stays for people to look at. A crash in between reads a message again, to no effect.
"""

import asyncio
import imaplib
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from socket import SHUT_RDWR
from typing import Any, TypeVar

import structlog

from domain.database import OUTAGES
from domain.waits import pause, unless
from mailer import reports
from mailer.bounce_settings import MailboxSettings
from mailer.reports import LARGEST
from mailer.retries import jittered
from mailer.returns import Returns, Verdict

REST = timedelta(minutes=1)
"""Between two looks into the mailbox."""
LONGEST_REST = timedelta(minutes=15)
TIMEOUT = 10.0
"""Seconds that the mail server has for each answer."""

_OUT: tuple[type[Exception], ...] = (imaplib.IMAP4.error, *OUTAGES)
_OURS = (Verdict.RECORDED, Verdict.KNOWN)

Result = TypeVar("Result")
log = structlog.get_logger()


class _Stopped(Exception):
    """The service stops while the mail server has not answered."""


class Mailbox:
    """Looks into one mailbox again and again; one that is out of reach is tried later, ever more rarely."""

    def __init__(self, settings: MailboxSettings, returns: Returns, rest: timedelta = REST) -> None:
        """Keep what is needed; the connection is opened for each look and closed after it."""
        self._settings = settings
        self._returns = returns
        self._rest = rest

    async def run(self, stop: asyncio.Event) -> None:
        """Look until `stop` is set; nothing that the mail server does ends this."""
        rest = self._rest
        while not stop.is_set():
            longer = min(2 * rest, LONGEST_REST)
            rest = self._rest if await self._look(stop) else longer
            await pause(jittered(rest).total_seconds(), stop)

    async def _look(self, stop: asyncio.Event) -> bool:
        """Read what is new; False when the mailbox or the database could not be used."""
        try:
            async with _opened(self._settings, stop) as folder:
                for number in await folder.unread():
                    if stop.is_set():
                        break
                    await self._handle(folder, number)
        except _Stopped:
            return True
        except _OUT as error:
            # The kind alone: a mail server's words can name the user.
            log.warning("bounce_mailbox_out", host=self._settings.host, error=type(error).__name__)
            return False
        except Exception:
            log.exception("bounce_mailbox_broken", host=self._settings.host)
            return False
        return True

    async def _handle(self, folder: "_Folder", number: bytes) -> None:
        """Have one message recorded, and only then touch it."""
        content = await folder.fetch(number)
        if content is None:  # somebody else was faster
            return
        try:
            verdict = await self._returns.take(content, reports.arrivals(content))
        except OUTAGES:
            raise
        except Exception:
            # One message that trips us must not hide the others; it stays unread and is tried again.
            log.exception("report_not_taken")
            return
        await (folder.delete(number) if verdict in _OURS else folder.mark_seen(number))


class _Folder:
    """One selected folder. The library blocks, so each command waits in a thread."""

    def __init__(self, client: imaplib.IMAP4, stop: asyncio.Event) -> None:
        self._client = client
        self._stop = stop
        self._can_expunge_one = False

    async def select(self, name: str) -> None:
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        await self._ask(self._client.select, f'"{quoted}"')
        # Asked after the login: many servers tell strangers less.
        capabilities = await self._ask(self._client.capability)
        self._can_expunge_one = b"UIDPLUS" in _words(capabilities)

    async def unread(self) -> list[bytes]:
        return _words(await self._ask(self._client.uid, "SEARCH", "UNSEEN"))

    async def fetch(self, number: bytes) -> bytes | None:
        answer = await self._ask(self._client.uid, "FETCH", number.decode(), f"(BODY.PEEK[]<0.{LARGEST}>)")
        return next((bytes(each[1]) for each in answer if isinstance(each, tuple)), None)

    async def mark_seen(self, number: bytes) -> None:
        await self._ask(self._client.uid, "STORE", number.decode(), "+FLAGS.SILENT", r"(\Seen)")

    async def delete(self, number: bytes) -> None:
        await self._ask(self._client.uid, "STORE", number.decode(), "+FLAGS.SILENT", r"(\Deleted)")
        if self._can_expunge_one:  # RFC 4315
            await self._ask(self._client.uid, "EXPUNGE", number.decode())
        else:
            await self._ask(self._client.expunge)

    async def _ask(self, command: Callable[..., tuple[str, list[Any]]], *words: str) -> list[Any]:
        status, answer = await _wait_for(self._stop, command, *words)
        if status != "OK":
            raise imaplib.IMAP4.error(status)
        return answer


@asynccontextmanager
async def _opened(settings: MailboxSettings, stop: asyncio.Event) -> AsyncIterator[_Folder]:
    client = await _wait_for(stop, _log_in, settings)
    try:
        folder = _Folder(client, stop)
        await folder.select(settings.folder)
        yield folder
        await _wait_for(stop, client.logout)
    finally:
        _hang_up(client)


def _log_in(settings: MailboxSettings) -> imaplib.IMAP4:
    context = ssl.create_default_context()
    if settings.security == "tls":
        client: imaplib.IMAP4 = imaplib.IMAP4_SSL(
            settings.host, settings.port, ssl_context=context, timeout=TIMEOUT
        )
    else:
        client = imaplib.IMAP4(settings.host, settings.port, timeout=TIMEOUT)
    try:
        if settings.security == "starttls":
            client.starttls(context)
        if "AUTH=PLAIN" in client.capabilities:
            secret = f"\0{settings.username}\0{settings.password}".encode()
            client.authenticate("PLAIN", lambda _: secret)
        else:
            client.login(settings.username, settings.password)
    except BaseException:
        _hang_up(client)
        raise
    return client


def _hang_up(client: imaplib.IMAP4) -> None:
    """Close the connection; one that is closed already is no error."""
    with suppress(OSError):
        # Wakes a thread that still waits for an answer, so that the service can end.
        client.socket().shutdown(SHUT_RDWR)
    with suppress(OSError):
        client.shutdown()


def _words(answer: list[Any]) -> list[bytes]:
    return [word for line in answer if line for word in line.upper().split()]


async def _wait_for(stop: asyncio.Event, blocking: Callable[..., Result], *words: Any) -> Result:
    answer = await unless(stop, asyncio.to_thread(blocking, *words))
    if answer is None:
        raise _Stopped
    return answer
