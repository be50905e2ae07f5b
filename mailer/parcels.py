"""Parcels: a claimed delivery with the letter that is to be sent."""

from dataclasses import dataclass, field
from datetime import datetime

from domain.leases import Claim
from mailer.envelopes import Envelope
from mailer.issues import Issue


@dataclass(slots=True)
class Parcel:
    """One letter on its way to a relay, written as late as can be: waiting letters would fill the memory."""

    claim: Claim
    issue: Issue
    seen_at: datetime
    """When the ledger last said that it may be sent."""
    returns: int = 0
    """How often it came back unsent from a connection that may have been lost because of it."""
    is_written: bool = False
    envelope: Envelope = field(init=False)
    """What is handed over, once it is written."""

    @property
    def since(self) -> datetime:
        """Since when its campaign is sent, the last time."""
        return self.issue.since or self.seen_at

    def write(self, now: datetime) -> None:
        """Write the letter unless that has been done; raises `Invalid` when it is unfit to be sent."""
        if not self.is_written:
            self.envelope = self.issue.address(self.claim.addressee, now)
            self.is_written = True
