"""A service killed in the middle of a campaign: nothing is lost, and the sums balance."""

import asyncio
from pathlib import Path

from demo.mail import Relay
from mailer.relays import DeliverySettings
from tests.flows.installations import PATIENCE, Installation

READERS = 500
CAMPAIGN = """+++
subject = "All five hundred"
+++
Dear {{ subscriber.first_name or "reader" }}, this letter finds you.
"""


async def _until_received(relay: Relay, count: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while relay.received < count:
            await asyncio.sleep(0.01)


async def test_all_500_letters_arrive_although_the_service_is_killed(
    installation: Installation, tmp_path: Path
) -> None:
    readers = tmp_path / "readers.csv"
    rows = [f"reader{number}@example.org,Reader {number}" for number in range(READERS)]
    readers.write_text("\n".join(["email,name", *rows]), encoding="utf-8")
    await installation.command("subscribers", "import", str(readers), "--consent", "I agree.")
    letter = tmp_path / "news.en.md"
    letter.write_text(CAMPAIGN, encoding="utf-8")
    relay = installation.relay

    async with installation.running("mailer", "web") as first:
        campaign = await installation.send_campaign(letter)
        await _until_received(relay, 150)
        first.kill()
        await first.wait()
    assert relay.received < READERS, "the campaign was over before the kill"

    async with installation.running("mailer", "web"):
        status = await installation.until_sent(campaign)

    assert status["balanced"]
    assert status["counts"]["sent"] == status["audience"] == READERS
    arrived = [address for letter in relay.letters for address in letter.envelope_to]
    assert len(set(arrived)) == READERS
    assert len(arrived) <= READERS + DeliverySettings().window, (
        "no more extra copies than were in flight at the kill"
    )
    identities = {letter.header("Message-ID") for letter in relay.letters}
    assert len(identities) == READERS, "an extra copy carries the Message-ID of the first"
