"""Reader checks: every reader's own copy is made once, as sending makes it, before anything is sent."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil

from domain import addressees, audiences, deliveries
from domain.addressees import Addressee
from domain.addresses import address_of
from domain.campaigns import Campaign
from domain.database import Database
from domain.errors import Invalid
from domain.languages import Language, choose
from domain.subscribers import Channel, Subscriber
from mailer.findings import Code, Finding, Part, Place, error, warning

SLICE = 500
"""Readers that are held in memory at a time."""
NAMED = 3
"""Readers that cannot get their copy and are named."""
FORGIVEN = 0.01
"""The share of unfit copies up to which a campaign may go: no stranger's odd name holds up everybody."""

_PLAIN = re.compile(r"\w+(?:[.+-]\w+)*@(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+[a-z]{2,}", re.ASCII)
"""What nearly every address looks like: no need to take it apart, which costs more than making the copy."""
_PLAIN_UP_TO = 64
Way = Callable[[Language, Addressee], object]
"""Makes a reader's copy over one channel; raises `Invalid` when it cannot."""


@dataclass(frozen=True, slots=True)
class Unfit:
    """A reader who cannot get a copy. The address is for the lead's eyes and never for a log."""

    subscriber_id: int
    email: str
    reason: str

    def __str__(self) -> str:
        """Name the reader by number only."""
        return f"{self.subscriber_id} ({self.reason})"


@dataclass(slots=True)
class Tally:
    """What came of making the readers' copies."""

    checked: int = 0
    unfit: int = 0
    international: int = 0
    """Addresses that only a relay with SMTPUTF8 takes (RFC 6531)."""
    counts: Counter[Code] = field(default_factory=Counter)
    examples: dict[Code, list[Unfit]] = field(default_factory=dict)

    def note(self, code: Code, reader: Subscriber, reason: str) -> None:
        """Count a reader who cannot get a copy, and keep the first few of each kind."""
        self.unfit += 1
        self.counts[code] += 1
        named = self.examples.setdefault(code, [])
        if len(named) < NAMED:
            named.append(Unfit(reader.id or 0, reader.email or "", reason))


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose copies are made: all readers', or those of a sample spread over the list."""

    size: int
    at_most: int | None = None
    tell: Callable[[int], None] = lambda _done: None
    """Called with the number of copies made so far."""

    @property
    def every(self) -> int:
        """Every how many numbers a reader is taken."""
        return max(1, ceil(self.size / self.at_most)) if self.at_most else 1


async def make_copies(
    database: Database,
    campaign: Campaign,
    languages: Sequence[Language],
    ways: Mapping[Channel, Way],
    scope: Scope,
) -> Tally:
    """Return what came of making the copies, a slice of readers at a time.

    `languages` are the campaign's, the one that other readers get first.
    """
    tally, last = Tally(), 0
    audience, channels = campaign.typed_audience, campaign.typed_channels
    while True:
        async with database.reading() as session:
            readers = await audiences.members(
                session, audience, channels, limit=SLICE, after=last, every=scope.every
            )
            addressed = await addressees.of_each(session, readers)
        if not readers:
            return tally
        for reader, addressee in zip(readers, addressed, strict=True):
            last = addressee.id
            language = choose([reader.language], languages)
            _make_copy(tally, reader, language, addressee, ways)
        scope.tell(tally.checked)


def findings(tally: Tally) -> Iterator[Finding]:
    """Tell which readers cannot get their copy."""
    place = Place(None, Part.READERS)
    unfit = tally.counts[Code.UNFIT_COPY]
    if unfit:
        told = f"{unfit:,} of {tally.checked:,} copies cannot be made: {_named(tally, Code.UNFIT_COPY)}"
        cure = "leave the field out that breaks it, most likely in the subject, or mend these readers' names"
        weigh = error if unfit > FORGIVEN * tally.checked else warning
        yield weigh(Code.UNFIT_COPY, place, told, cure)
    if lost := tally.counts[Code.UNFIT_ADDRESS]:
        told = f"{lost:,} addresses cannot be sent to: {_named(tally, Code.UNFIT_ADDRESS)}"
        cure = "ask these readers for another; their copies will fail and the others go out"
        yield warning(Code.UNFIT_ADDRESS, place, told, cure)
    if tally.international:
        told = f"{tally.international:,} addresses are not written in ASCII before the @"
        cure = "see that the relay knows SMTPUTF8 (RFC 6531); these copies fail otherwise"
        yield warning(Code.INTERNATIONAL_ADDRESS, place, told, cure)


def _make_copy(
    tally: Tally, reader: Subscriber, language: Language, addressee: Addressee, ways: Mapping[Channel, Way]
) -> None:
    tally.checked += 1
    for channel, way in ways.items():
        if deliveries.obstacle(reader, channel):
            continue
        if channel is Channel.EMAIL and not _is_sendable(tally, reader):
            return
        try:
            way(language, addressee)
        except Invalid as problem:
            tally.note(Code.UNFIT_COPY, reader, str(problem))
            return


def _is_sendable(tally: Tally, reader: Subscriber) -> bool:
    """Say whether the stored address is one, as it stands: it goes on the envelope byte for byte."""
    email = reader.email or ""
    if len(email) <= _PLAIN_UP_TO and _PLAIN.fullmatch(email):
        return True
    try:
        address = address_of(email)
    except Invalid as problem:
        tally.note(Code.UNFIT_ADDRESS, reader, problem.reason)
        return False
    if address.email != email:
        tally.note(Code.UNFIT_ADDRESS, reader, "it is not stored as it would be sent")
        return False
    tally.international += not email.isascii()
    return True


def _named(tally: Tally, code: Code) -> str:
    return "subscriber " + ", ".join(str(unfit) for unfit in tally.examples[code])
