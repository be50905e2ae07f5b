"""Reasons: in words why a campaign was put aside, and what the lead can do about it."""

from datetime import datetime
from zoneinfo import ZoneInfo

from domain.campaigns import Campaign, Reason
from domain.times import zone_of

_ANSWERS = (
    "`helixpost campaigns resume {id}` sends it now, `schedule {id} --at TIME` gives it a new time, "
    "`cancel {id}` drops it."
)
_REST = "`helixpost campaigns resume {id}` sends the rest, `cancel {id}` leaves those readers out."
_WORDS = {
    Reason.LATE: "It was due at {due}, but nothing ran here then, and it is too late to send it unasked. "
    f"{_ANSWERS}",
    Reason.RESTORED: "This database is a restored copy: it does not know whether this letter went out after "
    f"the backup was made. {_ANSWERS}",
    Reason.UNFIT: "Its letter cannot be made: `helixpost campaigns preview {id} --for ADDRESS` says why. "
    f"Once that is mended: {_ANSWERS}",
    Reason.NOTHING_NEW: "Nothing was new since the last issue, so no letter went out.",
    Reason.REFUSED: "The relay refuses us and no reader, as codes such as 5.7.1 say: look at SPF, DKIM, "
    f"block lists and [[relays]]. Nobody has lost a letter by it. Once that is mended: {_REST}",
    Reason.FAILING: "Letters to many readers in a row were refused for good: "
    f"`helixpost subscribers bounces --campaign {{id}}` says whose and why. {_REST} "
    "`resend {id}` sends theirs again, once that is mended.",
}
_ONCE_BEGUN = {
    Reason.LATE: "Nothing ran here for long while it was being sent, and the rest is too late to go unasked. "
    f"{_REST}",
    Reason.RESTORED: "This database is a restored copy: readers who wait here may have had their letter "
    f"after the backup was made, and would get it again. {_REST}",
}
BRIEF = {
    Reason.LATE: "late, asks you",
    Reason.RESTORED: "restored copy, asks you",
    Reason.UNFIT: "letter cannot be made",
    Reason.NOTHING_NEW: "nothing new",
    Reason.REFUSED: "relay refuses us, asks you",
    Reason.FAILING: "many letters refused, asks you",
}


def explain(campaign: Campaign) -> str:
    """Return in words why the service put a campaign aside and what can be done; empty when it did not."""
    if campaign.reason is None:
        return ""
    words = _WORDS[campaign.reason]
    if campaign.started_at is not None:
        words = _ONCE_BEGUN.get(campaign.reason, words)
    due = campaign.scheduled_at
    when = local_time(due, zone_of(campaign.zone or "UTC")) if due else "its time"
    return words.format(id=campaign.id, due=when)


def local_time(moment: datetime, zone: ZoneInfo) -> str:
    """Return a moment as the clocks of a zone show it, with its offset and the zone's name."""
    return f"{moment.astimezone(zone).isoformat(' ', 'minutes')} ({zone.key})"
