"""What people do in the chat, button by button, over real HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlmodel import select

from demo.telegram import Telegram
from domain.database import Database
from domain.languages import Language
from domain.updates import TelegramUpdate
from tests.bot.machines import Machine
from tests.bot.talks import Talk

pytestmark = pytest.mark.usefixtures("pack")


@pytest.fixture(autouse=True)
async def _running(machine: Machine) -> AsyncIterator[None]:
    async with machine.running():
        yield


async def test_the_first_words_say_who_runs_it_that_it_is_a_machine_and_where_the_privacy_notice_is(
    ana: Talk,
) -> None:
    hello = await ana.say("/start")
    assert "Welcome to INTRA news" in hello.text
    assert "I am a machine" in hello.text
    assert "run by CAPITANK" in hello.text
    assert any(entity.url == "http://127.0.0.1:8080/privacy?language=en" for entity in hello.entities)
    assert {language.endonym for language in Language} <= {
        button.text.strip("✓ ") for button in hello.buttons
    }


async def test_who_begins_with_a_question_is_greeted_first_and_only_once(ana: Talk) -> None:
    await ana.say("Who was the lead?", containing="Maribor agency")
    assert "I am a machine" in ana.said()[0]
    await ana.say("And the lead?", containing="Maribor agency")
    assert sum("I am a machine" in text for text in ana.said()) == 1


async def test_a_deep_link_leads_on_after_the_greeting(ana: Talk) -> None:
    events = await ana.say("/start events", containing="Coming events")
    assert "I am a machine" in ana.said()[0]
    assert "No event is planned" in events.text


async def test_a_chosen_language_is_spoken_from_then_on_and_on_the_menu(cloud: Telegram, ana: Talk) -> None:
    hello = await ana.say("/start")
    changed = await ana.press(hello, "Slovenščina")
    assert changed.message_id == hello.message_id
    assert "✓ Slovenščina" in [button.text for button in changed.buttons]
    person = cloud.chats[ana.id].person
    await cloud.wait_until(lambda: any(f'"{ana.id}"' in scope for scope, _ in cloud.profile.commands))
    assert [command["command"] for command in cloud.profile.commands_for(person)][:2] == ["help", "events"]
    privacy = await ana.say("/privacy")
    assert any("language=sl" in str(entity.url) for entity in privacy.entities)


async def test_the_app_s_language_is_the_first_language(cloud: Telegram) -> None:
    hello = await Talk(cloud, "Inês", "pt-br").say("/start")
    assert "✓ Português" in [button.text for button in hello.buttons]


async def test_past_events_are_shown_in_the_same_message_with_details_and_a_calendar_file(ana: Talk) -> None:
    await ana.say("/start")
    coming = await ana.say("/events")
    past = await ana.press(coming, "Past events")
    assert past.message_id == coming.message_id
    assert past.text.index("Final conference") < past.text.index("Kick off")
    one = await ana.press(past, "Kick off")
    assert one.message_id == coming.message_id
    assert "18–19 May 2016" in one.text
    assert "As of 31 March 2021" in one.text
    assert any(entity.url == "https://example.org/intra" for entity in one.entities)
    file = await ana.press(one, "calendar")
    assert file.document is not None
    assert file.document.name == "kick-off.ics"
    assert b"DTEND;VALUE=DATE:20160520" in file.document.content
    back = await ana.press(one, "Back")
    assert "Final conference" in back.text


async def test_partners_and_documents_are_listed(ana: Talk) -> None:
    await ana.say("/start")
    partners = await ana.say("/partners")
    assert "Maribor Development Agency" in partners.text
    assert "Communication partner" in (await ana.press(partners, "CAPITANK")).text
    documents = await ana.say("/documents")
    assert "September 2016 · 42 pages" in documents.text


async def test_without_letters_the_news_offers_to_subscribe(ana: Talk) -> None:
    await ana.say("/start")
    news = await ana.say("/news")
    assert "No newsletter has gone out yet" in news.text
    form = await ana.press(news, "Subscribe")
    assert form.message_id > news.message_id
    assert "How shall it reach you?" in form.text


async def test_an_answer_comes_with_its_source_and_date(ana: Talk) -> None:
    await ana.say("/start")
    answer = await ana.say("Who was the lead?")
    assert answer.text.startswith("Lead partner\n\nThe Maribor agency <led> it.")
    assert "As of 31 March 2021" in answer.text
    assert any(entity.url == "https://example.org/intra" for entity in answer.entities)


async def test_a_long_answer_comes_in_parts_and_the_buttons_hang_on_the_last(
    cloud: Telegram, ana: Talk
) -> None:
    await ana.say("/start")
    last = await ana.say("A long one", containing="As of")
    parts = [message for message in cloud.messages(ana.id) if message.text.startswith(("Long", "word"))]
    assert len(parts) == 3
    assert [bool(part.buttons) for part in parts] == [False, False, True]
    assert parts[-1] is last


async def test_a_doubtful_question_is_cleared_up_with_a_button(ana: Talk) -> None:
    await ana.say("/start")
    doubt = await ana.say("partner?")
    answer = await ana.press(doubt, "Lead partner")
    assert answer.message_id == doubt.message_id
    assert "It was MDA." in answer.text


async def test_what_is_out_of_scope_is_declined(ana: Talk) -> None:
    await ana.say("/start")
    assert (await ana.say("Give me advice on tax")).text == "I give no tax advice."


async def test_pictures_and_unknown_commands_are_answered_kindly(ana: Talk) -> None:
    await ana.say("/start")
    assert "/events" in (await ana.say("/weather")).text


async def _updates(database: Database) -> list[tuple[int | None, dict[str, Any], list[Any]]]:
    async with database.reading() as session:
        kept = (await session.exec(select(TelegramUpdate))).all()
    return [(update.chat_id, update.payload, update.replies) for update in kept]


async def test_somebody_s_data_is_shown_and_deleted(database: Database, ana: Talk) -> None:
    await ana.say("/start")
    await ana.say("Who was the lead?")
    privacy = await ana.say("/privacy")
    file = await ana.press(privacy, "Show my data")
    assert file.document is not None
    shown = json.loads(file.document.content)
    assert shown["telegram_chat"] == ana.id
    assert shown["questions"][0]["text"] == "Who was the lead?"
    sure = await ana.press(privacy, "Delete my data")
    assert "Everything about you is deleted" in (await ana.press(sure, "Yes, delete it")).text
    async with asyncio.timeout(10):
        while any(kept != (None, {}, []) for kept in await _updates(database)):
            await asyncio.sleep(0.01)
    again = await ana.say("Who was the lead?")
    assert "I am a machine" in again.text
