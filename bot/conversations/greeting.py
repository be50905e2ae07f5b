"""The first words: who runs this, that it is a machine, where the privacy notice is, which language."""

from bot.conversations import events, languages, leaving, subscribing
from bot.replies import Button, Rows, in_rows
from bot.turns import Turn
from domain import projects

_DEEP_LINKS = {
    "events": events.show,
    "subscribe": subscribing.begin,
    "unsubscribe": leaving.ask,
}


async def start(turn: Turn) -> None:
    """Answer /start, with or without the payload of a link `t.me/…?start=payload`."""
    follow = _DEEP_LINKS.get(turn.incoming.argument) if turn.incoming.is_private else None
    if follow is None or turn.chat.greeted_at is None:
        await greet(turn)
    if follow is not None:
        await follow(turn)


async def greet(turn: Turn) -> None:
    """Introduce the bot; GDPR, Articles 13 and 14, and the AI Act, Article 50, ask for these words."""
    turn.chat.greeted_at = turn.now
    turn.show(await _words(turn), _buttons(turn))


async def change_language(turn: Turn, arguments: list[str]) -> None:
    """Speak another language from now on, beginning with the greeting itself."""
    if languages.switch(turn, arguments):
        turn.show(await _words(turn), _buttons(turn))


async def _words(turn: Turn) -> str:
    project = await projects.find(turn.session)
    return turn.words(
        "greeting.html",
        project=project,
        operator=turn.service.operator,
        service=turn.service.name,
        privacy=turn.page("/privacy"),
    )


def _buttons(turn: Turn) -> Rows:
    topics = [Button(text=turn.labels[name], data=f"go:{name}") for name in ("events", "news", "subscribe")]
    return (*languages.choices(turn, "hello"), *in_rows(topics, width=3))
