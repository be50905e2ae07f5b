"""The numbers of a campaign: they add up, and never promise too much."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.landing.snapshots import clock_text, read_snapshot

STATUSES = ("queued", "sending", "sent", "failed", "bounced", "skipped", "uncertain")


@given(st.fixed_dictionaries({status: st.integers(0, 10_000) for status in STATUSES}))
def test_the_four_shown_counts_add_up_to_the_audience(counts: dict[str, int]) -> None:
    audience = sum(counts.values())
    told = {"name": "x", "status": "sending", "scheduled_at": None, "counts": counts, "audience": audience}

    shown = read_snapshot(told)

    assert shown.queued + shown.sent + shown.failed + shown.skipped == shown.total == audience
    assert (shown.percent == 100) == (audience > 0 and shown.queued == 0)


@pytest.mark.parametrize(
    "scheduled",
    [
        "2026-05-01T12:00:05Z",
        "2026-05-01T14:00:05+02:00",
        "2026-05-01T12:00:05",
        datetime(2026, 5, 1, 12, 0, 5, tzinfo=UTC),
    ],
)
def test_the_time_left_counts_from_any_zone_and_stops_at_zero(scheduled: object) -> None:
    snapshot = read_snapshot({"name": "x", "status": "scheduled", "scheduled_at": scheduled})

    assert snapshot.seconds_left(datetime(2026, 5, 1, 12, 0, tzinfo=UTC)) == 5
    assert snapshot.seconds_left(datetime(2026, 5, 1, 13, 0, tzinfo=UTC)) == 0


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (9, "0:09"), (725, "12:05"), (3600, "1:00:00")])
def test_seconds_read_like_a_clock(seconds: int, text: str) -> None:
    assert clock_text(seconds) == text
