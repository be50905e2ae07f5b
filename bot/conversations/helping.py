"""What the bot can do, said in a few lines."""

from bot import menus
from bot.replies import Rows, in_rows
from bot.turns import Turn


async def show(turn: Turn) -> None:
    """Answer /help."""
    turn.show(turn.words("help.html", commands=_commands(turn), contact=turn.service.contact), _buttons(turn))


async def unknown_command(turn: Turn) -> None:
    """Answer a command that does not exist with those that do."""
    turn.say(turn.words("unknown-command.html", commands=_commands(turn)))


async def unreadable(turn: Turn) -> None:
    """Answer a picture, a voice message and whatever else is not text."""
    turn.say(turn.words("unreadable.html"))


def _commands(turn: Turn) -> menus.Commands:
    return menus.commands(turn.means.texts, turn.language)


def _buttons(turn: Turn) -> Rows:
    names = ("events", "partners", "documents", "news", "subscribe", "privacy")
    return in_rows([turn.button(name, f"go:{name}") for name in names], width=2)
