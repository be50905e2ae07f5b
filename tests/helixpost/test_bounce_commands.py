"""The commands about bounces: who is reached no more, why, and how to mend it."""

import asyncio
import json
from pathlib import Path

import pytest

from domain import bounces
from domain.bounces import Action, Finding
from domain.database import Database, DatabaseSettings
from domain.deliveries import Delivery, Status
from domain.keys import Keyring
from domain.languages import Language
from domain.subscribers import Channel
from domain.times import utc_now
from tests.helixpost.conftest import Command

KEYRING = Keyring("k3yF0rTh3T3stsOnlyAndNowhereElse")
NEWS = '+++\nsubject = "News"\npreheader = "Short"\n+++\nHello.\n'


@pytest.fixture
def bounced(helixpost: Command, database_url: str, tmp_path: Path) -> Command:
    """The command on a database in which one letter to Ana and one to Bor came back."""
    readers, letter = tmp_path / "readers.csv", tmp_path / "news.en.md"
    readers.write_text("email\nana@example.org\nbor@example.org\n", encoding="utf-8")
    letter.write_text(NEWS, encoding="utf-8")
    assert helixpost("subscribers", "import", readers, "--consent", "I agree.").code == 0
    assert helixpost("campaigns", "create", letter).out.strip() == "1"
    asyncio.run(_bounce(database_url))
    return helixpost


async def _bounce(url: str) -> None:
    database, now = Database(DatabaseSettings(url=url)), utc_now()
    async with database.transaction() as session:
        for reader, code in ((1, "5.1.1"), (2, "5.2.2")):
            session.add(
                Delivery(
                    campaign_id=1,
                    subscriber_id=reader,
                    channel=Channel.EMAIL,
                    language=Language.ENGLISH,
                    status=Status.SENT,
                    attempts=1,
                    due_at=now,
                    finished_at=now,
                )
            )
            await session.flush()
            failed = [Finding(Action.FAILED, code)]
            assert await bounces.record_report(session, 1, reader, failed, KEYRING, now)
    await database.close()


def test_the_listing_tells_who_why_and_when(bounced: Command) -> None:
    listed = json.loads(bounced("subscribers", "bounces", "--json").out)
    assert [(row["email"], row["kind"], row["code"], row["reachable"]) for row in listed] == [
        ("bor@example.org", "soft", "5.2.2", True),
        ("ana@example.org", "hard", "5.1.1", False),
    ]
    assert listed[1]["reason"] == "there is no such mailbox"
    assert (listed[1]["campaign_id"], listed[1]["campaign"], listed[1]["source"]) == (1, "news", "report")
    shown = bounced("subscribers", "bounces", "--kind", "hard", "--campaign", "1").out
    _, row = shown.splitlines()
    assert row.startswith("ana@example.org  hard  5.1.1  there is no such mailbox  ")


def test_an_unknown_campaign_is_said(bounced: Command) -> None:
    refused = bounced("subscribers", "bounces", "--campaign", "7")
    assert (refused.code, refused.err.strip()) == (1, "helixpost: there is no campaign 7")


def test_nothing_that_came_back_is_said_in_words(helixpost: Command) -> None:
    assert helixpost("subscribers", "bounces").out.strip() == "Nothing has come back."


def test_a_person_sees_what_came_back_from_them(bounced: Command) -> None:
    shown = json.loads(bounced("subscribers", "export", "ana@example.org").out)
    assert shown["email_bounced_at"]
    assert [entry["reason"] for entry in shown["bounces"]] == ["there is no such mailbox"]
    assert "there is no such mailbox" in bounced("subscribers", "show", "ana@example.org").out


def test_an_address_that_works_again_is_restored_once(bounced: Command) -> None:
    assert bounced("subscribers", "restore", "ana@example.org").out.startswith("Letters go to")
    listed = json.loads(bounced("subscribers", "bounces", "--kind", "hard", "--json").out)
    assert listed[0]["reachable"]
    assert listed[0]["lifted_at"]
    again = bounced("subscribers", "restore", "ana@example.org")
    assert (again.code, "did not bounce" in again.err) == (1, True)
    assert "there is no subscriber" in bounced("subscribers", "restore", "nobody@example.org").err
