"""Previews and tests: a lead sees exactly what a reader gets."""

import re

import pytest

from demo.mail import Reply
from domain.addresses import address_of
from domain.campaigns import Text
from domain.errors import NotFound
from domain.languages import Language
from mailer import previews
from mailer.smtp import RelayRefused
from tests.mailer.offices import Office, running

BODY = "Dear {{ subscriber.name }} of {{ subscriber.organisation }}, [leave]({{ unsubscribe_url }})"


async def _preview(office: Office, campaign: int, email: str) -> bytes:
    async with office.database.reading() as session:
        return await previews.preview(session, office.stationery, campaign, address_of(email), office.clock())


async def test_the_preview_is_byte_for_byte_what_was_sent(office: Office) -> None:
    await office.add_reader("ana@example.org", "Ana Novak", Language.SLOVENIAN, "Inštitut")
    campaign = await office.schedule(sl=Text("Za {{ subscriber.first_name }}", "Na kratko", BODY))
    before = await _preview(office, campaign, "ana@example.org")
    async with running(office.mailer()):
        await office.sent(campaign)
    after = await _preview(office, campaign, "ANA@example.org")
    [letter] = office.relay.letters
    assert before == letter.raw == after
    assert "Dear Ana Novak of Inštitut" in letter.text


async def test_a_reader_of_another_language_sees_the_english_text(office: Office) -> None:
    await office.add_reader("ana@example.org", language=Language.BULGARIAN)
    campaign = await office.schedule()
    assert b"Content-Language: en\r\n" in await _preview(office, campaign, "ana@example.org")


async def test_there_is_no_preview_for_somebody_unknown_or_of_nothing(office: Office) -> None:
    await office.add_reader("ana@example.org")
    campaign = await office.schedule()
    with pytest.raises(NotFound, match=r"no subscriber nobody@example\.org"):
        await _preview(office, campaign, "nobody@example.org")
    with pytest.raises(NotFound, match="no campaign 99"):
        await _preview(office, 99, "ana@example.org")


async def test_a_test_letter_says_so_and_has_a_message_id_of_its_own(office: Office) -> None:
    reader = await office.add_reader("ana@example.org", "Ana Novak")
    campaign = await office.schedule(body=BODY)
    letters = []
    for email in ("ana@example.org", "lead@example.org"):
        async with office.database.reading() as session:
            letter = await previews.compose_test(
                session, office.stationery, campaign, address_of(email), office.clock()
            )
        await previews.send_test(office.stationery, office.relay_settings, letter, office.clock())
        letters += office.relay.letters_to(email)
    own, sample = letters
    assert own.subject == sample.subject == "[test] News"
    assert "Dear Ana Novak of" in own.text
    assert "Dear Ana Example of Example Institute" in sample.text
    keyring = office.stationery.service.keyring
    numbers = {letter.raw_header("Message-ID") for letter in letters}
    assert len(numbers) == 2
    assert not any(keyring.message_id(campaign, reader.id or 0) in number for number in numbers)
    tokens = re.findall(r"/unsubscribe/(\S+?)[?>]", own.text + own.raw_header("List-Unsubscribe"))
    assert {keyring.read_unsubscribe(token) for token in tokens} == {0}


async def test_a_test_that_the_relay_refuses_says_why(office: Office) -> None:
    await office.add_reader("ana@example.org")
    campaign = await office.schedule()
    async with office.database.reading() as session:
        letter = await previews.compose_test(
            session, office.stationery, campaign, address_of("ana@example.org"), office.clock()
        )
    office.relay.script("ana@example.org", Reply(550, "5.1.1 unknown"))
    with pytest.raises(RelayRefused, match=r"did not take the letter \(550 5\.1\.1\)"):
        await previews.send_test(office.stationery, office.relay_settings, letter, office.clock())
    await office.relay.stop()
    with pytest.raises(RelayRefused, match=r"\[\[relays\]\]"):
        await previews.send_test(office.stationery, office.relay_settings, letter, office.clock())
