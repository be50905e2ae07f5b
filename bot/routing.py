"""Who answers what: commands, buttons by the prefix of their data, free text."""

from collections.abc import Awaitable, Callable

from bot.conversations import (
    documents,
    events,
    greeting,
    helping,
    languages,
    leaving,
    news,
    partners,
    privacy,
    questions,
    subscribing,
)
from bot.incoming import Arrival
from bot.replies import Button
from bot.turns import Turn

COMMANDS: dict[str, Callable[[Turn], Awaitable[None]]] = {
    "start": greeting.start,
    "help": helping.show,
    "events": events.show,
    "partners": partners.show,
    "documents": documents.show,
    "news": news.show,
    "subscribe": subscribing.begin,
    "unsubscribe": leaving.ask,
    "language": languages.ask,
    "privacy": privacy.show,
    "cancel": subscribing.cancel,
}
BUTTONS: dict[str, Callable[[Turn, list[str]], Awaitable[None]]] = {
    "hello": greeting.change_language,
    "lang": languages.change,
    "ev": events.pressed,
    "pa": partners.pressed,
    "do": documents.pressed,
    "ask": questions.choose,
    "rate": questions.rate,
    "team": questions.ask_team,
    "sub": subscribing.pressed,
    "bye": leaving.pressed,
    "my": privacy.pressed,
}
PERSONAL = frozenset({"subscribe", "unsubscribe", "privacy", "cancel", "sub", "bye", "my"})
"""What concerns one person is never spread out in front of a group."""


async def route(turn: Turn) -> None:
    """Let the right conversation answer; every pressed button stops waiting."""
    turn.chat.blocked_at = None
    if turn.incoming.arrival is not None:
        await _arrive(turn)
    elif turn.is_button:
        await _press(turn)
        turn.hint()
    else:
        await _hear(turn)


async def _arrive(turn: Turn) -> None:
    """Introduce the bot to a group that let it in; a person is greeted by their /start."""
    if turn.incoming.arrival is Arrival.CAME and not turn.incoming.is_private:
        await greeting.greet(turn)


async def _press(turn: Turn) -> None:
    name, *arguments = turn.incoming.data.split(":")
    if name == "go":
        # A button that stands for a command leaves the message it hangs on as it is.
        turn.in_place = arguments[:1] == ["cancel"]
        await _command(turn, arguments[0] if arguments else "")
    elif name in PERSONAL and not turn.incoming.is_private:
        _ask_in_private(turn)
    elif name in BUTTONS:
        await BUTTONS[name](turn, arguments)
    else:
        turn.hint(turn.labels["gone"])


async def _hear(turn: Turn) -> None:
    is_start = turn.incoming.command == "start"
    if turn.chat.greeted_at is None and not is_start:
        await greeting.greet(turn)
    if turn.incoming.command:
        await _command(turn, turn.incoming.command)
    elif not turn.incoming.text:
        await helping.unreadable(turn)
    elif not await subscribing.typed(turn):
        await questions.ask(turn)


async def _command(turn: Turn, name: str) -> None:
    if name in PERSONAL and not turn.incoming.is_private:
        _ask_in_private(turn)
    elif name in COMMANDS:
        await COMMANDS[name](turn)
    else:
        await helping.unknown_command(turn)


def _ask_in_private(turn: Turn) -> None:
    address = f"https://t.me/{turn.means.me.username}?start=subscribe"
    turn.say(turn.words("in-private.html"), ((Button(text=turn.labels["open_chat"], url=address),),))
