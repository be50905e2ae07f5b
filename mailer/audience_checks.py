"""Audience checks: who would get a campaign, in which language, and whether that many were meant."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from domain import audiences, campaigns
from domain.campaigns import Campaign, Status, Text
from domain.languages import Language, choose
from mailer.findings import Code, Finding, Part, Place, error, warning

LAST = 3
"""How many of the campaigns before are compared with."""
SURPRISE = 2
"""How many times larger, or smaller, than all of those surprises."""


@dataclass(frozen=True, slots=True)
class AudienceFacts:
    """Who would get a campaign now."""

    letters: int
    """Deliveries: one per reader and channel."""
    readers: Mapping[Language, int]
    """Readers by the language they chose."""
    texts: Mapping[Language, Text]
    """The campaign's texts; the one that other readers get comes first."""
    last_letters: Sequence[int]
    """Deliveries of the last campaigns that were sent."""

    @property
    def size(self) -> int:
        """How many readers there are."""
        return sum(self.readers.values())


async def gather(session: AsyncSession, campaign: Campaign) -> AudienceFacts:
    """Return the facts about a campaign's audience as it is now."""
    assert campaign.id is not None
    audience, channels = campaign.typed_audience, campaign.typed_channels
    letters = [await audiences.count(session, audience, [channel]) for channel in channels]
    variants = await campaigns.variants(session, campaign.id)
    return AudienceFacts(
        letters=sum(letters),
        readers=await audiences.count_languages(session, audience, channels),
        texts={language: variant.text for language, variant in variants.items()},
        last_letters=await _last_letters(session, campaign.id),
    )


def check_size(facts: AudienceFacts) -> Iterator[Finding]:
    """Tell when the audience is empty, or a surprise beside the last campaigns."""
    place, before = Place(None, Part.AUDIENCE), ", ".join(f"{size:,}" for size in facts.last_letters)
    if not facts.letters:
        cure = "widen it or import subscribers first"
        yield error(Code.EMPTY_AUDIENCE, place, "it matches nobody who may be written to", cure)
    elif facts.last_letters and facts.letters > SURPRISE * max(facts.last_letters):
        told = f"{facts.letters:,} letters would go out, more than twice as many as lately ({before})"
        cure = "see who gets it with helixpost campaigns readers, and narrow the audience if it is too wide"
        yield warning(Code.LARGE_AUDIENCE, place, told, cure)
    elif facts.last_letters and SURPRISE * facts.letters < min(facts.last_letters):
        told = f"{facts.letters:,} letters would go out, less than half as many as lately ({before})"
        cure = "see who gets it with helixpost campaigns readers, and widen the audience if it is too narrow"
        yield warning(Code.SMALL_AUDIENCE, place, told, cure)


def check_translations(facts: AudienceFacts) -> Iterator[Finding]:
    """Tell which readers do not get the letter in the language they chose."""
    for language, readers in facts.readers.items():
        if language not in facts.texts:
            instead = choose([language], facts.texts)
            told = f"{readers:,} who chose {language.endonym} get the letter in {instead.endonym}"
            cure = f"add NAME.{language}.md and create the campaign anew"
            yield warning(Code.MISSING_TRANSLATION, Place(language, Part.LETTER), told, cure)


def check_preheaders(facts: AudienceFacts) -> Iterator[Finding]:
    """Tell which languages say nothing after the subject while others do."""
    with_one = [language.value for language, text in facts.texts.items() if text.preheader.strip()]
    for language, text in facts.texts.items():
        if with_one and not text.preheader.strip():
            told = f"it is missing here, and there in {', '.join(with_one)}"
            yield warning(
                Code.MISSING_PREHEADER, Place(language, Part.PREHEADER), told, 'write preheader = "…"'
            )


CHECKS: tuple[Callable[[AudienceFacts], Iterable[Finding]], ...] = (
    check_size,
    check_translations,
    check_preheaders,
)


async def _last_letters(session: AsyncSession, campaign_id: int) -> list[int]:
    query = (
        select(Campaign.audience_size)
        .where(col(Campaign.status) == Status.SENT, col(Campaign.id) != campaign_id)
        .order_by(col(Campaign.started_at).desc())
        .limit(LAST)
    )
    return [size for size in (await session.exec(query)).all() if size is not None]
