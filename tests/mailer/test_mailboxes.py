"""The mailbox over a real socket: recorded first, touched then, and never the end of the role."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest
from sqlmodel import select

from domain.bounces import Bounce
from mailer.bounce_settings import MailboxSettings
from mailer.mailboxes import Mailbox, _log_in
from mailer.returns import Returns, Verdict
from tests.mailer.conftest import Desk
from tests.mailer.offices import until
from tests.mailer.post_offices import HOST, PASSWORD, USER, PostOffice, open_office
from tests.mailer.returned_mail import report

SOON = timedelta(milliseconds=20)


def _settings(
    office: PostOffice, password: str = PASSWORD, security: Literal["none", "tls", "starttls"] = "none"
) -> MailboxSettings:
    return MailboxSettings(
        host=HOST, port=office.port, security=security, username=USER, password=password, folder="INBOX"
    )


@asynccontextmanager
async def _looking(settings: MailboxSettings, returns: Returns) -> AsyncIterator[None]:
    """Look into the mailbox again and again while the block runs."""
    stop = asyncio.Event()
    looking = asyncio.create_task(Mailbox(settings, returns, SOON).run(stop))
    try:
        yield
    finally:
        stop.set()
        await looking


async def _codes(desk: Desk) -> list[str]:
    async with desk.office.database.reading() as session:
        return [row.code for row in (await session.exec(select(Bounce))).all()]


async def _all_read(office: PostOffice) -> None:
    async def read() -> bool:
        return not office.unseen

    await until(read)


async def test_reports_are_recorded_and_deleted_and_all_else_is_kept_as_seen(desk: Desk) -> None:
    office = PostOffice()
    for name in ("postfix-unknown-user", "vacation", "a-persons-letter", "postfix-unknown-user"):
        office.put(report(name, desk.path))
    forged = office.put(report("qmail", "bounces+1.2.aaaaaaaaaaaaaaaa@bounces.example.org"))
    async with open_office(office), _looking(_settings(office), desk.returns):
        await _all_read(office)
    assert set(office.messages) == {2, 3, forged}
    assert all(kept.flags == {r"\Seen"} for kept in office.messages.values())
    assert await _codes(desk) == ["5.1.1"]


async def test_what_arrives_later_is_found_at_the_next_look(desk: Desk) -> None:
    office = PostOffice()
    async with open_office(office), _looking(_settings(office), desk.returns):
        await until(lambda: _has(office, "LOGOUT"))
        office.put(report("exim", desk.path))
        await _all_read(office)
    assert await _codes(desk) == ["5.1.1"]


@pytest.mark.parametrize("command", ["UID FETCH", "UID STORE", "UID EXPUNGE", "SELECT", "AUTHENTICATE"])
async def test_a_connection_that_breaks_loses_nothing_and_doubles_nothing(desk: Desk, command: str) -> None:
    office = PostOffice(faults={command: 2})
    office.put(report("exim", desk.path))
    async with open_office(office), _looking(_settings(office), desk.returns):
        await until(lambda: _is_spent(office, command))
        await _all_read(office)
    assert await _codes(desk) == ["5.1.1"]


async def test_a_server_without_uidplus_and_plain_authentication_will_do(desk: Desk) -> None:
    office = PostOffice(capabilities="IMAP4rev1")
    office.put(report("exim", desk.path))
    async with open_office(office), _looking(_settings(office, password="plain"), desk.returns):
        await until(lambda: _has(office, "EXPUNGE"))
    assert "LOGIN" in office.log
    assert office.messages == {}


async def test_a_mailbox_that_is_down_is_tried_again(desk: Desk) -> None:
    office = PostOffice()
    office.put(report("exim", desk.path))
    async with open_office(office):
        pass  # the port is known, and nobody answers there any more
    async with _looking(_settings(office), desk.returns):
        await asyncio.sleep(0.1)
        async with open_office(office):
            await _all_read(office)
    assert await _codes(desk) == ["5.1.1"]


async def test_a_wrong_password_or_folder_touches_nothing_and_ends_nothing(desk: Desk) -> None:
    office = PostOffice(folder='"Elsewhere"')
    office.put(report("exim", desk.path))
    async with open_office(office):
        async with _looking(_settings(office, password="wrong"), desk.returns):
            await until(lambda: _has(office, "AUTHENTICATE"))
        async with _looking(_settings(office), desk.returns):
            await until(lambda: _has(office, "SELECT"))
    assert office.unseen == [1]
    assert await _codes(desk) == []


class _Tripping(Returns):
    """A desk that one kind of message trips."""

    async def take(self, content: bytes, arrived_at: list[str]) -> Verdict:  # type: ignore[override]
        if b"qmail" in content:
            raise ZeroDivisionError
        return await super().take(content, arrived_at)


async def test_a_message_that_trips_us_hides_no_other_and_stays_unread(desk: Desk) -> None:
    office, keyring = PostOffice(), desk.office.stationery.service.keyring
    office.put(report("qmail", desk.path))
    office.put(report("exim", desk.path))
    tripping = _Tripping(desk.office.database, desk.returns.paths, keyring, desk.office.clock)
    async with open_office(office), _looking(_settings(office), tripping):
        await until(lambda: _has(office, "UID EXPUNGE"))
    assert office.unseen == [1]
    assert await _codes(desk) == ["5.1.1"]


async def test_a_server_that_falls_silent_does_not_hold_up_the_end(desk: Desk) -> None:
    office = PostOffice()
    async with open_office(office), asyncio.timeout(5), _looking(_settings(office), desk.returns):
        await until(lambda: _has(office, "LOGOUT"))
        office.silent = True
        heard = len(office.log)
        await until(lambda: _is_longer(office, heard))


async def test_a_certificate_that_nobody_vouches_for_gets_no_password(tmp_path: Path) -> None:
    context = _self_signed(tmp_path)
    office = PostOffice(capabilities="IMAP4rev1 STARTTLS AUTH=PLAIN", encryption=context)
    async with open_office(office):
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.to_thread(_log_in, _settings(office, security="starttls"))
    encrypted = PostOffice()
    async with open_office(encrypted, context):
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.to_thread(_log_in, _settings(encrypted, security="tls"))
    assert (office.log, encrypted.log) == (["CAPABILITY", "STARTTLS"], [])


def _self_signed(folder: Path) -> ssl.SSLContext:
    x509 = pytest.importorskip("cryptography.x509")
    hashes = pytest.importorskip("cryptography.hazmat.primitives.hashes")
    serialization = pytest.importorskip("cryptography.hazmat.primitives.serialization")
    ec = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ec")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    begin = datetime.now(UTC) - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=9))
        .sign(key, hashes.SHA256())
    )
    both = folder / "both.pem"
    both.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return context


async def _has(office: PostOffice, command: str) -> bool:
    return command in office.log


async def _is_spent(office: PostOffice, command: str) -> bool:
    return office.faults[command] == 0


async def _is_longer(office: PostOffice, heard: int) -> bool:
    return len(office.log) > heard
