"""The scripted relay itself: what it offers, how it counts, how it misbehaves."""

import asyncio
import ssl
import sys
from ipaddress import ip_address
from pathlib import Path

import aiosmtplib
import pytest
from cryptography.x509 import IPAddress

from tests.certificates import self_signed
from tests.faults import copies
from tests.faults.nurseries import ROOT
from tests.faults.relays import Offers, Relay
from tests.faults.rigs import Rig, check_copies
from tests.faults.scripts import DRIBBLES, PARTS, SILENT, Moment, Scripts

LETTER = b"Message-ID: <one@example.org>\r\nSubject: x\r\n\r\n.\r\nend\r\n"


async def _say(relay: Relay, octets: bytes) -> list[str]:
    """Write everything at once, as a pipelining client may, and return what comes back until the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
    writer.write(octets)
    heard = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    return heard.decode().splitlines()


async def _transaction(relay: Relay, *recipients: str) -> list[str]:
    envelope = [b"EHLO x", b"MAIL FROM:<a@example.org>", *(f"RCPT TO:<{r}>".encode() for r in recipients)]
    return await _say(relay, b"\r\n".join([*envelope, b"DATA", b"x", b".", b"QUIT", b""]))


async def test_every_accepted_copy_is_counted_and_nothing_else() -> None:
    async with Relay() as relay:
        client = aiosmtplib.SMTP(hostname="127.0.0.1", port=relay.port, start_tls=False)
        async with client:
            await client.sendmail("a@example.org", ["b@example.org"], LETTER)
            with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
                await client.sendmail("a@example.org", ["550-5.1.1-at-rcpt@example.org"], LETTER)
            with pytest.raises(aiosmtplib.SMTPDataError):
                await client.sendmail("a@example.org", ["550-5.1.1-at-end@example.org"], LETTER)
    [copy] = relay.copies
    assert (copy.recipient, copy.message_id, copy.connection) == ("b@example.org", "one@example.org", 1)
    assert relay.rudeness == []


async def test_a_pipelined_group_is_answered_command_by_command() -> None:
    async with Relay() as relay:
        heard = await _transaction(relay, "450-at-rcpt@example.org", "b@example.org")
    codes = [line[:3] for line in heard if line[3:4] == " "]
    assert codes == ["220", "250", "250", "450", "250", "354", "250", "221"]
    assert [copy.recipient for copy in relay.copies] == ["b@example.org"]


async def test_who_speaks_ahead_where_that_is_not_offered_is_noted() -> None:
    async with Relay(Offers(pipelining=False)) as relay:
        await _transaction(relay, "b@example.org")
    assert "spoke ahead after MAIL" in relay.rudeness


async def test_data_for_nobody_is_refused_or_taken_and_refused_then() -> None:
    for takes, codes in ((False, ["503"]), (True, ["354", "554"])):
        async with Relay(Offers(takes_data_for_nobody=takes)) as relay:
            heard = await _transaction(relay, "450-at-rcpt@example.org")
        refused = next(index for index, line in enumerate(heard) if line.startswith("450"))
        assert [line[:3] for line in heard[refused + 1 :]][: len(codes)] == codes
        assert relay.copies == []


async def test_a_reply_comes_in_single_octets_and_silence_lasts_until_it_is_broken() -> None:
    async with Relay(scripts=Scripts({})) as relay:
        relay.scripts.plan("b@example.org", Moment.RCPT, DRIBBLES)
        relay.scripts.plan("b@example.org", Moment.END, SILENT)
        heard = asyncio.create_task(_transaction(relay, "b@example.org"))
        async with asyncio.timeout(10):
            while not relay.silent:
                await asyncio.sleep(0.01)
        assert not heard.done()
        relay.break_silence()
        assert (await heard)[-1].startswith("354")
    assert relay.copies == []


async def test_every_part_is_played_to_its_end_and_forgotten_when_the_relay_is_healed() -> None:
    scripts = Scripts()
    for name, part in PARTS.items():
        for moment, act in part.acts.items():
            for _ in range(part.times or 3):
                assert scripts.take([f"{name}@example.org"], moment) is act
            assert (scripts.take([f"{name}@example.org"], moment) is act) == (part.times is None)
    scripts.heal()
    assert scripts.take(["550-5.1.1-at-rcpt@example.org"], Moment.RCPT).reply is None


async def test_a_relay_of_its_own_process_keeps_its_copies_when_it_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "copies.jsonl"
    words = [sys.executable, "-m", "tests.faults.relays", "--copies", str(path)]
    process = await asyncio.create_subprocess_exec(*words, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    port = int(await process.stdout.readline())
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:
        await client.sendmail("a@example.org", ["b@example.org"], LETTER)
        process.kill()
        await process.wait()
    assert [copy.message_id for copy in copies.read(path)] == ["one@example.org"]


@pytest.mark.parametrize("pipelining", [True, False])
async def test_letters_travel_under_tls_where_the_relay_offers_it(
    rig: Rig, tmp_path: Path, pipelining: bool
) -> None:
    certificate = tmp_path / "certificate.pem"
    certificate.write_bytes(self_signed([IPAddress(ip_address("127.0.0.1"))]))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    rig.relay.offers, rig.security = Offers(pipelining=pipelining, starttls=context), "starttls"
    rig.environment["SSL_CERT_FILE"] = str(certificate)
    await rig.prepare([f"good+{number}" for number in range(20)])
    campaign = await rig.schedule()
    async with rig.running():
        await rig.sent(campaign)
    check_copies(rig.relay.copies, await rig.rows(campaign), extra=0)
    assert len(rig.relay.copies) == 20
    assert rig.relay.encrypted > 0
