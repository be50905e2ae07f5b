"""Leaving the newsletter: as easy as joining (GDPR, Article 7(3))."""

from bot.replies import Rows
from bot.turns import Turn
from domain import subscribers, subscriptions
from domain.consents import Method, Proof
from domain.subscribers import Channel, Subscriber

_CHOICES = {"all": tuple(Channel), "email": (Channel.EMAIL,), "telegram": (Channel.TELEGRAM,)}


async def ask(turn: Turn) -> None:
    """Answer /unsubscribe: say what is subscribed here and ask once."""
    used = await _used_channels(turn)
    if not used:
        turn.show(turn.words("not-subscribed.html"), ((turn.button("subscribe", "go:subscribe"),),))
        return
    turn.show(turn.words("leave.html", channels=used), _buttons(turn, used))


async def pressed(turn: Turn, arguments: list[str]) -> None:
    """Leave over the chosen channels, or stay."""
    choice = arguments[0] if arguments else ""
    if choice not in _CHOICES:
        turn.show(turn.words("stayed.html"))
        return
    subscriber = await subscribers.find_by_chat(turn.session, turn.chat.id)
    if subscriber is not None:
        proof = Proof(Method.CHAT, f"update {turn.incoming.update_id}", turn.now)
        await subscriptions.leave(turn.session, subscriber, _CHOICES[choice], proof, turn.service.keyring)
    turn.show(
        turn.words("left.html", left=_CHOICES[choice], remaining=await _used_channels(turn)),
        ((turn.button("subscribe_again", "go:subscribe"),),),
    )


async def _used_channels(turn: Turn) -> list[Channel]:
    subscriber = await subscribers.find_by_chat(turn.session, turn.chat.id)
    return [channel for channel in Channel if _is_used(subscriber, channel)]


def _is_used(subscriber: Subscriber | None, channel: Channel) -> bool:
    return subscriber is not None and subscriber.consented_at(channel) is not None


def _buttons(turn: Turn, used: list[Channel]) -> Rows:
    rows: Rows = ((turn.button("leave", "bye:all"),),)
    if len(used) > 1:
        rows += ((turn.button("leave_email", "bye:email"), turn.button("leave_telegram", "bye:telegram")),)
    return (*rows, (turn.button("stay", "bye:stay"),))
