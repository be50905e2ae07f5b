"""Joining, changing and leaving: double opt-in, preferences, unsubscribing with undo."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from domain import consents, notices, subscribers, suppressions, tokens
from domain.addresses import Address, address_of
from domain.consents import Action, Consent, Method, Proof
from domain.errors import NotAllowed, NotFound
from domain.helixes import HelixGroup, TargetGroup
from domain.keys import Keyring
from domain.languages import Language
from domain.subscribers import Channel, Profile, Subscriber
from domain.tokens import Purpose

MAILS_PER_DAY = 3
"""Confirmation and preference mails that one address can be sent in a day, whoever asks."""
UNDO_WITHIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asks for, with the exact consent text that they were shown."""

    address: Address
    profile: Profile
    consent_text: str
    proof: Proof
    chat_id: int | None = None
    text_language: Language | None = None
    """The language of the consent text where it is not the one that the letters will be in."""


async def request(session: AsyncSession, asked: Request, keyring: Keyring) -> None:
    """Ask an address to confirm: nothing about the person is stored as a subscriber until it does.

    Known, unknown and suppressed addresses take the same path, so nobody can find out which is which.
    """
    profile, now = asked.profile, asked.proof.at
    payload = {
        "email": asked.address.email,
        "profile": asdict(profile),
        "text_id": await consents.keep_text(
            session, asked.consent_text, asked.text_language or profile.language
        ),
        "method": asked.proof.method,
        "evidence": asked.proof.evidence,
        "chat_id": asked.chat_id,
    }
    address_hash = keyring.hash_address(asked.address.key)
    secret = await _issue(session, Purpose.CONFIRM, address_hash, payload, now)
    if secret is not None:
        letter = {"secret": secret, "name": profile.name, "by_chat": asked.chat_id is not None}
        await notices.queue(session, notices.Kind.CONFIRM, asked.address.email, profile.language, letter, now)


async def confirm(session: AsyncSession, secret: str, now: datetime) -> Subscriber:
    """Make the person who holds the link a subscriber; their newest words are what counts.

    Raises `NotAllowed` when the link was used before and `NotFound` when it is unknown or too old.
    """
    token = await tokens.use(session, Purpose.CONFIRM, secret, now)
    if token is None:
        if await tokens.was_used(session, Purpose.CONFIRM, secret):
            raise NotAllowed("this link was used before", state="used")
        raise NotFound("subscription request behind", "this link")
    asked, token.payload = token.payload, {}
    subscriber = await _subscribe(session, asked, now)
    await suppressions.lift(session, token.address_hash)
    evidence = f"{asked['evidence']}; confirmed by the link of token {token.id}"
    proof = Proof(Method(asked["method"]), evidence, now)
    await consents.grant(session, subscriber, Channel.EMAIL, asked["text_id"], proof)
    letter = {"name": subscriber.name, "subscriber_id": subscriber.id}
    await notices.queue(session, notices.Kind.WELCOME, asked["email"], subscriber.language, letter, now)
    return subscriber


async def join_by_chat(
    session: AsyncSession, chat_id: int, profile: Profile, consent_text: str, proof: Proof
) -> Subscriber:
    """Subscribe a chat to the newsletter in Telegram; the chat itself is the proof of who asks."""
    subscriber = await subscribers.find_by_chat(session, chat_id)
    if subscriber is None:
        subscriber = await subscribers.add(session, profile, proof.at)
        subscriber.chat_id = chat_id
    else:
        await subscribers.complete(session, subscriber, profile)
    text_id = await consents.keep_text(session, consent_text, profile.language)
    await consents.grant(session, subscriber, Channel.TELEGRAM, text_id, proof)
    return subscriber


async def leave(
    session: AsyncSession,
    subscriber: Subscriber,
    channels: Iterable[Channel],
    proof: Proof,
    keyring: Keyring,
) -> bool:
    """Stop writing over these channels; False when there was nothing to stop. Doing it twice is fine."""
    left = False
    for channel in channels:
        withdrawn = await consents.withdraw(session, subscriber, channel, proof)
        if withdrawn and channel is Channel.EMAIL and subscriber.email_key:
            address_hash = keyring.hash_address(subscriber.email_key)
            await suppressions.suppress(session, address_hash, suppressions.Reason.LEFT, proof.at)
        left = left or withdrawn
    return left


async def undo_leave(session: AsyncSession, subscriber: Subscriber, keyring: Keyring, now: datetime) -> bool:
    """Take back an unsubscribing by link within the hour, under the text agreed to before."""
    last = await _last(session, subscriber)
    undoable = last is not None and last.action is Action.WITHDRAWN and last.at > now - UNDO_WITHIN
    granted = await _last(session, subscriber, Action.GRANTED)
    if not undoable or granted is None or granted.text_id is None or not subscriber.email_key:
        return False
    proof = Proof(Method.WEB, f"took back line {last.id if last else ''} of the register", now)
    await consents.grant(session, subscriber, Channel.EMAIL, granted.text_id, proof)
    await suppressions.lift(session, keyring.hash_address(subscriber.email_key))
    return True


async def request_preferences(
    session: AsyncSession, address: Address, language: Language, keyring: Keyring, now: datetime
) -> None:
    """Send a subscriber the link to their preferences; an unknown address gets nothing, silently."""
    subscriber = await subscribers.find(session, address)
    payload = {"subscriber_id": subscriber.id if subscriber else None}
    secret = await _issue(session, Purpose.PREFERENCES, keyring.hash_address(address.key), payload, now)
    if secret is not None and subscriber is not None:
        letter = {"secret": secret, "name": subscriber.name}
        await notices.queue(session, notices.Kind.PREFERENCES, address.email, language, letter, now)


async def holder_of_preferences(session: AsyncSession, secret: str, now: datetime) -> Subscriber | None:
    """Return whose preferences a link opens, while it is valid; looking changes nothing."""
    token = await tokens.find(session, Purpose.PREFERENCES, secret, now)
    number = token.payload.get("subscriber_id") if token else None
    return await session.get(Subscriber, number) if number else None


async def _subscribe(session: AsyncSession, payload: dict[str, Any], now: datetime) -> Subscriber:
    profile, address = _unpacked(payload["profile"]), address_of(payload["email"])
    subscriber = await subscribers.find(session, address)
    if subscriber is None and payload["chat_id"]:
        by_chat = await subscribers.find_by_chat(session, payload["chat_id"])
        subscriber = by_chat if by_chat and by_chat.email_key is None else None
    if subscriber is None:
        subscriber = await subscribers.add(session, profile, now)
    else:
        await subscribers.complete(session, subscriber, profile)
    subscriber.email, subscriber.email_key = address.email, address.key
    await _link_chat(session, subscriber, payload["chat_id"])
    return subscriber


async def _link_chat(session: AsyncSession, subscriber: Subscriber, chat_id: int | None) -> None:
    """Join chat and address in one record, unless either already belongs to another."""
    if chat_id and subscriber.chat_id is None and not await subscribers.find_by_chat(session, chat_id):
        subscriber.chat_id = chat_id
    await session.flush()


async def _issue(
    session: AsyncSession, purpose: Purpose, address_hash: str, payload: dict[str, Any], now: datetime
) -> str | None:
    day = now - timedelta(days=1)
    if await tokens.count_since(session, purpose, address_hash, day) >= MAILS_PER_DAY:
        return None
    return await tokens.issue(session, purpose, address_hash=address_hash, payload=payload, now=now)


async def _last(
    session: AsyncSession, subscriber: Subscriber, action: Action | None = None
) -> Consent | None:
    query = select(Consent).where(
        col(Consent.subscriber_id) == subscriber.id, col(Consent.channel) == Channel.EMAIL
    )
    if action is not None:
        query = query.where(col(Consent.action) == action)
    return (await session.exec(query.order_by(col(Consent.id).desc()).limit(1))).first()


def _unpacked(packed: dict[str, Any]) -> Profile:
    target, helix = packed["target_group"], packed["helix_group"]
    return Profile(
        **{
            **packed,
            "language": Language(packed["language"]),
            "target_group": TargetGroup(target) if target else None,
            "helix_group": HelixGroup(helix) if helix else None,
            "topics": tuple(packed["topics"]),
        }
    )
