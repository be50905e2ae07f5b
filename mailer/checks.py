"""Checks: the pre-flight of a campaign. One list of small checks, and one report of what they found."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from domain import campaigns, projects
from domain.addressees import Addressee
from domain.campaigns import Campaign
from domain.database import Database
from domain.languages import Language
from domain.subscribers import Channel
from domain.times import Clock
from mailer import audience_checks, letter_checks, link_checks, proofs, reader_checks
from mailer.audience_checks import AudienceFacts
from mailer.findings import Finding, Severity
from mailer.link_checks import LinkChecker
from mailer.messages import Stationery
from mailer.proofs import Proofs
from mailer.reader_checks import Scope, Tally, Unfit, Way

T = TypeVar("T")
Told = Callable[[int, int], None]
"""Hears how many readers' copies are made, of how many."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a pre-flight found, the campaign as a whole first and then by language, errors before warnings."""

    campaign: Campaign
    size: int
    """Readers of the audience."""
    tally: Tally
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> list[Finding]:
        """What stops scheduling."""
        return [finding for finding in self.findings if finding.severity is Severity.ERROR]

    @property
    def warnings(self) -> list[Finding]:
        """What is shown and does not stop it."""
        return [finding for finding in self.findings if finding.severity is Severity.WARNING]

    @property
    def named(self) -> list[Unfit]:
        """The readers whose numbers the findings name, with their addresses."""
        return [unfit for several in self.tally.examples.values() for unfit in several]


@dataclass(frozen=True, slots=True)
class Preflight:
    """Looks at a campaign as it would go out now; changes nothing."""

    database: Database
    stationery: Stationery
    clock: Clock
    other_ways: Mapping[Channel, Way] = field(default_factory=dict)
    """How copies are made over the channels that are not the mailer's own."""

    async def check(
        self,
        campaign_id: int,
        *,
        at_most: int | None = None,
        links: LinkChecker | None = None,
        tell: Told = lambda _done, _of: None,
    ) -> Report:
        """Return what there is to mend; raises `NotFound` without the campaign or a project.

        `at_most` bounds the readers whose copies are made; pages are asked for only with `links`.
        """
        campaign, facts, seen = await self._read(campaign_id)
        found = list(seen.faults)
        found += _each(letter_checks.CHECKS + link_checks.CHECKS, seen.of.values())
        found += _each(audience_checks.CHECKS, [facts])
        found += link_checks.check_own_address(self.stationery.service.base_url)
        tally = await self._copy(campaign, facts, seen, at_most, tell)
        found += reader_checks.findings(tally)
        found += await _ask(links, seen) if links else []
        return Report(campaign, facts.size, tally, _sorted(found, list(facts.texts)))

    async def _read(self, campaign_id: int) -> tuple[Campaign, AudienceFacts, Proofs]:
        async with self.database.reading() as session:
            campaign = (await campaigns.progress(session, campaign_id)).campaign
            project = await projects.get(session)
            seen = await proofs.read(session, self.stationery, project, campaign, self.clock())
            return campaign, await audience_checks.gather(session, campaign), seen

    async def _copy(
        self, campaign: Campaign, facts: AudienceFacts, seen: Proofs, at_most: int | None, tell: Told
    ) -> Tally:
        ways: dict[Channel, Way] = {Channel.EMAIL: partial(self._address, seen), **self.other_ways}
        chosen = {channel: ways[channel] for channel in campaign.typed_channels if channel in ways}
        to_do = min(facts.size, at_most or facts.size)
        scope = Scope(facts.size, at_most, lambda done: tell(done, to_do))
        return await reader_checks.make_copies(self.database, campaign, list(facts.texts), chosen, scope)

    def _address(self, seen: Proofs, language: Language, addressee: Addressee) -> None:
        """Make a copy for the mail; a letter that does not come out for anybody is told of elsewhere."""
        if issue := seen.issues.get(language):
            issue.address(addressee, self.clock())


def _each(checks: Sequence[Callable[[T], Iterable[Finding]]], things: Iterable[T]) -> Iterator[Finding]:
    for thing in things:
        for check in checks:
            yield from check(thing)


async def _ask(links: LinkChecker, seen: Proofs) -> list[Finding]:
    pages = [page for proof in seen.of.values() for page in link_checks.pages(proof)]
    troubles = await links.ask(pages)
    return [told for proof in seen.of.values() for told in link_checks.findings(proof, troubles)]


def _sorted(found: Iterable[Finding], languages: Sequence[Language]) -> tuple[Finding, ...]:
    """Return each finding once."""
    order = [None, *languages, *(language for language in Language if language not in languages)]
    return tuple(
        sorted(
            dict.fromkeys(found),
            key=lambda finding: (order.index(finding.place.language), finding.severity is Severity.WARNING),
        )
    )
