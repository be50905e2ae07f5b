"""The relay over real SMTP: what it keeps, and how it fails on demand."""

import asyncio
from collections.abc import Awaitable, Callable

import aiosmtplib
import pytest

from demo.mail import Relay, Reply

Send = Callable[..., Awaitable[None]]

RAW = b"Subject: raw\r\n\r\n.a dot\r\nbody\r\n"
SENDER = "bounce@intra.example"


async def test_a_letter_is_kept_byte_for_byte_with_its_envelope(
    relay: Relay, client: aiosmtplib.SMTP
) -> None:
    await client.sendmail(SENDER, ["ana@example.org", "bor@example.org"], RAW)

    [letter] = relay.letters
    assert letter.raw == RAW
    assert letter.envelope_from == SENDER
    assert letter.envelope_to == ("ana@example.org", "bor@example.org")
    assert letter.received_at.tzinfo is not None
    assert letter.subject == "raw"


async def test_the_relay_offers_what_a_modern_relay_offers(client: aiosmtplib.SMTP) -> None:
    await client.ehlo()

    assert {"8bitmime", "smtputf8", "pipelining", "size"} <= set(client.esmtp_extensions)


async def test_an_address_in_cyrillic_is_accepted(relay: Relay, client: aiosmtplib.SMTP) -> None:
    await client.sendmail(SENDER, ["дена@пример.example"], RAW, mail_options=["SMTPUTF8", "BODY=8BITMIME"])

    assert [letter.envelope_to for letter in relay.letters] == [("дена@пример.example",)]


async def test_pipelined_commands_are_answered_in_order(relay: Relay) -> None:
    reader, writer = await asyncio.open_connection(relay.host, relay.port)
    writer.write(b"EHLO x\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n")
    while not (await reader.readline()).startswith(b"354"):
        pass
    writer.write(RAW.replace(b"\r\n.", b"\r\n..") + b".\r\nQUIT\r\n")

    assert (await reader.read()).startswith(b"250")
    assert relay.letters[0].raw == RAW
    writer.close()
    await writer.wait_closed()


async def test_only_the_newest_letters_are_kept_but_all_are_counted() -> None:
    async with Relay(kept=3) as relay, aiosmtplib.SMTP(hostname=relay.host, port=relay.port) as client:
        for number in range(5):
            await client.sendmail(SENDER, [f"reader{number}@example.org"], RAW)

        assert relay.received == 5
        assert [letter.id for letter in relay.letters] == [3, 4, 5]
        assert relay.letter(2) is None


async def test_letters_are_found_by_address_whatever_its_case(relay: Relay, send: Send) -> None:
    await send("Ana@example.org", "One")
    await send("bor@example.org", "Two")

    assert [letter.subject for letter in relay.letters_to("ana@EXAMPLE.org")] == ["One"]


async def test_waiting_ends_with_the_awaited_letter(relay: Relay, send: Send) -> None:
    waiting = asyncio.create_task(relay.wait_for("ana@example.org", 2))
    await send("ana@example.org", "One")
    await send("bor@example.org", "Not hers")
    await send("ana@example.org", "Two")

    assert [letter.subject for letter in await waiting] == ["One", "Two"]


async def test_waiting_in_vain_says_how_many_came(relay: Relay, send: Send) -> None:
    await send("ana@example.org")

    with pytest.raises(TimeoutError, match=r"1 of 2 letters came to ana@example\.org"):
        await relay.wait_for("ana@example.org", 2, timeout=0.01)


@pytest.mark.parametrize("code", [421, 450, 451, 452, 550, 552])
async def test_a_scripted_reply_refuses_the_recipient_as_often_as_planned(
    relay: Relay, send: Send, code: int
) -> None:
    relay.script("ana@example.org", Reply(code, "4.2.0 not now"), times=2)

    for _ in range(2):
        with pytest.raises(aiosmtplib.SMTPException) as refusal:
            await send("ana@example.org")
        assert f"{code}" in str(refusal.value)
    await send("ana@example.org", "At last")

    assert [letter.subject for letter in relay.letters] == ["At last"]


async def test_a_421_ends_the_connection_after_its_answer(relay: Relay) -> None:
    relay.script("ana@example.org", Reply(421, "4.3.2 closing"))
    reader, writer = await asyncio.open_connection(relay.host, relay.port)
    writer.write(b"EHLO x\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<ana@example.org>\r\n")

    assert (await reader.read()).endswith(b"421 4.3.2 closing\r\n")
    writer.close()
    await writer.wait_closed()


async def test_a_reply_can_be_scripted_for_everyone_and_for_ever(relay: Relay, send: Send) -> None:
    relay.script("*", Reply(450, "4.2.0 greylisted"), times=None)

    for name in ("ana", "bor", "ana"):
        with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
            await send(f"{name}@example.org")
    relay.clear()
    await send("ana@example.org")

    assert relay.received == 1


async def test_a_refused_letter_is_not_kept_and_the_connection_goes_on(
    relay: Relay, client: aiosmtplib.SMTP
) -> None:
    relay.script("ana@example.org", Reply(552, "5.3.4 too big"), stage="data")

    with pytest.raises(aiosmtplib.SMTPDataError) as refusal:
        await client.sendmail(SENDER, ["ana@example.org"], RAW)
    await client.sendmail(SENDER, ["bor@example.org"], RAW)

    assert refusal.value.code == 552
    assert [letter.envelope_to for letter in relay.letters] == [("bor@example.org",)]


@pytest.mark.parametrize(("stage", "kept"), [("before_data", 0), ("in_data", 0), ("after_data", 1)])
async def test_a_dropped_connection_keeps_the_letter_only_after_its_data(
    relay: Relay, send: Send, stage: str, kept: int
) -> None:
    relay.drop("ana@example.org", stage)  # type: ignore[arg-type]

    with pytest.raises(aiosmtplib.SMTPServerDisconnected):
        await send("ana@example.org")
    assert relay.received == kept

    await send("ana@example.org")
    assert relay.received == kept + 1


async def test_the_answer_to_a_letter_can_be_delayed_past_the_senders_patience(relay: Relay) -> None:
    relay.delay(60)
    client = aiosmtplib.SMTP(hostname=relay.host, port=relay.port, timeout=0.2)
    await client.connect(timeout=10)

    with pytest.raises(aiosmtplib.SMTPTimeoutError):
        await client.sendmail(SENDER, ["ana@example.org"], RAW)

    assert relay.received == 1


async def test_stopping_hangs_up_on_idle_clients_and_keeps_the_letters(send: Send, relay: Relay) -> None:
    await send("ana@example.org")
    reader, writer = await asyncio.open_connection(relay.host, relay.port)
    await reader.readline()

    await relay.stop()

    assert await reader.read() == b""
    assert relay.received == len(relay.letters) == 1
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(relay.host, relay.port)
    writer.close()
    await writer.wait_closed()


async def test_a_stopped_relay_starts_again_on_its_port(relay: Relay, send: Send) -> None:
    port = relay.port
    await relay.stop()
    await relay.start()

    await send("ana@example.org")

    assert (relay.port, relay.received) == (port, 1)
