"""Dossiers: everything we hold about one person, to show, to hand over, to erase (GDPR, 15, 17, 20)."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from domain import bounce_lists, consents, deliveries, subscribers, suppressions
from domain.campaigns import Campaign
from domain.chats import Chat
from domain.consents import Consent
from domain.deliveries import FINAL, Delivery, Skip, Status
from domain.keys import Keyring
from domain.notices import Notice
from domain.questions import Question
from domain.subscribers import Subscriber
from domain.tokens import Token


async def collect(session: AsyncSession, subscriber: Subscriber) -> dict[str, Any]:
    """Return everything about a subscriber as plain data, ready for JSON."""
    profile = await subscribers.profile_of(session, subscriber)
    return {
        "email": subscriber.email,
        "telegram_chat": subscriber.chat_id,
        "name": profile.name,
        "organisation": profile.organisation,
        "target_group": profile.target_group,
        "helix": profile.helix_group,
        "country": profile.country,
        "region": profile.region,
        "language": profile.language,
        "topics": list(profile.topics),
        "email_consented_at": _iso(subscriber.email_consented_at),
        "telegram_consented_at": _iso(subscriber.telegram_consented_at),
        "email_bounced_at": _iso(subscriber.email_bounced_at),
        "created_at": _iso(subscriber.created_at),
        "consents": await _consents(session, subscriber),
        "letters": await _letters(session, subscriber),
        "bounces": await _bounces(session, subscriber),
        "notices": await _notices(session, subscriber),
        "questions": await _questions(session, subscriber.chat_id),
    }


async def collect_chat(session: AsyncSession, chat: Chat) -> dict[str, Any]:
    """Return what a chat alone left behind, also of somebody who never subscribed."""
    return {
        "telegram_chat": chat.id,
        "language": chat.language,
        "since": _iso(chat.created_at),
        "form_begun": chat.dialogue,
        "questions": await _questions(session, chat.id),
    }


async def erase(session: AsyncSession, subscriber: Subscriber, keyring: Keyring, now: datetime) -> None:
    """Erase a person: what stays is a keyed hash for suppression and anonymous counts."""
    if subscriber.email_key:
        address_hash = keyring.hash_address(subscriber.email_key)
        await suppressions.suppress(session, address_hash, suppressions.Reason.ERASED, now)
        await session.exec(delete(Token).where(col(Token.address_hash) == address_hash))
        await session.exec(
            delete(Notice).where(func.lower(col(Notice.email)) == func.lower(subscriber.email_key))
        )
    if subscriber.chat_id is not None:
        await erase_chat(session, subscriber.chat_id)
    await _skip_open_deliveries(session, subscriber, now)
    await session.exec(delete(Consent).where(col(Consent.subscriber_id) == subscriber.id))
    await session.delete(subscriber)
    await session.flush()


async def erase_chat(session: AsyncSession, chat_id: int) -> None:
    """Erase what a chat left behind: its dialogue and the words of its questions.

    Its stored updates lose their words and its number as soon as they are answered.
    """
    await session.exec(update(Question).where(col(Question.chat_id) == chat_id).values(chat_id=None, text=""))
    await session.exec(delete(Chat).where(col(Chat.id) == chat_id))


async def _skip_open_deliveries(session: AsyncSession, subscriber: Subscriber, now: datetime) -> None:
    await session.exec(
        update(Delivery)
        .where(deliveries.of_subscriber(subscriber.id), col(Delivery.status) == Status.QUEUED)
        .values(status=deliveries.unsent_status(), reason=Skip.ERASED, finished_at=now)
    )
    await session.exec(
        update(Delivery)
        .where(deliveries.of_subscriber(subscriber.id), col(Delivery.status).in_(FINAL))
        .values(subscriber_id=None)
    )


async def _consents(session: AsyncSession, subscriber: Subscriber) -> list[dict[str, Any]]:
    return [
        {
            "at": _iso(consent.at),
            "action": consent.action,
            "channel": consent.channel,
            "purpose": consent.purpose,
            "method": consent.method,
            "evidence": consent.evidence,
            "text": text.body if text else None,
            "text_sha256": consent.text_id,
        }
        for consent, text in await consents.history(session, subscriber)
    ]


async def _letters(session: AsyncSession, subscriber: Subscriber) -> list[dict[str, Any]]:
    query = (
        select(Delivery, Campaign.name)
        .join(Campaign, col(Campaign.id) == col(Delivery.campaign_id))
        .where(deliveries.of_subscriber(subscriber.id))
        .order_by(col(Delivery.id))
    )
    return [
        {
            "campaign": name,
            "channel": delivery.channel,
            "language": delivery.language,
            "status": delivery.status,
            "reason": delivery.reason,
            "finished_at": _iso(delivery.finished_at),
        }
        for delivery, name in (await session.exec(query)).all()
    ]


async def _bounces(session: AsyncSession, subscriber: Subscriber) -> list[dict[str, Any]]:
    return [
        {
            "at": _iso(entry.bounce.at),
            "kind": entry.bounce.kind,
            "source": entry.bounce.source,
            "code": entry.bounce.code,
            "reason": entry.bounce.reason,
            "campaign": entry.campaign,
            "lifted_at": _iso(entry.bounce.lifted_at),
        }
        for entry in await bounce_lists.history(session, subscriber)
    ]


async def _notices(session: AsyncSession, subscriber: Subscriber) -> list[dict[str, Any]]:
    query = select(Notice).where(func.lower(col(Notice.email)) == func.lower(subscriber.email_key))
    return [
        {"kind": notice.kind, "status": notice.status, "created_at": _iso(notice.created_at)}
        for notice in (await session.exec(query.order_by(col(Notice.id)))).all()
    ]


async def _questions(session: AsyncSession, chat_id: int | None) -> list[dict[str, Any]]:
    if chat_id is None:
        return []
    query = select(Question).where(col(Question.chat_id) == chat_id).order_by(col(Question.id))
    return [
        {"asked_at": _iso(asked.asked_at), "text": asked.text, "outcome": asked.outcome}
        for asked in (await session.exec(query)).all()
    ]


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
