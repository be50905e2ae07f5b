"""People who blocked the bot: nothing is written to them any more, and their consent ends."""

from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from domain import consents, subscribers
from domain.chats import Chat
from domain.consents import Method, Proof
from domain.subscribers import Channel


async def depart(session: AsyncSession, chat_id: int, evidence: str, now: datetime) -> None:
    """Keep that nobody reads this chat, and withdraw the consent to write to it."""
    chat = await session.get(Chat, chat_id)
    if chat is not None:
        chat.blocked_at = chat.blocked_at or now
    subscriber = await subscribers.find_by_chat(session, chat_id)
    if subscriber is not None:
        await consents.withdraw(session, subscriber, Channel.TELEGRAM, Proof(Method.BLOCKED, evidence, now))
