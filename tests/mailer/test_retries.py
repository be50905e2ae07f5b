"""Attempts come at growing distances and end after three days."""

from datetime import datetime, timedelta

from mailer.retries import DEADLINE, FEWEST_ATTEMPTS, next_attempt


def test_each_attempt_waits_longer_than_the_one_before(now: datetime) -> None:
    waits = [(next_attempt(attempt, now - DEADLINE, now) or now) - now for attempt in range(1, 6)]
    assert waits == sorted(waits)
    assert timedelta(minutes=1) <= waits[0] <= timedelta(minutes=1.25)
    assert timedelta(hours=6) <= waits[-1] <= timedelta(hours=7.5)


def test_letters_do_not_come_back_all_at_once(now: datetime) -> None:
    assert len({next_attempt(1, now, now) for _ in range(50)}) > 40


def test_trying_ends_after_the_deadline_but_not_before_a_fair_number_of_attempts(now: datetime) -> None:
    assert next_attempt(FEWEST_ATTEMPTS, now, now + DEADLINE) is None
    assert next_attempt(FEWEST_ATTEMPTS, now, now + DEADLINE / 2) is not None
    assert next_attempt(1, now, now + 2 * DEADLINE) is not None


def test_an_outage_that_made_many_attempts_costs_no_longer_wait_than_it_lasted(now: datetime) -> None:
    again = next_attempt(10, now - timedelta(minutes=5), now)
    assert again is not None
    assert timedelta(minutes=5) <= again - now <= timedelta(minutes=6.25)
