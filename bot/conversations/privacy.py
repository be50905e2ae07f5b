"""What we keep about a person: told, shown, and deleted on request (GDPR, Articles 13, 15, 17)."""

import json
from typing import Any

from bot.turns import Turn
from domain import dossiers, subscribers


async def show(turn: Turn) -> None:
    """Answer /privacy."""
    buttons = (
        (turn.button("show_data", "my:show"),),
        (turn.button("delete_data", "my:ask"),),
    )
    html = turn.words(
        "privacy.html",
        operator=turn.service.operator,
        contact=turn.service.contact,
        page=turn.page("/privacy"),
    )
    turn.show(html, buttons)


async def pressed(turn: Turn, arguments: list[str]) -> None:
    """Hand over the data, ask before deleting it, or delete it."""
    match arguments:
        case ["show"]:
            data = json.dumps(await _collect(turn), ensure_ascii=False, indent=2)
            turn.hand_over("my-data.json", data, turn.words("my-data.html"))
        case ["ask"]:
            sure = (turn.button("delete_now", "my:delete"), turn.button("keep", "my:keep"))
            turn.show(turn.words("delete-data.html"), (sure,))
        case ["delete"]:
            # The words first: afterwards there is no chat whose language could be asked.
            gone = turn.words("data-deleted.html")
            await _erase(turn)
            turn.show(gone)
        case _:
            await show(turn)


async def _collect(turn: Turn) -> dict[str, Any]:
    subscriber = await subscribers.find_by_chat(turn.session, turn.chat.id)
    chat = await dossiers.collect_chat(turn.session, turn.chat)
    return chat if subscriber is None else chat | await dossiers.collect(turn.session, subscriber)


async def _erase(turn: Turn) -> None:
    subscriber = await subscribers.find_by_chat(turn.session, turn.chat.id)
    if subscriber is None:
        await dossiers.erase_chat(turn.session, turn.chat.id)
    else:
        await dossiers.erase(turn.session, subscriber, turn.service.keyring, turn.now)
