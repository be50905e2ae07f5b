"""The pages as people meet them: no barriers, nothing cut off, in light and dark, by keyboard."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.async_playwright import Axe
from fastapi import FastAPI
from playwright.async_api import Browser, Page, async_playwright

from domain.database import Database
from domain.notices import Notice
from domain.projects import Project
from domain.sites import ServiceSettings
from domain.subscribers import Subscriber
from web.app import create_app
from wording.texts import Texts

Serve = Callable[[FastAPI], AbstractAsyncContextManager[str]]
Subscribe = Callable[..., Awaitable[httpx.Response]]
Queued = Callable[[], Awaitable[list[Notice]]]
Ask = Callable[[], Awaitable[str]]

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-background-networking"]
VIEWS = [(390, "light"), (390, "dark"), (1280, "light"), (1280, "dark")]

pytestmark = pytest.mark.browser


@pytest.fixture
def database_url(sqlite_template: Path, tmp_path: Path) -> str:
    """One kind of database: what a page looks like does not depend on it."""
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'helixpost.db')}"


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield running
        await running.close()


@pytest.fixture
async def address(
    database: Database, texts: Texts, service: ServiceSettings, clock: Any, serve: Serve
) -> AsyncIterator[str]:
    """The pages over plain HTTP, as a browser on this machine reaches them."""
    plain = service.model_copy(update={"base_url": "http://127.0.0.1"})
    app = create_app(
        database, texts, plain, telegram_enabled=False, clock=clock, bot_url="https://t.me/IntraBot"
    )
    async with serve(app) as running:
        yield running


@pytest.fixture
async def secrets(
    subscribe: Subscribe, queued: Queued, reader: Subscriber, service: ServiceSettings, ask: Ask
) -> dict[str, str]:
    """A link of each kind that is still good."""
    await subscribe(email="new@example.org")
    confirm = str((await queued())[-1].payload["secret"])
    assert reader.id
    return {
        "confirm": confirm,
        "unsubscribe": service.keyring.sign_unsubscribe(reader.id),
        "preferences": await ask(),
    }


async def check(page: Page) -> None:
    found = await Axe().run(page)
    problems = [(one["id"], one["nodes"][0]["target"]) for one in found.response["violations"]]
    assert problems == [], page.url
    width = await page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width[0] <= width[1], page.url


@pytest.mark.parametrize(("width", "scheme"), VIEWS)
async def test_no_page_has_barriers_or_scrolls_sideways(
    browser: Browser, address: str, secrets: dict[str, str], letter: int, width: int, scheme: Any
) -> None:
    page = await browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    paths = [
        "/?language=en",
        "/?language=bg",
        "/subscribe?language=en",
        "/preferences?language=en",
        "/archive?language=it",
        f"/archive/{letter}?language=it",
        "/events?language=sl",
        "/events?language=en&q=nothing",
        "/events/kick-off?language=en",
        "/partners?language=en",
        "/documents?language=pt",
        "/privacy?language=en",
        "/accessibility?language=es",
        "/never?language=en",
        f"/confirm/{secrets['confirm']}?language=en",
        "/confirm/invented?language=en",
        f"/preferences/{secrets['preferences']}?language=en",
        "/preferences/invented?language=en",
        f"/unsubscribe/{secrets['unsubscribe']}?language=en",
        "/unsubscribe/invented?language=en",
    ]

    for path in paths:
        await page.goto(address + path)
        await check(page)


async def test_no_page_has_barriers_before_there_is_a_project(browser: Browser, address: str) -> None:
    page = await browser.new_page(viewport={"width": 390, "height": 900})

    for path in ("/", "/subscribe", "/archive", "/events", "/partners", "/documents"):
        await page.goto(address + path)
        await check(page)


@pytest.mark.parametrize(("width", "scheme"), VIEWS)
async def test_no_answer_to_a_form_has_barriers(
    browser: Browser, address: str, secrets: dict[str, str], width: int, scheme: Any
) -> None:
    page = await browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)

    await page.goto(f"{address}/subscribe?language=en")
    await page.fill("#email", "ana at example")
    await page.get_by_role("button", name="Subscribe").click()
    await check(page)
    assert await page.get_by_role("alert").get_by_role("link").count() == 2
    await page.fill("#email", "bor@example.org")
    await page.check("#agreed")
    await page.get_by_role("button", name="Subscribe").click()
    await check(page)

    await page.goto(f"{address}/confirm/{secrets['confirm']}?language=en")
    await page.get_by_role("button", name="Yes, subscribe me").click()
    await check(page)

    await page.goto(f"{address}/unsubscribe/{secrets['unsubscribe']}?language=en")
    await page.get_by_role("button", name="Unsubscribe", exact=True).click()
    await check(page)
    await page.get_by_role("button", name="Undo").click()
    await check(page)

    await page.goto(f"{address}/preferences/{secrets['preferences']}?language=en")
    await page.get_by_role("button", name="Delete my data").click()
    await check(page)
    await page.get_by_role("button", name="Save").click()
    await check(page)


async def test_a_person_subscribes_with_the_keyboard_alone(
    browser: Browser, address: str, project: Project, queued: Queued
) -> None:
    page = await browser.new_page()
    await page.goto(f"{address}/subscribe?language=en")

    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.textContent") == "Skip to the content"
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await page.keyboard.type("ana@example.org")
    while not await page.evaluate("document.activeElement.id === 'agreed'"):
        assert await page.evaluate("document.activeElement.id !== 'website'")
        await page.keyboard.press("Tab")
    await page.keyboard.press("Space")
    await page.keyboard.press("Enter")

    await page.wait_for_selector("text=Check your inbox")
    assert [notice.email for notice in await queued()] == ["ana@example.org"]


async def test_the_language_menu_opens_without_scripts_and_stays_on_the_page(
    browser: Browser, address: str, project: Project
) -> None:
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{address}/events?language=en&q=maribor")

    await page.click("summary")
    await page.click("text=Slovenščina")

    assert page.url.endswith("/events?language=sl&q=maribor")
    assert await page.get_attribute("html", "lang") == "sl"
