"""The partners of the project: all of them, then one at a time."""

from bot.conversations.lists import number_in
from bot.replies import Button, in_rows
from bot.turns import Turn
from domain import projects
from domain.projects import Partner


async def show(turn: Turn) -> None:
    """Answer /partners."""
    found = await projects.partners(turn.session)
    buttons = [
        Button(text=partner.other_names[0] if partner.other_names else partner.name, data=f"pa:{partner.id}")
        for partner in found
    ]
    turn.show(turn.words("partners.html", partners=found), in_rows(buttons, width=2))


async def pressed(turn: Turn, arguments: list[str]) -> None:
    """Show one partner, or all of them again."""
    partner = await turn.session.get(Partner, number_in(arguments))
    if partner is None or partner.retired_at is not None:
        await show(turn)
        return
    turn.show(turn.words("partner.html", partner=partner), ((turn.button("back", "pa:0"),),))
