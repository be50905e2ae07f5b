"""What an update means: in groups, only what is meant for the bot."""

from typing import Any

import pytest

from bot.incoming import Arrival, Incoming, Self, read

ME = Self(99, "helixpost_bot")
ANA = {"id": 7, "is_bot": False, "first_name": "Ana", "language_code": "sl"}
BOT = {"id": 99, "is_bot": True, "first_name": "Helixpost", "username": "helixpost_bot"}
GROUP = {"id": -5, "type": "group", "title": "Partners"}
PRIVATE = {"id": 7, "type": "private", "first_name": "Ana"}


def _message(text: str, chat: dict[str, Any] = GROUP, **more: Any) -> dict[str, Any]:
    return {"message_id": 3, "date": 0, "chat": chat, "from": ANA, "text": text} | more


def _read(**content: Any) -> Incoming | None:
    return read({"update_id": 1, **content}, ME)


def _mention(name: str) -> list[dict[str, Any]]:
    return [{"type": "mention", "offset": 0, "length": len(name)}]


def test_in_private_everything_is_meant_for_the_bot() -> None:
    found = _read(message=_message("Who leads?", PRIVATE))
    assert found is not None
    assert (found.text, found.is_private, found.is_question, found.language_code) == (
        "Who leads?",
        True,
        True,
        "sl",
    )


@pytest.mark.parametrize("text", ["Who leads?", "/events@other_bot", "@somebody who leads?"])
def test_in_a_group_what_is_said_to_others_is_not_heard(text: str) -> None:
    name = text.split(maxsplit=1)[0]
    entities = _mention(name) if text.startswith("@") else []
    assert _read(message=_message(text, entities=entities)) is None


def test_in_a_group_a_command_a_mention_and_an_answer_are_heard() -> None:
    command = _read(message=_message("/events@Helixpost_Bot next"))
    assert command is not None
    assert (command.command, command.argument, command.is_private) == ("events", "next", False)
    mention = _read(message=_message("@helixpost_bot who leads?", entities=_mention("@helixpost_bot")))
    assert mention is not None
    assert mention.text == "who leads?"
    answered = {"message_id": 2, "date": 0, "chat": GROUP, "from": BOT, "text": "Hello"}
    answer = _read(message=_message("who leads?", reply_to_message=answered))
    assert answer is not None
    assert answer.text == "who leads?"


def test_other_bots_and_edited_messages_are_not_heard() -> None:
    assert _read(message=_message("hi", PRIVATE) | {"from": BOT}) is None
    assert _read(edited_message=_message("hi", PRIVATE) | {"edit_date": 1}) is None


def test_what_a_database_cannot_store_is_left_out() -> None:
    found = _read(message=_message("a\0b\ud83d", PRIVATE))
    assert found is not None
    assert found.text == "ab"


@pytest.mark.parametrize(
    ("before", "after", "arrival"),
    [
        ("member", "kicked", Arrival.LEFT),
        ("kicked", "member", Arrival.CAME),
        ("left", "administrator", Arrival.CAME),
    ],
)
def test_being_let_in_and_out_is_noticed(before: str, after: str, arrival: Arrival) -> None:
    rights = dict.fromkeys(
        ("can_be_edited", "is_anonymous", "can_manage_chat", "can_delete_messages", "can_manage_video_chats",
         "can_restrict_members", "can_promote_members", "can_change_info", "can_invite_users",
         "can_post_stories", "can_edit_stories", "can_delete_stories"),
        False,
    )  # fmt: skip
    change = {
        "chat": PRIVATE, "from": ANA, "date": 0,
        "old_chat_member": {"user": BOT, "status": before, "until_date": 0},
        "new_chat_member": {"user": BOT, "status": after, "until_date": 0} | rights,
    }  # fmt: skip
    found = _read(my_chat_member=change)
    assert found is not None
    assert found.arrival is arrival
