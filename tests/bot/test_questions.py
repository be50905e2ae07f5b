"""From a question nobody could answer to the team's list."""

from collections.abc import AsyncIterator

import pytest
from sqlmodel import col, select

from demo.telegram import Telegram
from domain import operators
from domain.addresses import address_of
from domain.database import Database
from domain.notices import Kind, Notice
from domain.operators import Role
from domain.questions import Question, Status
from tests.bot.machines import Machine
from tests.bot.talks import Talk

pytestmark = pytest.mark.usefixtures("pack")


@pytest.fixture(autouse=True)
async def _running(machine: Machine) -> AsyncIterator[None]:
    async with machine.running():
        yield


async def _stored(database: Database) -> tuple[list[Question], list[Notice]]:
    async with database.reading() as session:
        asked = await session.exec(select(Question).order_by(col(Question.id)))
        letters = await session.exec(select(Notice).order_by(col(Notice.email)))
        return list(asked.all()), list(letters.all())


async def test_an_unknown_question_reaches_every_operator_once(
    database: Database, cloud: Telegram, ana: Talk, machine: Machine
) -> None:
    async with database.transaction() as session:
        for email in ("lead@example.org", "editor@example.org"):
            await operators.add(session, address_of(email), Role.LEAD, machine.now)
    await ana.say("/start")
    unknown = await ana.say("What is the airspeed of a swallow?")
    assert "I do not know that" in unknown.text
    assert "on the team’s list" in (await ana.press(unknown, "Ask the team")).text
    button = next(button for button in unknown.buttons if "Ask the team" in button.text)
    before = len(cloud.answers(ana.id))
    cloud.press(ana.id, unknown.message_id, button.callback_data or "")
    await cloud.wait_until(lambda: len(cloud.answers(ana.id)) > before)
    assert "already" in cloud.answers(ana.id)[-1].text
    [asked], letters = await _stored(database)
    assert (asked.status, asked.outcome, asked.chat_id) == (Status.OPEN, "unknown", ana.id)
    assert [letter.email for letter in letters] == ["editor@example.org", "lead@example.org"]
    assert letters[0].kind is Kind.QUESTION
    assert letters[0].payload == {
        "question_id": asked.id,
        "text": "What is the airspeed of a swallow?",
        "language": "en",
        "asked_at": machine.now.isoformat(),
    }


async def test_without_operators_the_contact_hears_of_it(database: Database, ana: Talk) -> None:
    await ana.say("/start")
    await ana.press(await ana.say("Why is that?"), "Ask the team")
    _, letters = await _stored(database)
    assert [letter.email for letter in letters] == ["lead@example.org"]


async def test_a_rating_is_kept_and_after_no_the_team_is_one_press_away(
    database: Database, cloud: Telegram, ana: Talk
) -> None:
    await ana.say("/start")
    answer = await ana.say("Who was the lead?")
    offer = await ana.press(answer, "Not really")
    assert "Ask the team" in [button.text.split(" ", 1)[1] for button in offer.buttons]
    [asked], _ = await _stored(database)
    assert asked.helpful is False


async def test_nobody_rates_or_forwards_somebody_else_s_question(
    database: Database, cloud: Telegram, ana: Talk
) -> None:
    await ana.say("/start")
    await ana.say("Who was the lead?")
    eve = Talk(cloud, "Eve")
    await eve.say("/start")
    hers = await eve.say("Who was the lead?")
    [of_ana, _], _ = await _stored(database)
    _press_forged(cloud, eve.id, hers.message_id, f"team:{of_ana.id}")
    await cloud.wait_until(lambda: cloud.answers(eve.id))
    [of_ana, _], letters = await _stored(database)
    assert (of_ana.status, letters) == (Status.SETTLED, [])


def _press_forged(cloud: Telegram, user_id: int, message_id: int, data: str) -> None:
    """Send a pressed button that no message shows, as a changed app could."""
    chat = cloud.chats[user_id]
    cloud.queries["4999999999"] = user_id
    content = {
        "id": "4999999999",
        "from": chat.person.to_api(),
        "chat_instance": str(user_id),
        "message": chat.describe(chat.kept[message_id]),
        "data": data,
    }
    cloud.updates.add("callback_query", content)
