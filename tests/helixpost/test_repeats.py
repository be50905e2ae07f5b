"""Schedules at the command line: zones, days on which clocks change, repeats, and why a campaign waits."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import update
from sqlmodel.ext.asyncio.session import AsyncSession

from domain import holds, schedules
from domain.campaigns import Campaign, Reason
from domain.database import Database, DatabaseSettings
from domain.times import utc_now
from tests.helixpost.conftest import Command

LETTER = """+++
subject = "News"
+++
Hello.
"""


@pytest.fixture
def campaign(helixpost: Command, tmp_path: Path) -> str:
    """An approved campaign with one reader."""
    readers, letter = tmp_path / "readers.csv", tmp_path / "news.en.md"
    readers.write_text("email\nana@example.org\n", encoding="utf-8")
    letter.write_text(LETTER, encoding="utf-8")
    assert helixpost("subscribers", "import", readers, "--consent", "I agree.").code == 0
    number = helixpost("campaigns", "create", letter).out.strip()
    assert helixpost("campaigns", "approve", number).code == 0
    return number


def _change(url: str, work: Callable[[AsyncSession], Awaitable[object]]) -> None:
    """Do to the database what the mailer does while no command runs."""

    async def change() -> None:
        database = Database(DatabaseSettings(url=url))
        async with database.transaction() as session:
            await work(session)
        await database.close()

    asyncio.run(change())


def test_the_first_of_two_hours_is_taken_and_said_with_the_way_to_the_second(
    helixpost: Command, campaign: str
) -> None:
    words = ("campaigns", "schedule", campaign, "--zone", "Europe/Ljubljana", "--at")
    first = helixpost(*words, "2031-10-26 02:30")
    assert first.code == 0, first.err
    assert "starts at 2031-10-26 02:30+02:00 (Europe/Ljubljana)" in first.out
    assert "the first of the two is meant" in first.out
    found = re.search(r"--at (\S+)", first.out)
    assert found
    second = helixpost(*words, found[1])
    assert "starts at 2031-10-26 02:30+01:00 (Europe/Ljubljana)" in second.out
    assert "repeat this hour" not in second.out


def test_the_hour_that_is_skipped_is_refused_with_a_cure(helixpost: Command, campaign: str) -> None:
    words = ("campaigns", "schedule", campaign, "--zone", "Europe/Ljubljana", "--at")
    refused = helixpost(*words, "2031-03-30 02:30")
    assert refused.code == 1
    assert "does not exist in Europe/Ljubljana: the clocks skip it; use 2031-03-30 03:30" in refused.err
    assert "2031-03-30 03:30+02:00" in helixpost(*words, "2031-03-30 03:30").out


def test_a_rule_is_set_shown_with_three_dates_listed_and_stopped(helixpost: Command, campaign: str) -> None:
    rule = ("--rule", "Every first tuesday 09:00", "--zone", "Europe/Lisbon")
    done = helixpost("campaigns", "repeat", campaign, *rule)
    assert done.code == 0, done.err
    assert f"Repeat 1: campaign {campaign} goes out every first Tuesday 09:00 (Europe/Lisbon)." in done.out
    dates = re.findall(r"\d{4}-\d\d-\d\d 09:00", done.out)
    assert len(dates) == 3
    for date in dates:
        day = datetime.fromisoformat(date).replace(tzinfo=ZoneInfo("Europe/Lisbon"))
        assert (day.weekday(), day.day <= 7) == (1, True)
    [listed] = json.loads(helixpost("campaigns", "repeats", "--json").out)
    assert listed["rule"] == "every first Tuesday 09:00"
    assert [moment[:16].replace("T", " ") for moment in listed["next"]] == dates
    assert listed["state"] == "running"
    assert dates[0] in helixpost("campaigns", "repeats").out
    refused = helixpost("campaigns", "repeat", campaign, "--rule", "every day")
    assert (refused.code, "repeats stop 1" in refused.err) == (1, True)
    assert helixpost("campaigns", "repeats", "stop", "1").code == 0
    assert json.loads(helixpost("campaigns", "repeats", "--json").out)[0]["next"] == []
    again = helixpost("campaigns", "repeats", "start", "1")
    assert (again.code, dates[0] in again.out) == (0, True)


def test_a_rule_in_json_for_scripts_is_in_the_projects_zone(helixpost: Command, campaign: str) -> None:
    made = json.loads(helixpost("campaigns", "repeat", campaign, "--rule", "30 8 * * mon", "--json").out)
    assert set(made) == {"id", "campaign", "rule", "zone", "next"}
    assert made["zone"] == "Europe/Brussels"
    assert len(made["next"]) == 3
    assert all(re.search(r"T08:30:00\+0[12]:00$", moment) for moment in made["next"])


@pytest.mark.parametrize(
    ("rule", "zone", "message"),
    [
        ("whenever", "UTC", "rule: 'whenever' is not a rule; write every first Tuesday 09:00"),
        ("* * * * *", "UTC", "rule: give one minute"),
        ("every day", "Mars/Olympus", "zone: unknown time zone"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(
    helixpost: Command, campaign: str, rule: str, zone: str, message: str
) -> None:
    refused = helixpost("campaigns", "repeat", campaign, "--rule", rule, "--zone", zone)
    assert (refused.code, message in refused.err) == (1, True)
    assert "Nothing repeats yet" in helixpost("campaigns", "repeats").out
    assert helixpost("campaigns", "repeats", "stop", "9").code == 1


def test_what_the_pre_flight_refuses_is_not_repeated(helixpost: Command, tmp_path: Path) -> None:
    letter = tmp_path / "nobody.en.md"
    letter.write_text(LETTER, encoding="utf-8")
    number = helixpost("campaigns", "create", letter).out.strip()
    helixpost("campaigns", "approve", number)
    refused = helixpost("campaigns", "repeat", number, "--rule", "every day")
    assert (refused.code, "it matches nobody" in refused.err) == (1, True)
    assert json.loads(helixpost("campaigns", "repeats", "--json").out) == []


def test_a_digest_without_words_of_its_own_is_checked_and_previewed_as_it_would_go_out(
    helixpost: Command, campaign: str, tmp_path: Path
) -> None:
    letter, copy = tmp_path / "digest.en.md", tmp_path / "copy.eml"
    head = ('subject = "What is new"', 'template = "digest"', 'channels = ["email", "telegram"]')
    letter.write_text("\n".join(["+++", *head, "+++", ""]), encoding="utf-8")
    number = helixpost("campaigns", "create", letter).out.strip()
    report = json.loads(helixpost("campaigns", "check", number, "--json").out)
    assert (report["errors"], report["readers"]) == (0, {"checked": 1, "unfit": 0})
    done = helixpost("campaigns", "preview", number, "--for", "ana@example.org", "--out", copy)
    assert done.code == 0, done.err
    assert b"Knowledge Sharing Strategy" in copy.read_bytes()


def test_a_late_campaign_says_why_it_waits_and_what_to_do(
    helixpost: Command, campaign: str, database_url: str
) -> None:
    at = ("--at", "2031-01-07 09:00", "--zone", "Europe/Ljubljana")
    assert helixpost("campaigns", "schedule", campaign, *at).code == 0
    _change(database_url, lambda session: holds.hold(session, int(campaign), Reason.LATE))
    shown = helixpost("campaigns", "status", campaign).out
    assert "is paused" in shown
    assert "It was due at 2031-01-07 09:00+01:00 (Europe/Ljubljana)" in shown
    assert f"resume {campaign}` sends it now" in shown
    listed = helixpost("campaigns", "list").out
    assert "late, asks you" in listed
    assert f"Campaign {campaign} waits for you. It was due" in listed
    status = json.loads(helixpost("campaigns", "status", campaign, "--json").out)
    assert status["reason"] == "late"
    assert "too late to send it unasked" in status["why"]
    moved = helixpost("campaigns", "schedule", campaign, *at)
    assert moved.code == 0, moved.err
    assert "reason" not in json.loads(helixpost("campaigns", "status", campaign, "--json").out)


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize("has_begun", [False, True])
def test_every_reason_is_explained(
    helixpost: Command, campaign: str, database_url: str, reason: Reason, has_begun: bool
) -> None:
    begun = utc_now() if has_begun else None
    _change(
        database_url,
        lambda session: session.exec(
            update(Campaign).values(status="paused", reason=reason, started_at=begun)
        ),
    )
    [listed] = json.loads(helixpost("campaigns", "list", "--json").out)
    assert listed["reason"] == reason
    assert re.fullmatch(r"[A-Z][^{}]+\.", listed["why"])


def test_a_repeat_that_a_restore_has_stopped_says_how_to_go_on(
    helixpost: Command, campaign: str, database_url: str
) -> None:
    assert helixpost("campaigns", "repeat", campaign, "--rule", "every day").code == 0
    _change(database_url, lambda session: schedules.stop_all(session, Reason.RESTORED, utc_now()))
    listed = helixpost("campaigns", "repeats").out
    assert "this database is a restored copy" in listed
    assert "repeats start 1" in listed
