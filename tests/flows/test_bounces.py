"""Letters that come back: the reader is given up with a reason, and forged reports change nothing."""

import asyncio
import json
import smtplib
from pathlib import Path

import pytest

from demo.mail import Reply
from tests.flows.installations import Installation
from tests.mailer.returned_mail import BOUNCES, hand_over, report
from tests.ports import free_port

SECTION = """
[bounces]
address = "{address}"

[bounces.receiver]
host = "127.0.0.1"
port = {port}
"""
READERS = "email,name\nana@example.org,Ana\nbor@example.org,Bor\neva@example.org,Eva\n"
CAMPAIGN = '+++\nsubject = "News"\n+++\nDear {{ subscriber.first_name or "reader" }}, hello.\n'


async def _report_bounce(port: int, path: str, to: str | None = None) -> None:
    await asyncio.to_thread(hand_over, port, to or path, report("postfix-unknown-user", path))


async def _bounced(installation: Installation) -> list[tuple[str, str, str, bool]]:
    rows = json.loads(await installation.command("subscribers", "bounces", "--json"))
    return [(row["email"], row["reason"], row["source"], row["reachable"]) for row in rows]


async def test_who_cannot_be_reached_is_given_up_and_a_forged_report_changes_nothing(
    installation: Installation, tmp_path: Path
) -> None:
    relay, port = installation.relay, free_port()
    with installation.config.open("a", encoding="utf-8") as config:
        config.write(SECTION.format(address=BOUNCES, port=port))
    readers, letter = tmp_path / "readers.csv", tmp_path / "news.en.md"
    readers.write_text(READERS, encoding="utf-8")
    letter.write_text(CAMPAIGN, encoding="utf-8")
    await installation.command("subscribers", "import", str(readers), "--consent", "I agree.")
    relay.script("eva@example.org", Reply(550, "5.1.1 <eva@example.org> unknown"))

    async with installation.running("mailer", "web"):
        first = await installation.send_campaign(letter)
        sums = await installation.until_sent(first)
        assert (sums["counts"]["sent"], sums["counts"]["failed"], sums["balanced"]) == (2, 1, True)
        [to_ana], [to_bor] = relay.letters_to("ana@example.org"), relay.letters_to("bor@example.org")
        assert to_ana.envelope_from.startswith(f"bounces+{first}.")
        assert to_ana.envelope_from != to_bor.envelope_from

        with pytest.raises(smtplib.SMTPRecipientsRefused):
            await _report_bounce(port, to_bor.envelope_from.replace(f"+{first}.", f"+{first}0."))
        await _report_bounce(port, to_bor.envelope_from, to=BOUNCES)
        await _report_bounce(port, to_ana.envelope_from)
        assert await _bounced(installation) == [
            ("ana@example.org", "there is no such mailbox", "report", False),
            ("eva@example.org", "there is no such mailbox", "relay", False),
        ]
        sums = await installation.status(first)
        assert sums["counts"] | {"bounced": 1, "failed": 1, "sent": 1} == sums["counts"]
        assert sums["balanced"]

        sums = await installation.until_sent(await installation.send_campaign(letter))
        assert (sums["audience"], sums["counts"]["sent"]) == (1, 1)
    assert len(relay.letters_to("bor@example.org")) == 2
    assert len(relay.letters) == 3
