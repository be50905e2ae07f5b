"""Joining, changing and leaving: double opt-in, preferences, unsubscribing with undo."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from domain import bounces, consents, notices, subscribers, suppressions, tokens, unions
from domain.addresses import Address, address_of
from domain.consents import Action, Consent, Method, Proof
from domain.database import hold
from domain.errors import NotAllowed, NotFound
from domain.helixes import HelixGroup, TargetGroup
from domain.keys import Keyring
from domain.languages import Language
from domain.subscribers import Channel, Profile, Subscriber
from domain.tokens import Purpose, Token

MAILS_PER_DAY = 3
"""Confirmation and preference mails that one address can be sent in a day, all together, whoever asks."""
UNDO_WITHIN = timedelta(hours=1)
BY_LINK = "the link in a letter"
"""The evidence of those who left by it; only their leaving can be taken back by it."""


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
        # No name: anybody may have written it, and this letter goes to somebody who has not agreed yet.
        letter = {"secret": secret, "name": "", "by_chat": asked.chat_id is not None}
        await notices.queue(session, notices.Kind.CONFIRM, asked.address.email, profile.language, letter, now)


async def offers_chat(session: AsyncSession, waiting: Token) -> bool:
    """Say whether confirming may also join the chat that asked with a record that is there already.

    Anybody can type a reader's address into the chat, so the reader is asked for this apart.
    """
    chat_id = waiting.payload["chat_id"]
    known = await subscribers.find(session, address_of(waiting.payload["email"]))
    return bool(known and chat_id and await unions.may_join(session, known, chat_id))


async def confirm(
    session: AsyncSession, secret: str, now: datetime, *, joins_chat: bool = False
) -> Subscriber:
    """Make the person who holds the link a subscriber; their newest words are what counts.

    `joins_chat` is the holder's word that the chat which asked is theirs, where that was offered.
    Raises `NotAllowed` when the link was used before and `NotFound` when it is unknown or too old.
    """
    token = await _spend(session, secret, now)
    await tokens.retire_older(session, token, now)
    asked, token.payload = token.payload, {}
    confirmed = f"confirmed by the link of token {token.id}"
    subscriber = await _subscribe(session, asked, confirmed, now, joins_chat=joins_chat)
    await suppressions.lift(session, token.address_hash)
    await bounces.lift(session, subscriber, now)
    proof = Proof(Method(asked["method"]), f"{asked['evidence']}; {confirmed}", now)
    await consents.grant(session, subscriber, Channel.EMAIL, asked["text_id"], proof)
    letter = {"name": subscriber.name, "subscriber_id": subscriber.id}
    await notices.queue(session, notices.Kind.WELCOME, asked["email"], subscriber.language, letter, now)
    return subscriber


async def join_by_chat(
    session: AsyncSession, chat_id: int, profile: Profile, consent_text: str, proof: Proof
) -> Subscriber:
    """Subscribe a chat to the newsletter in Telegram; the chat itself is the proof of who asks."""
    await hold(session, _chat(chat_id))
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
    """Take back an unsubscribing by link within the hour, under the text agreed to before.

    Letters get forwarded: whoever holds the link undoes what was done by it, and nothing else.
    """
    last, granted = await _last(session, subscriber), await _last(session, subscriber, Action.GRANTED)
    if last is None or not _is_undoable(last, now) or granted is None or granted.text_id is None:
        return False
    address_hash = keyring.hash_address(subscriber.email_key or "")
    suppression = await suppressions.find(session, address_hash)
    if suppression is None or suppression.reason is not suppressions.Reason.LEFT:
        return False
    proof = Proof(Method.WEB, f"took back line {last.id} of the register", now)
    await consents.grant(session, subscriber, Channel.EMAIL, granted.text_id, proof)
    if subscriber.email_bounced_at is None:
        await suppressions.lift(session, address_hash)
    else:  # as it was before: the address does not work better for it
        await suppressions.suppress(
            session, address_hash, suppressions.Reason.BOUNCED, subscriber.email_bounced_at
        )
    return True


async def request_preferences(
    session: AsyncSession, address: Address, language: Language, keyring: Keyring, now: datetime
) -> None:
    """Send a subscriber the link to their preferences; an unknown address gets nothing, silently.

    It goes to the stored address, never to the typed one: two that compare equal may be two mailboxes.
    """
    subscriber = await subscribers.find(session, address)
    payload = {"subscriber_id": subscriber.id if subscriber else None}
    secret = await _issue(session, Purpose.PREFERENCES, keyring.hash_address(address.key), payload, now)
    if secret is not None and subscriber is not None and subscriber.email is not None:
        letter = {"secret": secret, "name": subscriber.name}
        await notices.queue(session, notices.Kind.PREFERENCES, subscriber.email, language, letter, now)


async def holder_of_preferences(session: AsyncSession, secret: str, now: datetime) -> Subscriber | None:
    """Return whose preferences a link opens, while it is valid; looking changes nothing."""
    token = await tokens.find(session, Purpose.PREFERENCES, secret, now)
    number = token.payload.get("subscriber_id") if token else None
    return await session.get(Subscriber, number) if number else None


async def _spend(session: AsyncSession, secret: str, now: datetime) -> Token:
    """Spend the link, one at a time for an address and a chat; the second click sees the first."""
    waiting = await tokens.find(session, Purpose.CONFIRM, secret, now)
    if waiting is not None:
        if waiting.payload["chat_id"]:
            await hold(session, _chat(waiting.payload["chat_id"]))
        await hold(session, waiting.address_hash)
    token = await tokens.use(session, Purpose.CONFIRM, secret, now)
    if token is None:
        if await tokens.was_used(session, Purpose.CONFIRM, secret):
            raise NotAllowed("this link was used before", state="used")
        raise NotFound("subscription request behind", "this link")
    return token


async def _subscribe(
    session: AsyncSession, asked: dict[str, Any], confirmed: str, now: datetime, *, joins_chat: bool
) -> Subscriber:
    profile, address, chat_id = _unpacked(asked["profile"]), address_of(asked["email"]), asked["chat_id"]
    subscriber = await subscribers.find(session, address)
    if subscriber is None:
        subscriber = await _newcomer(session, profile, chat_id, now)
    elif joins_chat and chat_id and await unions.may_join(session, subscriber, chat_id):
        await unions.join(session, subscriber, chat_id, evidence=confirmed, now=now)
    await subscribers.complete(session, subscriber, profile)
    subscriber.email, subscriber.email_key = address.email, address.key
    await session.flush()
    return subscriber


async def _newcomer(
    session: AsyncSession, profile: Profile, chat_id: int | None, now: datetime
) -> Subscriber:
    """Return the record for an address that has none: the chat's own, or else a new one."""
    owner = await subscribers.find_by_chat(session, chat_id) if chat_id else None
    if owner is not None and owner.email_key is None:
        return owner
    added = await subscribers.add(session, profile, now)
    added.chat_id = None if owner else chat_id
    return added


async def _issue(
    session: AsyncSession, purpose: Purpose, address_hash: str, payload: dict[str, Any], now: datetime
) -> str | None:
    await hold(session, address_hash)
    if await tokens.count_of_day(session, address_hash, now) >= MAILS_PER_DAY:
        return None
    return await tokens.issue(session, purpose, address_hash=address_hash, payload=payload, now=now)


def _is_undoable(last: Consent, now: datetime) -> bool:
    by_link = last.method in (Method.WEB, Method.ONE_CLICK) and last.evidence == BY_LINK
    return last.action is Action.WITHDRAWN and by_link and last.at > now - UNDO_WITHIN


def _chat(chat_id: int) -> str:
    return f"chat {chat_id}"


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
