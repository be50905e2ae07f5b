"""Parcels: a claimed delivery with the letter that is to be sent."""

from dataclasses import dataclass
from datetime import datetime

from domain.deliveries import Claim
from mailer.envelopes import Envelope


@dataclass(slots=True)
class Parcel:
    """One letter on its way to a relay."""

    claim: Claim
    envelope: Envelope
    since: datetime
    """When its campaign started."""
    seen_at: datetime
    """When the ledger last said that it may be sent."""
    returns: int = 0
    """How often it came back unsent from a connection that may have been lost because of it."""
