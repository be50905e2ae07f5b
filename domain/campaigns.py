"""Campaigns: one newsletter issue or announcement, from draft to a ledger that balances."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, UniqueConstraint, func, update
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from domain import audiences, deliveries, endings, queues
from domain.audiences import Audience
from domain.columns import UtcDateTime, word_of
from domain.errors import Invalid, NotAllowed, NotFound
from domain.languages import FALLBACK, Language
from domain.subscribers import Channel


class Status(StrEnum):
    """Where a campaign stands: draft → approved → scheduled → sending → sent, or aside."""

    DRAFT = "draft"
    APPROVED = "approved"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    SENT = "sent"
    PAUSED = "paused"
    CANCELLED = "cancelled"


class Reason(StrEnum):
    """Why a campaign was put aside by the service itself."""

    LATE = "late"
    RESTORED = "restored"
    UNFIT = "unfit"
    NOTHING_NEW = "nothing_new"
    REFUSED = "refused"
    """The relay refuses us, not a reader: every letter would be next."""
    FAILING = "failing"
    """Too many letters in a row were refused for good."""


PAST_GRACE = timedelta(minutes=1)
"""A time this little ago still counts as now: people type slower than clocks run."""


class Campaign(SQLModel, table=True):
    """One issue: whom it is for, over which channels, when."""

    id: int | None = Field(default=None, primary_key=True)
    name: str
    status: Status = Field(default=Status.DRAFT, sa_type=word_of(Status), index=True)
    reason: Reason | None = Field(default=None, sa_type=word_of(Reason))
    audience: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    channels: list[str] = Field(default_factory=list, sa_type=JSON)
    template: str
    content_hash: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    approved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    scheduled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    zone: str = ""
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    resent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """When somebody last asked to send it again to those whose letter failed."""
    audience_size: int | None = None

    @property
    def sent_since(self) -> datetime | None:
        """Since when its letters are tried: what is sent again gets time of its own."""
        return self.resent_at or self.started_at

    @property
    def typed_audience(self) -> Audience:
        """The saved query, typed."""
        return Audience.model_validate(self.audience)

    @property
    def typed_channels(self) -> list[Channel]:
        """The channels, typed."""
        return [Channel(channel) for channel in self.channels]


class Variant(SQLModel, table=True):
    """A campaign's text in one language; `letter` is set when the start freezes it."""

    __table_args__ = (UniqueConstraint("campaign_id", "language"),)

    id: int | None = Field(default=None, primary_key=True)
    campaign_id: int = Field(foreign_key="campaign.id")
    language: Language = Field(sa_type=word_of(Language))
    subject: str
    preheader: str = ""
    body: str
    intro: str | None = None
    """What the lead wrote, where the start has put more into the body: a digest fills itself."""
    letter: dict[str, str] | None = Field(default=None, sa_type=JSON)
    """The compiled letter, by part (`subject`, `html`, `text`, …); only its compiler reads it."""

    @property
    def text(self) -> "Text":
        """What is compiled in this language."""
        return Text(self.subject, self.preheader, self.body)


@dataclass(frozen=True, slots=True)
class Text:
    """One language of a draft."""

    subject: str
    preheader: str
    body: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A campaign as written, checked by whoever read the files."""

    name: str
    audience: Audience
    channels: tuple[Channel, ...]
    template: str
    content_hash: str
    texts: Mapping[Language, Text]


@dataclass(frozen=True, slots=True)
class Progress:
    """The sums of a campaign."""

    campaign: Campaign
    counts: Mapping[deliveries.Status, int]

    @property
    def balanced(self) -> bool:
        """Whether every delivery is in exactly one final state and none is missing."""
        final = sum(self.counts[status] for status in deliveries.FINAL)
        return self.campaign.audience_size is not None and final == self.campaign.audience_size


async def create(session: AsyncSession, draft: Draft, now: datetime) -> Campaign:
    """Store a draft with its languages."""
    campaign = Campaign(
        name=draft.name,
        audience=draft.audience.model_dump(mode="json"),
        channels=[channel.value for channel in draft.channels],
        template=draft.template,
        content_hash=draft.content_hash,
        created_at=now,
    )
    session.add(campaign)
    await session.flush()
    assert campaign.id is not None
    for language, text in draft.texts.items():
        session.add(
            Variant(
                campaign_id=campaign.id,
                language=language,
                subject=text.subject,
                preheader=text.preheader,
                body=text.body,
            )
        )
    await session.flush()
    return campaign


async def get(session: AsyncSession, campaign_id: int) -> Campaign:
    """Return a campaign, held against other changes until the transaction ends."""
    query = select(Campaign).where(col(Campaign.id) == campaign_id).with_for_update()
    campaign = (await session.exec(query)).first()
    if campaign is None:
        raise NotFound("campaign", campaign_id)
    return campaign


async def variants(session: AsyncSession, campaign_id: int) -> dict[Language, Variant]:
    """Return a campaign's languages; the one that other readers get comes first."""
    query = select(Variant).where(col(Variant.campaign_id) == campaign_id).order_by(col(Variant.id))
    found = list((await session.exec(query)).all())
    found.sort(key=lambda variant: variant.language is not FALLBACK)
    return {variant.language: variant for variant in found}


async def approve(session: AsyncSession, campaign_id: int, now: datetime) -> Campaign:
    """Approve a draft: from here on it may be scheduled."""
    campaign = await _in_state(session, campaign_id, "approve", Status.DRAFT)
    campaign.status, campaign.approved_at = Status.APPROVED, now
    return campaign


async def schedule(
    session: AsyncSession, campaign_id: int, at: datetime, zone: str, now: datetime
) -> Campaign:
    """Set the time at which an approved campaign starts; one that has not begun may be moved."""
    waits = (Status.APPROVED, Status.SCHEDULED, Status.PAUSED)
    campaign = await _in_state(session, campaign_id, "schedule", *waits)
    if campaign.started_at is not None:
        raise NotAllowed(
            f"campaign {campaign_id} has begun: resume or cancel it, it has no other time",
            state=campaign.status,
        )
    if at < now - PAST_GRACE:
        raise Invalid("at", f"{at.isoformat(' ', 'minutes')} is in the past; give a time to come, or now")
    if not await audiences.count(session, campaign.typed_audience, campaign.typed_channels):
        raise Invalid(
            "audience", "it matches nobody who may be written to; widen it or import subscribers first"
        )
    campaign.status, campaign.reason = Status.SCHEDULED, None
    campaign.scheduled_at, campaign.zone = at, zone
    return campaign


async def pause(session: AsyncSession, campaign_id: int) -> Campaign:
    """Hold a campaign; letters already on their way end, no further one is claimed."""
    campaign = await _in_state(session, campaign_id, "pause", Status.SCHEDULED, Status.SENDING)
    campaign.status, campaign.reason = Status.PAUSED, None
    return campaign


async def resume(session: AsyncSession, campaign_id: int, now: datetime) -> Campaign:
    """Let a paused campaign go on where it stood; one whose time has passed meanwhile starts now."""
    campaign = await _in_state(session, campaign_id, "resume", Status.PAUSED)
    campaign.status, campaign.reason = Status.SENDING, None
    if campaign.started_at is None:
        campaign.status, campaign.scheduled_at = Status.SCHEDULED, max(campaign.scheduled_at or now, now)
    return campaign


async def cancel(session: AsyncSession, campaign_id: int, now: datetime) -> Campaign:
    """End a campaign early: who has not been written to is skipped, and the sums still balance."""
    campaign = await get(session, campaign_id)
    if campaign.status in (Status.SENT, Status.CANCELLED):
        raise _refusal(campaign, "cancel")
    campaign.status, campaign.reason, campaign.finished_at = Status.CANCELLED, None, now
    campaign.audience_size = campaign.audience_size or 0
    await endings.skip_queued(session, campaign_id, deliveries.Skip.CANCELLED, now)
    return campaign


async def due(session: AsyncSession, now: datetime) -> list[int]:
    """Return the scheduled campaigns whose time has come, oldest first."""
    query = (
        select(Campaign.id)
        .where(col(Campaign.status) == Status.SCHEDULED, col(Campaign.scheduled_at) <= now)
        .order_by(col(Campaign.scheduled_at))
    )
    return [number for number in (await session.exec(query)).all() if number is not None]


async def start(
    session: AsyncSession,
    campaign_id: int,
    letters: Mapping[Language, dict[str, str]],
    now: datetime,
    *,
    bodies: Mapping[Language, str] | None = None,
) -> bool:
    """Freeze text and audience and fill the ledger, in one transaction; False when it is not due.

    `letters` are the compiled letters, one for each of the campaign's languages; `bodies` are the texts
    of a campaign that filled itself, for the archive and for other channels.
    """
    started = await session.exec(
        update(Campaign)
        .where(
            col(Campaign.id) == campaign_id,
            col(Campaign.status) == Status.SCHEDULED,
            col(Campaign.scheduled_at) <= now,  # it may have been moved since it was found due
        )
        .values(status=Status.SENDING, started_at=now)
    )
    if started.rowcount != 1:
        return False
    campaign, texts = await get(session, campaign_id), await variants(session, campaign_id)
    await session.refresh(campaign)
    for language, variant in texts.items():
        variant.letter = letters[language]
        if bodies is not None:
            variant.intro, variant.body = variant.body, bodies[language]
    size = 0
    for channel in campaign.typed_channels:
        audience, languages = campaign.typed_audience, list(texts)
        size += await queues.fill(session, campaign_id, audience, channel, languages, now)
    campaign.audience_size = size
    return True


async def active(session: AsyncSession) -> dict[int, datetime]:
    """Return the campaigns from which deliveries may be claimed now, and since when each is sent."""
    since = func.coalesce(col(Campaign.resent_at), col(Campaign.started_at))
    query = select(Campaign.id, since).where(col(Campaign.status) == Status.SENDING)
    return {number: at for number, at in (await session.exec(query)).all() if number is not None}


async def letter(session: AsyncSession, campaign_id: int, language: Language) -> dict[str, str]:
    """Return the frozen letter of a campaign that has started."""
    query = select(Variant.letter).where(
        col(Variant.campaign_id) == campaign_id, col(Variant.language) == language
    )
    frozen = (await session.exec(query)).first()
    if frozen is None:
        raise NotFound(f"frozen letter in {language} of campaign", campaign_id)
    return dict(frozen)


async def finish_balanced(session: AsyncSession, now: datetime) -> list[int]:
    """End every running campaign whose sums balance, and return their numbers."""
    return [number for number in await active(session) if await _finish(session, number, now)]


async def _finish(session: AsyncSession, campaign_id: int, now: datetime) -> bool:
    if await deliveries.has_open(session, campaign_id):
        return False
    await get(session, campaign_id)  # from here on nobody sends it again
    if not (await progress(session, campaign_id)).balanced:
        return False
    finished = await session.exec(
        update(Campaign)
        .where(col(Campaign.id) == campaign_id, col(Campaign.status) == Status.SENDING)
        .values(status=Status.SENT, finished_at=now)
    )
    return finished.rowcount == 1


async def settle_cancelled(session: AsyncSession, now: datetime) -> int:
    """End the deliveries that cancelled campaigns left behind, and return how many there were."""
    cancelled = select(Campaign.id).where(col(Campaign.status) == Status.CANCELLED)
    numbers = [number for number in (await session.exec(cancelled)).all() if number is not None]
    return await endings.settle_cancelled(session, numbers, now) if numbers else 0


async def progress(session: AsyncSession, campaign_id: int) -> Progress:
    """Return the sums of a campaign."""
    campaign = await session.get(Campaign, campaign_id)
    if campaign is None:
        raise NotFound("campaign", campaign_id)
    return Progress(campaign, await deliveries.counts(session, campaign_id))


async def listing(session: AsyncSession) -> list[Campaign]:
    """Return every campaign, newest first."""
    return list((await session.exec(select(Campaign).order_by(col(Campaign.id).desc()))).all())


async def _in_state(session: AsyncSession, campaign_id: int, verb: str, *allowed: Status) -> Campaign:
    campaign = await get(session, campaign_id)
    check_state(campaign, verb, *allowed)
    return campaign


def check_state(campaign: Campaign, verb: str, *allowed: Status) -> None:
    """Raise `NotAllowed`, which names the verb, unless the campaign is in one of these states."""
    if campaign.status not in allowed:
        raise _refusal(campaign, verb, allowed)


def _refusal(campaign: Campaign, verb: str, allowed: Sequence[Status] = ()) -> NotAllowed:
    wanted = f"; it must be {' or '.join(allowed)}" if allowed else ""
    return NotAllowed(
        f"campaign {campaign.id} is {campaign.status}: you cannot {verb} it{wanted}", state=campaign.status
    )
