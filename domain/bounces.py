"""Bounces: letters that came back, complaints about letters, and when an address is written to no more."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, GenerativeSelect, UniqueConstraint, func, update
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from domain import consents, endings, status_codes, suppressions
from domain.columns import BigKey, UtcDateTime, word_of
from domain.consents import Method, Proof
from domain.database import add_if_new
from domain.deliveries import Delivery, Status, of_subscriber
from domain.errors import NotAllowed
from domain.keys import Keyring
from domain.status_codes import Kind, kind_of, meaning_of
from domain.subscribers import Channel, Subscriber
from domain.suppressions import Reason, Suppression

SOFT_LIMIT = 5
"""Campaigns in a row that came back softly before an address is given up …"""
SOFT_SPAN = timedelta(days=30)
"""… and the time that they must span: a mailbox that is full over the holidays is no dead one."""


_Query = TypeVar("_Query", bound=GenerativeSelect)


class Source(StrEnum):
    """How we came to know."""

    REPORT = "report"
    RELAY = "relay"
    COMPLAINT = "complaint"


class Action(StrEnum):
    """What a mail server did with a letter (RFC 3464, 2.3.3), from the mildest to the worst."""

    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"
    DELAYED = "delayed"
    FAILED = "failed"


class Bounce(SQLModel, table=True):
    """One letter to one reader that came back, was refused, or was complained about."""

    __table_args__ = (UniqueConstraint("campaign_id", "subscriber_id", "kind"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigKey)
    campaign_id: int | None = Field(default=None, foreign_key="campaign.id")
    """None: the letter was not of a campaign, such as the one that welcomes."""
    subscriber_id: int | None = Field(
        default=None, foreign_key="subscriber.id", index=True, ondelete="SET NULL"
    )
    kind: Kind = Field(sa_type=word_of(Kind))
    source: Source = Field(sa_type=word_of(Source))
    code: str = Field(default="", max_length=16)
    at: datetime = Field(sa_type=UtcDateTime)
    lifted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """Since when it counts no more: the reader confirmed anew, or an operator knows better."""

    @property
    def reason(self) -> str:
        """What happened, in words of ours: a server's own words can hold the address."""
        return "it was marked as spam" if self.kind is Kind.COMPLAINT else meaning_of(self.code)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a delivery report says about one recipient; `recipients` are its names there, in lower case."""

    action: Action
    code: str
    recipients: tuple[str, ...] = ()

    @property
    def gravity(self) -> tuple[int, bool]:
        """How bad it is: where a report tells of several recipients, the mildest is believed."""
        return list(Action).index(self.action), kind_of(self.code) is Kind.HARD


@dataclass(frozen=True, slots=True)
class Refusal:
    """A letter that a relay refused at once; `answer` is such as `550 5.1.1` or `550`."""

    campaign_id: int
    subscriber_id: int
    answer: str


async def record_report(
    session: AsyncSession,
    campaign_id: int,
    subscriber_id: int,
    findings: Sequence[Finding],
    keyring: Keyring,
    now: datetime,
) -> bool:
    """Record what a delivery report says about a letter of ours; False when that changes nothing.

    Whoever calls has proof that the report is about this letter. One that comes twice acts once.
    """
    letter = await _letter(session, campaign_id, subscriber_id)
    if letter is None:
        return False
    sent_at, consented_at, email_key = letter
    finding = _about(findings, email_key)
    if finding is None or finding.action not in (Action.FAILED, Action.DELAYED):
        return False
    failed = finding.action is Action.FAILED
    kind = kind_of(finding.code) if failed else Kind.SOFT
    reason = f"{finding.code} {meaning_of(finding.code)}"
    moved = failed and await endings.bounce(session, campaign_id, subscriber_id, reason, now)
    # It tells about the address as it was before the reader proved that it works.
    outdated = consented_at is not None and (sent_at or now) < consented_at
    row = _row(campaign_id, subscriber_id, kind, finding.code, Source.REPORT, now)
    row["lifted_at"] = now if outdated else None
    added = await _add(session, [row])
    if moved and not added:  # it was late, or refused and sent again, before it failed: the last word counts
        await _renew(session, row)
    if failed and not outdated and (added or moved):
        await _judge(session, {subscriber_id: kind}, keyring, now)
    return bool(added or moved)


async def record_refusals(
    session: AsyncSession, refusals: Sequence[Refusal], keyring: Keyring, now: datetime
) -> None:
    """Record letters that the relay refused for good, by the same rules; the ledger has them as failed.

    To be called after `leases.record`, in its transaction. What holds no code (the relay was not
    asked, or the connection broke) says nothing about a reader. A letter that is sent again and refused
    again counts once, unless somebody believed in the address in between.
    """
    told = {(each.campaign_id, each.subscriber_id): status_codes.code_in(each.answer) for each in refusals}
    here = await _present(session, {subscriber_id for (_, subscriber_id), code in told.items() if code})
    rows = [
        _row(campaign_id, subscriber_id, kind_of(code), code, Source.RELAY, now)
        for (campaign_id, subscriber_id), code in sorted(told.items())
        if code and subscriber_id in here
    ]
    if not rows:
        return
    counted = set(await _add(session, rows))
    for row in rows:
        is_known = row["subscriber_id"] not in counted
        if is_known and await _renew(session, row, col(Bounce.lifted_at).is_not(None)):
            counted.add(row["subscriber_id"])
    kinds = {row["subscriber_id"]: row["kind"] for row in rows if row["subscriber_id"] in counted}
    await _judge(session, kinds, keyring, now)


async def record_complaint(
    session: AsyncSession, subscriber_id: int, campaign_id: int | None, keyring: Keyring, now: datetime
) -> bool:
    """Record that a reader marked a letter as spam: the consent ends, and only they can renew it.

    Returns False for a complaint that is known already. Without a campaign it was about another letter.
    """
    query = select(Subscriber).where(col(Subscriber.id) == subscriber_id)
    query = _held(query).execution_options(populate_existing=True)
    subscriber = (await session.exec(query)).first()
    if subscriber is None or subscriber.email_key is None:
        return False
    if campaign_id is not None and await _letter(session, campaign_id, subscriber_id) is None:
        campaign_id = None
    known = select(Bounce.id).where(
        col(Bounce.subscriber_id) == subscriber_id,
        col(Bounce.kind) == Kind.COMPLAINT,
        col(Bounce.campaign_id).is_not_distinct_from(campaign_id),
    )
    is_known = (await session.exec(known)).first() is not None
    if is_known and (campaign_id is not None or subscriber.email_consented_at is None):
        return False
    if not is_known:
        await _add(session, [_row(campaign_id, subscriber_id, Kind.COMPLAINT, "", Source.COMPLAINT, now)])
    about = f"campaign {campaign_id}" if campaign_id else "a letter of ours"
    proof = Proof(Method.COMPLAINT, f"marked {about} as spam, says their mail provider (RFC 5965)", now)
    await consents.withdraw(session, subscriber, Channel.EMAIL, proof)
    address_hash = keyring.hash_address(subscriber.email_key)
    await suppressions.suppress(session, address_hash, Reason.COMPLAINED, now)
    return True


async def campaign_of(
    session: AsyncSession, subscriber_id: int, message_ids: Collection[str], keyring: Keyring
) -> int | None:
    """Return the campaign whose letter to that reader bore one of these Message-IDs (their left parts)."""
    query = select(Delivery.campaign_id).where(
        of_subscriber(subscriber_id), col(Delivery.channel) == Channel.EMAIL
    )
    for campaign_id in (await session.exec(query.order_by(col(Delivery.id).desc()))).all():
        if keyring.message_id(campaign_id, subscriber_id) in message_ids:
            return campaign_id
    return None


async def lift(session: AsyncSession, subscriber: Subscriber, now: datetime) -> None:
    """Believe in the address again: what came back before counts no more."""
    subscriber.email_bounced_at = None
    session.add(subscriber)
    await session.exec(
        update(Bounce)
        .where(col(Bounce.subscriber_id) == subscriber.id, col(Bounce.lifted_at).is_(None))
        .values(lifted_at=now)
        .execution_options(synchronize_session=False)
    )


async def restore(session: AsyncSession, subscriber: Subscriber, keyring: Keyring, now: datetime) -> None:
    """Write again to an address that bounced and works now, on an operator's word.

    Raises `NotAllowed` for one that did not bounce, and for whoever left or complained: only their own
    confirmation brings those back.
    """
    address_hash = keyring.hash_address(subscriber.email_key or "")
    suppression = await suppressions.find(session, address_hash)
    reason = suppression.reason if suppression else Reason.BOUNCED
    if reason is not Reason.BOUNCED:
        raise NotAllowed(f"this reader {reason}: only they can come back, by subscribing anew", state=reason)
    if subscriber.email_bounced_at is None:
        raise NotAllowed("this address did not bounce: there is nothing to restore", state="reachable")
    await suppressions.lift(session, address_hash)
    await lift(session, subscriber, now)


def _about(findings: Sequence[Finding], email_key: str | None) -> Finding | None:
    """Return what is said about our reader; of recipients whom we do not know, the mildest word."""
    theirs = [finding for finding in findings if email_key in finding.recipients]
    return min(theirs or findings, key=lambda finding: finding.gravity, default=None)


def _row(
    campaign_id: int | None, subscriber_id: int, kind: Kind, code: str, source: Source, now: datetime
) -> dict[str, Any]:
    return {
        "campaign_id": campaign_id,
        "subscriber_id": subscriber_id,
        "kind": kind,
        "source": source,
        "code": code,
        "at": now,
        "lifted_at": None,
    }


async def _letter(
    session: AsyncSession, campaign_id: int, subscriber_id: int
) -> tuple[datetime | None, datetime | None, str | None] | None:
    """Return when a letter ended, since when its reader agrees and whom it went to; None if none went."""
    query = (
        select(Delivery.finished_at, Subscriber.email_consented_at, Subscriber.email_key)
        .join(Subscriber, col(Subscriber.id) == col(Delivery.subscriber_id))
        .where(
            col(Delivery.campaign_id) == campaign_id,
            col(Delivery.subscriber_id) == subscriber_id,
            col(Delivery.channel) == Channel.EMAIL,
            col(Delivery.attempts) > 0,
        )
    )
    return (await session.exec(query)).first()


async def _present(session: AsyncSession, numbers: Collection[int]) -> set[int | None]:
    """Return those who are not erased, and keep them so until the transaction ends."""
    if not numbers:
        return set()
    query = select(Subscriber.id).where(col(Subscriber.id).in_(numbers)).order_by(col(Subscriber.id))
    return set((await session.exec(query.with_for_update(read=True, key_share=True))).all())


def _held(query: _Query) -> _Query:
    """Hold subscribers against other changes; always in the same order, so that nobody waits in a circle.

    The weaker lock lets others add rows about them meanwhile: two reports would wait for each other.
    """
    return query.order_by(col(Subscriber.id)).with_for_update(key_share=True)


async def _add(session: AsyncSession, rows: list[dict[str, Any]]) -> list[int]:
    """Insert rows, and return whose were new."""
    new = await add_if_new(session, Bounce, rows, col(Bounce.subscriber_id))
    return [number for (number,) in new]


async def _renew(session: AsyncSession, row: dict[str, Any], *where: ColumnElement[bool]) -> bool:
    same = (getattr(Bounce, key) == row[key] for key in ("campaign_id", "subscriber_id", "kind"))
    renewed = await session.exec(
        update(Bounce)
        .where(*same, *where)
        .values(code=row["code"], at=row["at"], lifted_at=row["lifted_at"])
        .execution_options(synchronize_session=False)
    )
    return renewed.rowcount == 1


async def _judge(session: AsyncSession, kinds: Mapping[int, Kind], keyring: Keyring, now: datetime) -> None:
    """Stop writing to whom the rules say; the consent stays recorded, and who left stays as they are."""
    hard = {number for number, kind in kinds.items() if kind is Kind.HARD}
    soft = {number for number, kind in kinds.items() if kind is Kind.SOFT}
    judged = hard | set(await _worn_out(session, soft))
    if not judged:
        return
    query = select(col(Subscriber.id), col(Subscriber.email_key)).where(
        col(Subscriber.id).in_(judged),
        col(Subscriber.email_key).is_not(None),
        col(Subscriber.email_consented_at).is_not(None),
        col(Subscriber.email_bounced_at).is_(None),
    )
    found = (await session.exec(_held(query))).all()
    if not found:
        return
    await session.exec(
        update(Subscriber)
        .where(col(Subscriber.id).in_([number for number, _ in found]))
        .values(email_bounced_at=now)
        .execution_options(synchronize_session=False)
    )
    hashes = [keyring.hash_address(key) for _, key in found if key]
    rows = [{"address_hash": each, "reason": Reason.BOUNCED, "at": now} for each in hashes]
    await add_if_new(session, Suppression, rows)


async def _worn_out(session: AsyncSession, numbers: Collection[int]) -> list[int]:
    """Return those whose letters have come back softly too often, for too long, without one between."""
    if not numbers:
        return []
    often = (
        select(Bounce.subscriber_id)
        .where(
            col(Bounce.subscriber_id).in_(numbers),
            col(Bounce.kind) == Kind.SOFT,
            col(Bounce.lifted_at).is_(None),
        )
        .group_by(col(Bounce.subscriber_id))
        .having(func.count() >= SOFT_LIMIT)
    )
    found = (await session.exec(often)).all()
    return [number for number in found if number and _is_worn_out(await _fates(session, number))]


async def _fates(session: AsyncSession, subscriber_id: int) -> list[tuple[datetime, bool]]:
    """Return when each letter ended that arrived (False) or came back softly (True), the newest first."""
    softly = (col(Bounce.kind) == Kind.SOFT) & col(Bounce.lifted_at).is_(None)
    query = (
        select(Delivery.finished_at, Delivery.status)
        .outerjoin(
            Bounce,
            (col(Bounce.campaign_id) == col(Delivery.campaign_id))
            & (col(Bounce.subscriber_id) == subscriber_id)
            & softly,
        )
        .where(
            of_subscriber(subscriber_id),
            col(Delivery.channel) == Channel.EMAIL,
            (col(Delivery.status) == Status.SENT)
            | (col(Delivery.status).in_([Status.BOUNCED, Status.FAILED]) & col(Bounce.id).is_not(None)),
        )
        .order_by(col(Delivery.finished_at).desc())
    )
    return [(at, status is not Status.SENT) for at, status in (await session.exec(query)).all() if at]


def _is_worn_out(fates: Sequence[tuple[datetime, bool]]) -> bool:
    """Judge the newest unbroken row of letters that came back; what left after it may come back yet."""
    softly = [came_back for _, came_back in fates]
    if True not in softly:
        return False
    begins = softly.index(True)
    ends = softly.index(False, begins) if False in softly[begins:] else len(softly)
    row = [at for at, _ in fates[begins:ends]]
    return len(row) >= SOFT_LIMIT and row[0] - row[-1] >= SOFT_SPAN
