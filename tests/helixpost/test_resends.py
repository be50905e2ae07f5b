"""`campaigns resend`: a look first, then the same figures when it is done."""

import asyncio
import json
from pathlib import Path

import pytest

from domain import campaigns, leases
from domain.database import Database, DatabaseSettings
from domain.deliveries import Status
from domain.languages import Language
from domain.leases import Outcome
from domain.subscribers import Channel
from domain.times import utc_now
from mailer.ledgers import LEASE
from tests.helixpost.conftest import Command

NEWS = '+++\nsubject = "News"\n+++\nHello.\n'
ENDS = {
    "ana@example.org": (Status.SENT, ""),
    "bor@example.org": (Status.FAILED, "552 5.2.2"),
    "cene@example.org": (Status.FAILED, "too late: 451 4.2.0"),
    "dana@example.org": (Status.UNCERTAIN, "connection_lost_in_data"),
}


@pytest.fixture
def sent(helixpost: Command, database_url: str, tmp_path: Path) -> Command:
    """The command on a database in which campaign 1 was sent, and not everybody got it."""
    readers, letter = tmp_path / "readers.csv", tmp_path / "news.en.md"
    readers.write_text("\n".join(["email", *ENDS]), encoding="utf-8")
    letter.write_text(NEWS, encoding="utf-8")
    assert helixpost("subscribers", "import", readers, "--consent", "I agree.").code == 0
    assert helixpost("campaigns", "create", letter).out.strip() == "1"
    assert helixpost("campaigns", "approve", "1").code == 0
    assert helixpost("campaigns", "schedule", "1", "--at", "now").code == 0
    asyncio.run(_send(database_url))
    return helixpost


async def _send(url: str) -> None:
    """Do what the mailer does while no command runs."""
    database, now = Database(DatabaseSettings(url=url)), utc_now()
    async with database.transaction() as session:
        assert await campaigns.start(session, 1, {Language.ENGLISH: {"subject": "News"}}, now)
    async with database.transaction() as session:
        claims = await leases.claim(session, Channel.EMAIL, [1], now, limit=9, lease=LEASE)
        outcomes = [Outcome(claim, *ENDS[claim.addressee.email or ""]) for claim in claims]
        await leases.record(session, outcomes, now)
        assert await campaigns.finish_balanced(session, now) == [1]
    await database.close()


def _status(helixpost: Command) -> tuple[str, int]:
    told = json.loads(helixpost("campaigns", "status", "1", "--json").out)
    return told["status"], told["counts"]["queued"]


def test_a_look_shows_what_the_real_run_then_does(sent: Command) -> None:
    words = ("campaigns", "resend", "1", "--uncertain", "--json")
    seen = sent(*words, "--dry-run")
    assert seen.code == 0, seen.err
    assert json.loads(seen.out) == {
        "id": 1,
        "status": "sent",
        "dry_run": True,
        "letters": 3,
        "left_out": 0,
        "groups": [
            {"status": "failed", "reason": "552 5.2.2", "letters": 1, "left_out": 0},
            {"status": "failed", "reason": "too late: 451 4.2.0", "letters": 1, "left_out": 0},
            {"status": "uncertain", "reason": "connection_lost_in_data", "letters": 1, "left_out": 0},
        ],
    }
    assert _status(sent) == ("sent", 0)
    done = json.loads(sent(*words).out)
    assert done == json.loads(seen.out) | {"status": "sending", "dry_run": False}
    assert _status(sent) == ("sending", 3)


def test_people_see_a_table_and_what_happens(sent: Command, database_url: str) -> None:
    assert sent("subscribers", "erase", "bor@example.org", "--yes").code == 0
    seen = sent("campaigns", "resend", "1", "--dry-run")
    heads, *rows, told = seen.out.splitlines()
    assert heads.split("  ")[0] == "status"
    assert [" ".join(row.split()) for row in rows] == [
        "failed too late: 451 4.2.0 1 0",
        "failed 552 5.2.2 0 1",
    ]
    assert told == "Campaign 1 would go again to 1; 1 left, bounced or were erased."
    done = sent("campaigns", "resend", "1")
    assert done.out.splitlines()[-1] == "Campaign 1 goes again to 1; 1 left, bounced or were erased."
    assert _status(sent) == ("sending", 1)
    assert sent("campaigns", "pause", "1").code == 0
    waits = sent("campaigns", "resend", "1", "--uncertain")
    assert waits.out.endswith("It is paused: `helixpost campaigns resume 1` lets it go on.\n")


def test_nothing_to_send_again_is_no_error(sent: Command) -> None:
    assert sent("campaigns", "resend", "1", "--uncertain").code == 0
    again = sent("campaigns", "resend", "1")
    assert (again.code, again.out) == (0, "Nothing to send again: no letter of campaign 1 failed.\n")
    assert sent("campaigns", "resend", "1", "--uncertain", "--dry-run").out == (
        "Nothing to send again: no letter of campaign 1 failed or is uncertain.\n"
    )


def test_when_nobody_is_left_it_says_so(sent: Command) -> None:
    for name in ("bor", "cene"):
        assert sent("subscribers", "erase", f"{name}@example.org", "--yes").code == 0
    told = sent("campaigns", "resend", "1")
    assert told.code == 0
    assert told.out.endswith("Nothing is sent again: these readers left, bounced or were erased.\n")
    assert _status(sent) == ("sent", 0)


def test_a_draft_and_an_unknown_campaign_are_refused(helixpost: Command, tmp_path: Path) -> None:
    letter = tmp_path / "news.en.md"
    letter.write_text(NEWS, encoding="utf-8")
    number = helixpost("campaigns", "create", letter).out.strip()
    refused = helixpost("campaigns", "resend", number)
    assert (refused.code, "is draft: you cannot resend it" in refused.err) == (1, True)
    unknown = helixpost("campaigns", "resend", "99", "--dry-run")
    assert (unknown.code, unknown.err) == (1, "helixpost: there is no campaign 99\n")
