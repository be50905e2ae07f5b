"""Which language a chat speaks, and the menu that comes with it."""

from bot import menus
from bot.replies import Button, Rows, SetCommands, in_rows
from bot.turns import Turn
from domain.languages import language_of


async def ask(turn: Turn) -> None:
    """Answer /language."""
    turn.show(turn.words("language.html"), choices(turn, "lang"))


async def change(turn: Turn, arguments: list[str]) -> None:
    """Speak the chosen language from now on."""
    if switch(turn, arguments):
        turn.show(turn.words("language-chosen.html"), choices(turn, "lang"))


def choices(turn: Turn, prefix: str) -> Rows:
    """Return one button per language, the present one marked."""
    buttons = [
        Button(
            text=f"✓ {each.endonym}" if each is turn.language else each.endonym, data=f"{prefix}:{each.value}"
        )
        for each in turn.service.languages
    ]
    return in_rows(buttons, width=3)


def switch(turn: Turn, arguments: list[str]) -> bool:
    """Set the chat's language and its menu of commands; False for one that is not offered."""
    chosen = language_of(arguments[0]) if arguments else None
    if chosen not in turn.service.languages:
        return False
    turn.chat.language = chosen
    turn.replies.append(
        SetCommands(chat_id=turn.chat.id, commands=menus.commands(turn.means.texts, turn.language))
    )
    return True
