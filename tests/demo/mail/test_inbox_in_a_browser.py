"""The inbox as people see it: without barriers, without sideways scrolling, and fresh by itself."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from fastapi import FastAPI
from playwright.async_api import Browser, Page, async_playwright

from demo.mail import Relay, create_app

Send = Callable[..., Awaitable[None]]
Serve = Callable[[FastAPI], AbstractAsyncContextManager[str]]

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-background-networking"]
PAGES = (
    "/inbox/",
    "/inbox/?q=nothing",
    "/inbox/1",
    "/inbox/1?scheme=dark&width=phone",
    "/inbox/1?tab=text",
    "/inbox/1?tab=source",
    "/inbox/1?tab=headers",
    "/inbox/9",
)

pytestmark = pytest.mark.browser


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield running
        await running.close()


@pytest.fixture
async def address(relay: Relay, serve: Serve) -> AsyncIterator[str]:
    app = FastAPI()
    app.mount("/inbox", create_app(relay, home_url="/"))
    async with serve(app) as running:
        yield running


async def barriers(page: Page) -> list[Any]:
    found = await Axe().run(page)
    return [(page.url, one["id"], one["nodes"][0]["target"]) for one in found.response["violations"]]


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark")])
async def test_no_page_has_barriers_or_scrolls_sideways(
    browser: Browser, address: str, send: Send, width: int, scheme: Any
) -> None:
    await send("ana@example.org", "Study visit", html="<html lang='en'><p>Hello", Content_Language="en")
    page = await browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)

    for path in PAGES:
        await page.goto(address + path)
        assert await barriers(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth") <= width, path


async def test_a_new_letter_appears_by_itself_and_is_announced(
    browser: Browser, address: str, send: Send
) -> None:
    page = await browser.new_page()
    await page.goto(address + "/inbox/")
    await page.fill("#q", "half a word")

    await send("ana@example.org", "Fresh from the relay")

    await page.wait_for_selector("text=Fresh from the relay")
    assert await page.text_content("#arrivals") == "One new letter"
    assert await page.input_value("#q") == "half a word"


async def test_nothing_in_a_letter_runs_and_its_links_open_elsewhere(
    browser: Browser, address: str, send: Send
) -> None:
    await send(
        "ana@example.org",
        html=f"<p id='p'>still</p><script>p.textContent='ran'</script><a href='{address}/inbox/'>Go</a>",
    )
    page = await browser.new_page()
    await page.goto(address + "/inbox/1")
    frame = page.frame_locator("iframe")

    assert await frame.locator("#p").text_content() == "still"
    async with page.expect_popup() as opened:
        await frame.locator("text=Go").click()
    popup = await opened.value
    await popup.wait_for_selector("h1")
    assert popup.url == address + "/inbox/"
