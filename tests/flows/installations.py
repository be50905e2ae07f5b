"""A whole installation: the service in processes of its own, between a Telegram and a relay of ours."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from demo.mail import Relay
from demo.telegram import Telegram

ROOT = Path(__file__).parents[2]
TOKEN = "123456:flow-tests-only-0123456789abcdefghi"
PATIENCE = 60.0
"""Seconds until a story that does not move on is given up; none is ever waited for on purpose."""

SETTINGS = """
[service]
name = "INTRA"
base_url = "http://127.0.0.1:{web_port}"
time_zone = "Europe/Ljubljana"
secret = "k3yF0rTh3T3stsOnlyAndNowhereElse"
operator = "Test agency"
contact = "team@example.org"

[database]
url = "{database_url}"

[telegram]
mode = "polling"
token = "{token}"
api_url = "{telegram_url}"

[mail]
sender = "INTRA <news@example.org>"
reply_to = "team@example.org"
postal_address = "Street 1, Maribor"

[[relays]]
host = "127.0.0.1"
port = {mail_port}
security = "none"

[web]
host = "127.0.0.1"
port = {web_port}
"""


@dataclass
class Installation:
    """Helixpost as installed, driven only from outside: commands, pages, chat, mail."""

    config: Path
    url: str
    telegram: Telegram
    relay: Relay

    async def command(self, *words: str) -> str:
        """Run a command to its end and return what it printed; fails with its complaint."""
        process = await self._spawn(*words)
        out, err = await process.communicate()
        assert process.returncode == 0, f"helixpost {' '.join(words)}: {err.decode()}"
        return out.decode()

    async def refusal(self, *words: str) -> str:
        """Run a command that must be refused and return its complaint."""
        process = await self._spawn(*words)
        _, err = await process.communicate()
        assert process.returncode == 1
        return err.decode()

    async def status(self, campaign: str) -> dict[str, Any]:
        """Return what `campaigns status --json` says."""
        found: dict[str, Any] = json.loads(await self.command("campaigns", "status", campaign, "--json"))
        return found

    @asynccontextmanager
    async def running(self, *roles: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """Run the service while the block runs; it must end by itself when asked to."""
        process = await self._spawn("run", *roles)
        try:
            await self._until_healthy(process)
            yield process
        finally:
            if process.returncode is None:
                process.terminate()
            await asyncio.wait_for(process.communicate(), PATIENCE)

    async def send_campaign(self, *files: Path) -> str:
        """Create, approve and start a campaign; returns its number."""
        number = (await self.command("campaigns", "create", *map(str, files))).strip()
        await self.command("campaigns", "approve", number)
        await self.command("campaigns", "schedule", number, "--at", "now")
        return number

    async def until_sent(self, campaign: str) -> dict[str, Any]:
        """Return the sums once the campaign is over."""
        async with asyncio.timeout(PATIENCE):
            while (status := await self.status(campaign))["status"] != "sent":
                await asyncio.sleep(0.2)
        return status

    async def _spawn(self, *words: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "helixpost",
            *words,
            env=os.environ | {"HELIXPOST_CONFIG": str(self.config)},
            cwd=self.config.parent,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def _until_healthy(self, process: asyncio.subprocess.Process) -> None:
        async with httpx.AsyncClient() as client, asyncio.timeout(PATIENCE):
            while process.returncode is None:
                try:
                    if (await client.get(f"{self.url}/health")).status_code == 200:
                        return
                except httpx.TransportError:
                    await asyncio.sleep(0.1)
        _, err = await process.communicate()
        raise AssertionError(f"the service ended: {err.decode()}")
