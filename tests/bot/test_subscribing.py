"""The subscription form in the chat, from the first button to the register, and leaving again."""

from collections.abc import AsyncIterator

import pytest
from sqlmodel import select

from demo.telegram import Telegram
from demo.telegram.messages import Message
from domain import consents, subscribers, subscriptions
from domain.consents import Action, Consent, Method
from domain.database import Database
from domain.helixes import HelixGroup, TargetGroup
from domain.languages import Language
from domain.notices import Kind, Notice
from domain.subscribers import Channel, Subscriber
from tests.bot.machines import Machine
from tests.bot.talks import Talk

pytestmark = pytest.mark.usefixtures("pack")


@pytest.fixture(autouse=True)
async def _running(machine: Machine) -> AsyncIterator[None]:
    async with machine.running():
        yield


async def _consent_screen(ana: Talk, channel: str, *, email: str = "ana@example.org") -> Message:
    """Fill in the form up to the consent text."""
    await ana.say("/start")
    screen = await ana.press(await ana.say("/subscribe"), channel)
    if channel != "Here in Telegram":
        screen = await ana.say(email)
    screen = await ana.press(screen, "Business")
    screen = await ana.press(screen, "SME")
    screen = await ana.press(screen, "Slovenia")
    screen = await ana.press(screen, "Policy")
    return await ana.press(screen, "Done")


async def _notices(database: Database) -> list[Notice]:
    async with database.reading() as session:
        return list((await session.exec(select(Notice).order_by(Notice.email))).all())


async def _subscribers(database: Database) -> list[Subscriber]:
    async with database.reading() as session:
        return list((await session.exec(select(Subscriber))).all())


async def test_the_whole_form_queues_a_confirmation_and_stores_nobody_before_it(
    database: Database, ana: Talk
) -> None:
    screen = await _consent_screen(ana, "By e-mail")
    for words in ("ana@example.org", "SME", "Slovenia", "Policy", "I agree that CAPITANK sends me the INTRA"):
        assert words in screen.text
    done = await ana.agree(screen)
    assert "Check the inbox of ana@example.org" in done.text
    [letter] = await _notices(database)
    assert (letter.kind, letter.email, letter.payload["by_chat"]) == (Kind.CONFIRM, "ana@example.org", True)
    assert await _subscribers(database) == []


async def test_the_confirmed_subscriber_is_who_the_form_said(
    database: Database, ana: Talk, machine: Machine
) -> None:
    await ana.agree(await _consent_screen(ana, "Both"))
    [letter] = await _notices(database)
    async with database.transaction() as session:
        await subscriptions.confirm(session, letter.payload["secret"], machine.now)
    [reader] = await _subscribers(database)
    assert (reader.email, reader.chat_id, reader.country) == ("ana@example.org", ana.id, "SI")
    assert (reader.helix_group, reader.target_group) == (HelixGroup.BUSINESS, TargetGroup.SME)
    async with database.reading() as session:
        assert await subscribers.topics_of(session, reader) == ["policy"]


async def test_subscribing_here_records_the_exact_words_that_were_shown(
    database: Database, ana: Talk
) -> None:
    screen = await _consent_screen(ana, "Here in Telegram")
    assert "You are subscribed" in (await ana.agree(screen)).text
    [reader] = await _subscribers(database)
    assert reader.consented_at(Channel.TELEGRAM) is not None
    async with database.reading() as session:
        [(line, text)] = await consents.history(session, reader)
    assert text is not None
    assert text.body in screen.text
    assert screen.buttons == []
    assert (text.language, line.method) == (Language.ENGLISH, Method.CHAT)
    assert line.evidence.startswith("telegram update ")
    assert await _notices(database) == []


async def test_known_and_unknown_addresses_get_the_same_words(
    database: Database, cloud: Telegram, ana: Talk, machine: Machine
) -> None:
    await ana.agree(await _consent_screen(ana, "By e-mail"))
    [letter] = await _notices(database)
    async with database.transaction() as session:
        await subscriptions.confirm(session, letter.payload["secret"], machine.now)
    eve = Talk(cloud, "Eve")
    known = await eve.agree(await _consent_screen(eve, "By e-mail"))
    unknown = await eve.agree(await _consent_screen(eve, "By e-mail", email="eva@example.org"))
    assert known.text.replace("ana@", "eva@") == unknown.text


async def test_a_wrong_address_is_asked_for_again_and_a_slip_is_noticed(ana: Talk) -> None:
    await ana.say("/start")
    await ana.press(await ana.say("/subscribe"), "By e-mail")
    assert "does not look like" in (await ana.say("ana@@nowhere")).text
    slip = await ana.say("ana@gmial.com")
    assert [button.text for button in slip.buttons][:2] == ["ana@gmail.com", "ana@gmial.com"]
    screen = await ana.press(slip, "ana@gmail.com")
    for choice in ("prefer not to say", "prefer not to say", "Everything"):
        screen = await ana.press(screen, choice)
    assert "ana@gmail.com" in screen.text


async def test_a_question_in_between_is_answered_and_the_form_waits(ana: Talk) -> None:
    await ana.say("/start")
    await ana.press(await ana.say("/subscribe"), "By e-mail")
    assert "Maribor agency" in (await ana.say("Who was the lead of this project?")).text
    assert "Which of these" in (await ana.say("ana@example.org")).text


async def test_a_country_may_be_typed_with_a_slip(ana: Talk) -> None:
    await ana.say("/start")
    screen = await ana.press(await ana.say("/subscribe"), "Here in Telegram")
    await ana.press(screen, "prefer not to say")
    assert "I do not know a country" in (await ana.say("Atlantis")).text
    screen = await ana.say("Portugall")
    assert "Portugal" in (await ana.press(screen, "Everything")).text


async def test_back_leads_back_and_changes_what_was_said(ana: Talk) -> None:
    screen = await _consent_screen(ana, "Here in Telegram")
    for _ in range(3):
        screen = await ana.press(screen, "Back")
    screen = await ana.press(screen, "Large enterprise")
    screen = await ana.press(screen, "Italy")
    screen = await ana.press(screen, "Done")
    assert "Large enterprise" in screen.text
    assert "Italy" in screen.text


async def test_agreeing_to_an_older_screen_is_no_agreement(
    database: Database, cloud: Telegram, ana: Talk
) -> None:
    old = await _consent_screen(ana, "Here in Telegram")
    agree = next(button for button in old.buttons if "I agree" in button.text)
    await ana.press(await ana.say("/language"), "Slovenščina")
    await _consent_screen_again(ana)
    assert agree.callback_data is not None
    before = len(cloud.answers(ana.id))
    cloud.press(ana.id, old.message_id, agree.callback_data)
    await cloud.wait_until(lambda: len(cloud.answers(ana.id)) > before)
    assert await _subscribers(database) == []


async def _consent_screen_again(ana: Talk) -> None:
    """Come to the consent text for the channel e-mail, which has other words."""
    screen = await ana.say("/subscribe")
    email = next(button for button in screen.buttons if button.callback_data == "sub:channel:email")
    await ana.press(screen, email.text)
    screen = await ana.say("ana@example.org")
    for data in ("sub:helix:none", "sub:country:none", "sub:topics:done"):
        button = next(button for button in screen.buttons if button.callback_data == data)
        screen = await ana.press(screen, button.text)


async def test_cancel_forgets_the_form(cloud: Telegram, ana: Talk) -> None:
    await ana.say("/start")
    form = await ana.say("/subscribe")
    await ana.say("/cancel", containing="Stopped")
    button = next(button for button in form.buttons if "By e-mail" in button.text)
    cloud.press(ana.id, form.message_id, button.callback_data or "")
    answer = await cloud.wait_until(lambda: cloud.answers(ana.id))
    assert "This form is over" in answer[-1].text


async def test_leaving_takes_one_question_and_both_channels(
    database: Database, ana: Talk, machine: Machine
) -> None:
    await ana.agree(await _consent_screen(ana, "Both"))
    [letter] = await _notices(database)
    async with database.transaction() as session:
        await subscriptions.confirm(session, letter.payload["secret"], machine.now)
    question = await ana.say("/unsubscribe")
    assert "by e-mail and in this chat" in question.text
    left = await ana.press(question, "Yes, unsubscribe me")
    assert "you are unsubscribed" in left.text
    [reader] = await _subscribers(database)
    assert [reader.consented_at(channel) for channel in Channel] == [None, None]
    async with database.reading() as session:
        query = select(Consent.method).where(Consent.action == Action.WITHDRAWN)
        assert list((await session.exec(query)).all()) == [Method.CHAT, Method.CHAT]
    assert "no subscription" in (await ana.say("/unsubscribe")).text


async def test_who_blocks_the_bot_has_left(database: Database, cloud: Telegram, ana: Talk) -> None:
    await ana.agree(await _consent_screen(ana, "Here in Telegram"))
    cloud.block(ana.id)

    async def has_left() -> bool:
        [reader] = await _subscribers(database)
        return reader.consented_at(Channel.TELEGRAM) is None

    while not await has_left():
        await cloud.bell.until(lambda: not cloud.updates.pending, timeout=5)
    async with database.reading() as session:
        query = select(Consent.method).where(Consent.action == Action.WITHDRAWN)
        assert list((await session.exec(query)).all()) == [Method.BLOCKED]
