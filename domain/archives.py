"""Archives: which letters the public may read again, and under which headings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.campaigns import Campaign, Status, Variant
from domain.languages import Language


@dataclass(frozen=True, slots=True)
class Heading:
    """What a list shows of a letter; both texts may hold personal fields, as letters do."""

    subject: str
    preheader: str


@dataclass(frozen=True, slots=True)
class Issue:
    """A campaign that has begun, with its headings in every language it was written in."""

    campaign_id: int
    started_at: datetime
    headings: dict[Language, Heading]


async def issues(session: AsyncSession, *, limit: int = 50) -> list[Issue]:
    """Return what the archive lists, newest first, without loading the letters themselves."""
    return await _with_headings(session, await _begun(session, limit))


async def find(session: AsyncSession, campaign_id: int) -> Issue | None:
    """Return one issue that readers may have in hand: also one that was paused or cancelled midway."""
    campaign = await session.get(Campaign, campaign_id)
    found = await _with_headings(session, [campaign] if campaign else [])
    return found[0] if found else None


async def text(session: AsyncSession, issue: Issue, language: Language) -> str:
    """Return the Markdown of an issue in one of the languages that it has headings in."""
    query = select(Variant.body).where(
        col(Variant.campaign_id) == issue.campaign_id, col(Variant.language) == language
    )
    return (await session.exec(query)).one()


async def _begun(session: AsyncSession, limit: int) -> list[Campaign]:
    # What only waits to be sent again has its readers already.
    again = and_(col(Campaign.status) == Status.PAUSED, col(Campaign.resent_at).is_not(None))
    query = (
        select(Campaign)
        .where(or_(col(Campaign.status).in_([Status.SENDING, Status.SENT]), again))
        .order_by(col(Campaign.started_at).desc())
        .limit(limit)
    )
    return list((await session.exec(query)).all())


async def _with_headings(session: AsyncSession, begun: Sequence[Campaign]) -> list[Issue]:
    issues = {
        campaign.id: Issue(campaign.id, campaign.started_at, {})
        for campaign in begun
        if campaign.id is not None and campaign.started_at is not None
    }
    query = (
        select(Variant.campaign_id, Variant.language, Variant.subject, Variant.preheader)
        .where(col(Variant.campaign_id).in_(issues))
        .order_by(col(Variant.id))
    )
    for campaign_id, language, subject, preheader in (await session.exec(query)).all():
        issues[campaign_id].headings[Language(language)] = Heading(subject, preheader)
    return [issue for issue in issues.values() if issue.headings]
