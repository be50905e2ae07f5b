"""The chat page with scripts, in a real browser, on a phone's width."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, async_playwright
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, Update

from demo.telegram import Telegram
from demo.telegram.messages import Message
from demo.telegram.page import COOKIE

pytestmark = pytest.mark.browser
CHROMIUM = "/usr/bin/chromium"
MARKUP = InlineKeyboardMarkup([[InlineKeyboardButton("Partners", callback_data="partners")]])


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield await browser.new_page(viewport={"width": 390, "height": 800})
        await browser.close()


async def first_words(state: Telegram) -> Message:
    """Return the first message of the visitor who comes."""
    return await state.wait_until(
        lambda: next((message for chat in state.chats.values() for message in chat.kept.values()), None)
    ) or pytest.fail("nobody wrote")


async def pressed(bot: Bot) -> Update:
    """Return the newest update."""
    updates = await bot.get_updates(offset=-1, timeout=5)
    return updates[-1]


async def test_a_conversation_runs_without_a_reload(state: Telegram, bot: Bot, url: str, page: Page) -> None:
    await page.goto(f"{url}/chat?start=faq")
    await page.get_by_role("button", name="Start").click()
    asked = await first_words(state)
    assert asked.text == "/start faq"
    sent = await bot.send_message(asked.chat_id, "<b>Welcome</b>", "HTML", reply_markup=MARKUP)
    await page.get_by_role("button", name="Partners").click()
    await asyncio.sleep(0.2)
    query = (await pressed(bot)).callback_query
    assert query is not None
    await bot.answer_callback_query(query.id, "Here they are")
    await bot.edit_message_text("Six partners", asked.chat_id, sent.message_id)
    await page.get_by_text("Six partners").wait_for()
    await page.get_by_role("status").get_by_text("Here they are").wait_for()
    await page.get_by_label("Message", exact=True).fill("Thank you")
    await page.keyboard.press("Enter")
    await page.get_by_text("Thank you").wait_for()
    assert state.messages(asked.chat_id)[-1].text == "Thank you"


async def test_the_page_has_no_accessibility_violations(
    state: Telegram, bot: Bot, url: str, page: Page
) -> None:
    person = state.add_user("Maja", last_name="Novak", language_code="sl", started=True).id
    await bot.set_my_commands([("help", "Pomoč")])
    await bot.send_message(
        person, "<b>Hi</b> /help <code>x</code> https://a.example", "HTML", reply_markup=MARKUP
    )
    await bot.send_document(person, b"x", filename="faro.ics")
    await state.send_text(person, "Hello")
    await page.context.add_cookies([{"name": COOKIE, "value": str(person), "url": url}])
    await page.goto(f"{url}/chat")
    await page.locator(".file").wait_for()
    for path in ("/chat", "/chat#person"):
        await page.goto(url + path)
        results = await Axe().run(page)
        assert results.violations_count == 0, results.generate_report()
