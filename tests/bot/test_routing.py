"""Who answers what, above all in groups, which the stand-in does not have."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.incoming import Incoming
from bot.replies import AnswerButton, Button, Reply, SendText, from_rows, to_rows
from bot.routing import BUTTONS, COMMANDS, PERSONAL, route
from bot.turns import Means, Turn
from domain.chats import Chat
from domain.database import Database
from domain.languages import Language
from tests.bot.machines import Machine

GROUP = -5


@pytest.fixture
async def group(machine: Machine, database: Database, means: Means) -> AsyncIterator[Turn]:
    """A turn in a group that was greeted before."""
    async with database.transaction() as session:
        chat = Chat(id=GROUP, language=Language.ENGLISH, created_at=machine.now, greeted_at=machine.now)
        session.add(chat)
        await session.flush()
        incoming = Incoming(update_id=1, chat_id=GROUP, is_private=False)
        yield Turn(means=means, session=session, chat=chat, incoming=incoming, now=machine.now)


async def _route(turn: Turn, **said: Any) -> list[Any]:
    turn.incoming = Incoming(update_id=1, chat_id=GROUP, is_private=False, message_id=3, **said)
    await route(turn)
    return turn.replies


@pytest.mark.parametrize("command", sorted(PERSONAL & set(COMMANDS)))
async def test_in_a_group_what_is_personal_is_asked_in_private(group: Turn, command: str) -> None:
    [reply] = await _route(group, text=f"/{command}", command=command)
    assert isinstance(reply, SendText)
    assert reply.answers == 3
    assert [[button.url for button in row] for row in reply.buttons] == [
        ["https://t.me/helixpost_bot?start=subscribe"]
    ]


@pytest.mark.parametrize("data", ["my:delete", "sub:channel:both", "bye:all", "go:privacy"])
async def test_in_a_group_a_personal_button_does_nothing_but_point_to_the_private_chat(
    group: Turn, data: str
) -> None:
    first, second = await _route(group, query_id="1", data=data)
    assert isinstance(first, AnswerButton)
    assert isinstance(second, SendText)
    assert second.buttons[0][0].url is not None


async def test_in_a_group_a_deep_link_begins_no_form(group: Turn) -> None:
    [greeting] = await _route(group, text="/start subscribe", command="start", argument="subscribe")
    assert "I am a machine" in greeting.html
    assert group.chat.dialogue is None


async def test_a_button_nobody_knows_stops_waiting_with_a_word(group: Turn) -> None:
    [reply] = await _route(group, query_id="1", data="nobody:knows")
    assert reply == AnswerButton(query_id="1", text="This is no longer available.")


@pytest.mark.parametrize("prefix", sorted(set(BUTTONS) - PERSONAL))
@pytest.mark.parametrize(
    "rest", ["", ":", ":x:y:z", ":-1", ":99999999999999999999", ":yes:4294967296", "::::"]
)
async def test_whatever_a_forged_button_carries_nothing_breaks(group: Turn, prefix: str, rest: str) -> None:
    replies = await _route(group, query_id="1", data=prefix + rest)
    assert isinstance(replies[0], AnswerButton)


def test_a_button_is_held_to_what_telegram_takes() -> None:
    with pytest.raises(ValueError, match="64 bytes"):
        Button(text="x", data="ж" * 33)
    with pytest.raises(ValueError, match="either"):
        Button(text="x")


def test_replies_survive_their_row() -> None:
    replies: list[Reply] = [
        SendText(chat_id=1, html="a", buttons=((Button(text="b", data="c"),),)),
        AnswerButton(query_id="1"),
    ]
    assert from_rows(to_rows(replies)) == replies
