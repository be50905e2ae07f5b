"""The landing page as people see it: without barriers, and following the campaign."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import pytest
from axe_playwright_python.async_playwright import Axe
from fastapi import FastAPI
from playwright.async_api import Browser, async_playwright

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-background-networking"]
COUNTS = {"queued": 50, "sent": 140, "failed": 8, "skipped": 2}

Serve = Callable[[FastAPI], AbstractAsyncContextManager[str]]

pytestmark = pytest.mark.browser


class Campaign(Protocol):
    def becomes(self, status: str, **counts: int) -> None: ...


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield running
        await running.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("status", ["scheduled", "sending"])
async def test_the_page_has_no_barriers_and_never_scrolls_sideways(
    browser: Browser, app: FastAPI, serve: Serve, campaign: Campaign, scheme: Any, status: str
) -> None:
    campaign.becomes(status, **COUNTS if status == "sending" else {})
    page = await browser.new_page(color_scheme=scheme)

    async with serve(app) as address:
        await page.goto(address)
        for width in (390, 1280):
            await page.set_viewport_size({"width": width, "height": 900})
            found = await Axe().run(page)
            assert [(one["id"], one["nodes"][0]["target"]) for one in found.response["violations"]] == []
            assert await page.evaluate("document.documentElement.scrollWidth") <= width


async def test_the_page_follows_the_campaign_by_itself(
    browser: Browser, app: FastAPI, serve: Serve, campaign: Campaign
) -> None:
    page = await browser.new_page()
    async with serve(app) as address:
        await page.goto(address)
        await page.wait_for_selector("text=The newsletter is scheduled")

        campaign.becomes("sending", **COUNTS)
        await page.wait_for_selector(".counts")
        assert "on its way" in (await page.text_content("#said") or "")

        campaign.becomes("sent", sent=200)
        await page.wait_for_selector("#progress[data-final=yes]")
        assert "has arrived" in (await page.text_content("#said") or "")


async def test_the_countdown_ticks(browser: Browser, app: FastAPI, serve: Serve) -> None:
    page = await browser.new_page()
    async with serve(app) as address:
        await page.goto(address)
        # the server's clock stands still in this test, so only the script can make it 2:04
        await page.wait_for_selector("[data-clock]:text-is('2:04')")
