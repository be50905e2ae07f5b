"""The publications of the project, newest first."""

from bot.conversations.lists import number_in, page_of
from bot.turns import Turn
from domain import projects


async def show(turn: Turn) -> None:
    """Answer /documents."""
    await pressed(turn, [])


async def pressed(turn: Turn, arguments: list[str]) -> None:
    """Turn a page of the list."""
    page = page_of(await projects.documents(turn.session), number_in(arguments))
    turn.show(turn.words("documents.html", page=page), page.turners(turn, "do"))
