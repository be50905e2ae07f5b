"""An installation for each story, between a Telegram and a relay of ours, on either database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from demo.mail import Relay
from demo.telegram import Flood, Telegram, served
from tests.flows.installations import ROOT, SETTINGS, TOKEN, Installation
from tests.ports import free_port


@pytest.fixture
async def installation(database_url: str, tmp_path: Path) -> AsyncIterator[Installation]:
    """An installation with INTRA's content; nothing runs yet."""
    telegram = Telegram(TOKEN, flood=Flood(rate=1000, burst=1000))
    async with Relay() as relay, served(telegram) as telegram_url:
        web_port = free_port()
        config = tmp_path / "config.toml"
        config.write_text(
            SETTINGS.format(
                web_port=web_port,
                database_url=database_url,
                token=TOKEN,
                telegram_url=telegram_url,
                mail_port=relay.port,
            ),
            encoding="utf-8",
        )
        ready = Installation(config, f"http://127.0.0.1:{web_port}", telegram, relay)
        await ready.command("content", "import", str(ROOT / "content/intra"))
        yield ready
