"""Each update once in effect, in order, through crashes, pauses and people who left (trust note, R1, R9)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
import structlog
from sqlalchemy import text
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot import replies
from bot.limits import Limits
from bot.outbox import Outbox
from bot.processing import Processor
from bot.replies import SendText
from bot.turns import Means
from demo.telegram import Telegram
from domain import consents, subscriptions, updates
from domain.chats import Chat
from domain.consents import Method, Proof
from domain.database import Database
from domain.languages import Language
from domain.questions import Question
from domain.subscribers import Channel, Profile, Subscriber
from domain.updates import Lease, TelegramUpdate
from tests.bot.machines import Machine
from tests.bot.talks import Talk

pytestmark = pytest.mark.usefixtures("pack")


def _question(ana: Talk, number: int, words: str = "Who was the lead?") -> dict[str, Any]:
    person = ana.cloud.chats[ana.id].person
    message = {"message_id": number, "date": 0, "chat": person.chat_to_api(), "from": person.to_api()}
    return {"update_id": number, "message": message | {"text": words}}


async def _store(machine: Machine, *raws: dict[str, Any]) -> None:
    async with machine.database.transaction() as session:
        for raw in raws:
            await updates.store(session, raw, updates.chat_of(raw), machine.now)


async def _greeted(machine: Machine, ana: Talk) -> None:
    """Let the chat be known, so that no greeting comes in between."""
    ana.cloud.chats[ana.id].started = True
    async with machine.database.transaction() as session:
        session.add(
            Chat(id=ana.id, language=Language.ENGLISH, created_at=machine.now, greeted_at=machine.now)
        )


async def _all(database: Database, table: type[Any]) -> list[Any]:
    async with database.reading() as session:
        return list((await session.exec(select(table))).all())


async def test_an_update_delivered_twice_has_one_effect_and_one_answer(machine: Machine, ana: Talk) -> None:
    await _greeted(machine, ana)
    await _store(machine, _question(ana, 5))
    async with machine.running(polling=False):
        await ana.cloud.wait_for_message(ana.id)
        await _store(machine, _question(ana, 5), _question(ana, 6, "And the lead?"))
        machine.polling.arrived.set()
        await ana.cloud.wait_until(lambda: len(ana.said()) >= 2)
    assert [question.text for question in await _all(machine.database, Question)] == [
        "Who was the lead?",
        "And the lead?",
    ]
    assert len(ana.said()) == 2


async def _decided(machine: Machine, ana: Talk, claimant: str, *words: str) -> Lease:
    """Let a process handle update 5 and decide to say these words."""
    await _store(machine, _question(ana, 5))
    lease = Lease(claimant, machine.now + timedelta(minutes=2))
    said = [SendText(chat_id=ana.id, html=each) for each in words]
    async with machine.database.transaction() as session:
        assert await updates.begin(session, 5, lease, machine.now)
        await updates.decide(session, 5, replies.to_rows([*said]))
    return lease


async def _die(machine: Machine, claimant: str) -> None:
    async with machine.database.transaction() as session:
        assert await updates.release(session, [claimant]) == 1


async def test_after_a_crash_between_handling_and_answering_the_answer_comes_once(
    machine: Machine, ana: Talk
) -> None:
    await _greeted(machine, ana)
    await _decided(machine, ana, "other", "one", "two")
    await _die(machine, "other")
    async with machine.running(polling=False):
        await ana.cloud.wait_for_message(ana.id, containing="two")
    assert ana.said() == ["one", "two"]
    assert await _all(machine.database, Question) == []


async def test_a_reply_that_may_have_arrived_is_not_sent_again(machine: Machine, ana: Talk) -> None:
    await _greeted(machine, ana)
    lease = await _decided(machine, ana, "other", "one", "two")
    async with machine.database.transaction() as session:
        await updates.begin_reply(session, 5, 0, lease)
    await _die(machine, "other")
    async with machine.running(polling=False):
        await ana.cloud.wait_for_message(ana.id)
    assert ana.said() == ["two"]


async def test_what_another_process_is_still_sending_is_not_finished_nor_overtaken(
    machine: Machine, cloud: Telegram, ana: Talk
) -> None:
    eve = Talk(cloud, "Eve")
    for talk in (ana, eve):
        await _greeted(machine, talk)
    lease = await _decided(machine, ana, "other", "one")
    async with machine.database.transaction() as session:
        await updates.begin_reply(session, 5, 0, lease)
    await _store(machine, _question(ana, 6), _question(eve, 7))
    async with machine.running(polling=False):
        await cloud.wait_for_message(eve.id)
    first, second, _ = await _all(machine.database, TelegramUpdate)
    assert (first.answered_at, second.handled_at) == (None, None)

    async with machine.database.transaction() as session:  # Telegram asked the other process to wait
        await updates.take_back_reply(session, 5, 0)
    await _die(machine, "other")
    async with machine.running(polling=False):
        await cloud.wait_until(lambda: len(ana.said()) >= 2)
    assert ana.said()[0] == "one"


async def test_a_reply_that_waits_for_its_turn_when_the_process_ends_comes_from_the_next(
    machine: Machine, database: Database, means: Means, ana: Talk
) -> None:
    await _greeted(machine, ana)
    await _decided(machine, ana, "waiting", "one")
    asked = asyncio.Event()

    def seconds() -> float:
        asked.set()
        return 0.0

    limits = Limits(seconds)
    limits.pause(600)
    asked.clear()
    waiting = Processor(database, means, Outbox(machine.client, limits), lambda: machine.now, "waiting")
    running = asyncio.create_task(waiting.run(asyncio.Event(), asyncio.Event()))
    await asyncio.wait_for(asked.wait(), 10)
    running.cancel()
    await asyncio.wait({running})
    await _die(machine, "waiting")
    async with machine.running(polling=False):
        await ana.cloud.wait_for_message(ana.id)
    assert ana.said() == ["one"]


async def test_a_chat_is_answered_in_order_and_others_do_not_wait_for_it(
    machine: Machine, cloud: Telegram, ana: Talk
) -> None:
    eve = Talk(cloud, "Eve")
    for talk in (ana, eve):
        await _greeted(machine, talk)
    await _store(machine, *(_question(ana, 10 + number, f"Question {number}?") for number in range(300)))
    await _store(machine, _question(eve, 999))
    async with machine.running(polling=False):
        await cloud.wait_for_message(eve.id)
        assert len(ana.said()) < 300
        await cloud.wait_until(lambda: len(ana.said()) >= 8)
    asked = [each.text for each in await _all(machine.database, Question) if each.chat_id == ana.id]
    assert asked == [f"Question {number}?" for number in range(len(asked))]


async def test_an_update_that_cannot_be_read_is_marked_and_blocks_nobody(machine: Machine, ana: Talk) -> None:
    await _greeted(machine, ana)
    chat = ana.cloud.chats[ana.id].person.chat_to_api()
    await _store(machine, {"update_id": 5, "message": {"chat": chat, "date": "yesterday"}}, _question(ana, 6))
    async with machine.running(polling=False):
        await ana.cloud.wait_for_message(ana.id, containing="Maribor")
    broken = (await _all(machine.database, TelegramUpdate))[0]
    assert broken.failure
    assert broken.answered_at is not None


async def test_a_conversation_that_breaks_says_sorry_once_and_logs_no_words(
    machine: Machine, ana: Talk
) -> None:
    await _greeted(machine, ana)
    await _store(machine, _question(ana, 5, "break it, secretly"), _question(ana, 6))
    with structlog.testing.capture_logs() as logs:
        async with machine.running(polling=False):
            await ana.cloud.wait_for_message(ana.id, containing="Maribor")
    assert [said.startswith("Sorry") for said in ana.said()] == [True, False]
    [failed] = [line for line in logs if line["event"] == "update_failed"]
    assert (failed["problem"], failed["update_id"]) == ("ZeroDivisionError", 5)
    assert "machines.py" in failed["place"]
    assert "secretly" not in str(logs)
    assert [each.text for each in await _all(machine.database, Question)] == ["Who was the lead?"]


async def test_telegram_s_pause_is_waited_for_and_then_the_same_answer_comes(
    machine: Machine, cloud: Telegram, ana: Talk
) -> None:
    await _greeted(machine, ana)
    cloud.fail_next("sendMessage", 429, "Too Many Requests: retry after 1", retry_after=1)
    await _store(machine, _question(ana, 5))
    async with machine.running(polling=False):
        await cloud.wait_for_message(ana.id)
    assert len(ana.said()) == 1
    assert len(await _all(machine.database, Question)) == 1


async def test_a_trouble_of_telegram_s_own_is_waited_out(
    machine: Machine, cloud: Telegram, ana: Talk
) -> None:
    await _greeted(machine, ana)
    cloud.fail_next("sendMessage", 502, "Bad Gateway", count=2)
    await _store(machine, _question(ana, 5))
    async with machine.running(polling=False):
        await cloud.wait_for_message(ana.id)
    assert len(ana.said()) == 1


async def test_an_answer_without_a_receipt_is_not_repeated(
    machine: Machine, cloud: Telegram, ana: Talk
) -> None:
    await _greeted(machine, ana)
    cloud.drop_next("sendMessage", performed=True)
    await _store(machine, _question(ana, 5), _question(ana, 6, "And the lead?"))
    async with machine.running(polling=False):
        await cloud.wait_until(lambda: len(ana.said()) >= 2)
    assert len(ana.said()) == 2


async def test_for_somebody_who_blocks_us_the_answer_is_dropped_and_the_consent_ends(
    machine: Machine, cloud: Telegram, ana: Talk
) -> None:
    await _greeted(machine, ana)
    async with machine.database.transaction() as session:
        await _subscribe(session, machine, ana)
    cloud.fail_next("sendMessage", 403, "Forbidden: bot was blocked by the user")
    await _store(machine, _question(ana, 5), _question(ana, 6))
    async with machine.running(polling=False):
        await cloud.wait_for_message(ana.id)
    [reader] = await _all(machine.database, Subscriber)
    assert reader.consented_at(Channel.TELEGRAM) is None
    async with machine.database.reading() as session:
        lines = [line.method for line, _ in await consents.history(session, reader)]
    assert lines == [Method.CHAT, Method.BLOCKED]


async def _subscribe(session: AsyncSession, machine: Machine, ana: Talk) -> None:
    proof = Proof(Method.CHAT, "a test", machine.now)
    profile = Profile(language=Language.ENGLISH)
    await subscriptions.join_by_chat(session, ana.id, profile, "I agree", proof)


async def test_an_edit_that_changes_nothing_and_one_of_a_deleted_message_are_no_failure(
    machine: Machine, cloud: Telegram, ana: Talk
) -> None:
    async with machine.running():
        await ana.say("/start")
        shown = await ana.say("/events")
        same = next(button for button in (await ana.press(shown, "Past")).buttons if "Coming" in button.text)
        cloud.press(ana.id, shown.message_id, same.callback_data or "")
        await cloud.wait_until(lambda: "Coming events" in shown.text)
        past = next(button for button in shown.buttons if "Past" in button.text)
        cloud.press(ana.id, shown.message_id, past.callback_data or "")
        cloud.press(ana.id, shown.message_id, past.callback_data or "")
        cloud.chats[ana.id].delete(shown)
        again = await cloud.wait_for_message(ana.id, shown, containing="Past events")
    assert again.message_id > shown.message_id
    assert not any(each.failure for each in await _all(machine.database, TelegramUpdate))


@asynccontextmanager
async def _without_questions(database: Database) -> AsyncIterator[None]:
    """Take a table away, so that every question runs into an error of the database."""
    async with database.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE question RENAME TO question_away"))
    yield
    async with database.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE question_away RENAME TO question"))


async def test_an_outage_of_the_database_is_waited_out(machine: Machine, cloud: Telegram, ana: Talk) -> None:
    await _greeted(machine, ana)
    await _store(machine, _question(ana, 5))
    with structlog.testing.capture_logs() as logs:
        async with machine.running(polling=False):
            async with _without_questions(machine.database):
                await cloud.wait_until(lambda: any(line["event"] == "update_waits" for line in logs))
            await cloud.wait_for_message(ana.id)
    assert [said.startswith("Lead partner") for said in ana.said()] == [True]
    assert len(await _all(machine.database, Question)) == 1


async def test_an_update_that_the_database_never_takes_is_given_up(machine: Machine, ana: Talk) -> None:
    await _greeted(machine, ana)
    await _store(machine, _question(ana, 5), _question(ana, 6, "/help"))
    async with machine.running(polling=False), _without_questions(machine.database):
        await ana.cloud.wait_for_message(ana.id, containing="How I can help", timeout=20)
    assert ana.said()[0].startswith("Sorry")
    assert not machine.processor._attempts


async def test_two_processes_answer_once(
    machine: Machine, database: Database, means: Means, outbox: Outbox, ana: Talk
) -> None:
    await _greeted(machine, ana)
    other = Processor(database, means, outbox, lambda: machine.now, "other")
    await _store(machine, *(_question(ana, number) for number in range(5, 10)))
    stop = asyncio.Event()
    async with machine.running(polling=False), asyncio.TaskGroup() as group:
        group.create_task(other.run(stop, asyncio.Event()))
        await ana.cloud.wait_until(lambda: len(ana.said()) >= 5)
        stop.set()
    assert len(ana.said()) == 5
    assert len(await _all(database, Question)) == 5
