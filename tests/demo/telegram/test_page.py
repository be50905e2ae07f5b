"""The chat page works without scripts, and tells scripts what changed."""

import httpx
import pytest
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup

from demo.telegram import Telegram
from demo.telegram.cloud import Telegram as Cloud
from demo.telegram.page import COOKIE
from demo.telegram.personas import preferred_language


async def visitor(browser: httpx.AsyncClient, path: str = "/chat") -> int:
    await browser.get(path)
    return int(browser.cookies[COOKIE])


async def started(state: Cloud, browser: httpx.AsyncClient) -> int:
    person = await visitor(browser)
    state.chats[person].started = True
    return person


async def test_a_first_visit_makes_a_person_who_sees_what_the_bot_is_for(
    state: Telegram, bot: Bot, browser: httpx.AsyncClient
) -> None:
    await bot.set_my_description("Vprašajte me", language_code="sl")
    page = await browser.get("/chat")
    person = state.chats[int(browser.cookies[COOKIE])].person
    assert person.language_code == "sl"
    assert person.full_name in page.text
    assert "Vprašajte me" in page.text
    assert ">Start</button>" in page.text
    await browser.get("/chat")
    assert len(state.chats) == 1


async def test_start_sends_the_payload_of_a_deep_link(
    state: Telegram, bot: Bot, browser: httpx.AsyncClient
) -> None:
    person = await started(state, browser)
    page = await browser.get("/chat", params={"start": "event_7"})
    assert 'name="payload" value="event_7"' in page.text
    await browser.post("/chat/start", data={"payload": "event_7"}, headers={"Accept": "application/json"})
    assert state.messages(person)[0].text == "/start event_7"
    (update,) = await bot.get_updates()
    assert update.message is not None
    assert update.message.text == "/start event_7"


async def test_a_form_without_scripts_comes_back_with_the_answer(
    state: Telegram, bot: Bot, browser: httpx.AsyncClient
) -> None:
    person = await started(state, browser)
    await bot.send_message(person, "Nothing <here>")
    page = await browser.post("/chat/text", data={"text": "<b>Hello</b>"})
    assert page.url.path == "/chat"
    assert "&lt;b&gt;Hello&lt;/b&gt;" in page.text
    assert "Nothing &lt;here&gt;" in page.text


async def test_buttons_press_and_the_answer_is_shown_once(
    state: Telegram, bot: Bot, browser: httpx.AsyncClient
) -> None:
    person = await started(state, browser)
    rows = [
        [InlineKeyboardButton("Go", callback_data="go")],
        [InlineKeyboardButton("Open", url="https://a.example")],
    ]
    sent = await bot.send_message(person, "x", reply_markup=InlineKeyboardMarkup(rows))
    page = await browser.get("/chat")
    assert 'name="data" value="go">Go</button>' in page.text
    assert 'href="https://a.example" target="_blank"' in page.text
    script = {"Accept": "application/json"}
    await browser.post("/chat/press", data={"message_id": sent.message_id, "data": "go"}, headers=script)
    (update,) = await bot.get_updates()
    assert update.callback_query is not None
    await bot.answer_callback_query(update.callback_query.id, "Went")
    assert "Went" in (await browser.get("/chat")).text
    assert "Went" not in (await browser.get("/chat")).text


async def test_live_updates_carry_edits_typing_and_answers(
    state: Telegram, bot: Bot, browser: httpx.AsyncClient
) -> None:
    person = await started(state, browser)
    sent = await bot.send_message(person, "One")
    first = (await browser.get("/chat/live", params={"revision": -1})).json()
    await bot.edit_message_text("Two", person, sent.message_id)
    await bot.send_chat_action(person, "typing")
    second = (await browser.get("/chat/live", params={"revision": first["revision"]})).json()
    assert "Two" in second["messages"][0]["html"]
    assert second["messages"][0]["revision"] > first["messages"][0]["revision"]
    assert (first["typing"], second["typing"], second["name"]) == (False, True, "INTRA")


async def test_a_command_menu_speaks_the_persons_language(
    state: Telegram, bot: Bot, browser: httpx.AsyncClient
) -> None:
    person = await started(state, browser)
    await bot.set_my_commands([("help", "Ayuda")], language_code="es")
    assert "Ayuda" not in (await browser.get("/chat")).text
    page = await browser.post("/chat/language", data={"language": "es"})
    assert "Ayuda" in page.text
    assert state.chats[person].person.language_code == "es"


async def test_a_visitor_can_block_the_bot_and_become_somebody_else(
    state: Telegram, browser: httpx.AsyncClient
) -> None:
    person = await started(state, browser)
    page = await browser.post("/chat/block", data={"blocked": "true"})
    assert state.chats[person].blocked
    assert "Unblock the bot" in page.text
    await browser.post("/chat/block", data={"blocked": "false"})
    assert not state.chats[person].blocked
    await browser.post("/chat/person")
    assert int(browser.cookies[COOKIE]) != person


async def test_documents_are_downloads(state: Telegram, bot: Bot, browser: httpx.AsyncClient) -> None:
    person = await started(state, browser)
    sent = await bot.send_document(person, b"<script>", filename="a.html")
    assert sent.document is not None
    assert f'href="chat/files/{sent.document.file_id}"' in (await browser.get("/chat")).text
    file = await browser.get(f"/chat/files/{sent.document.file_id}")
    assert file.content == b"<script>"
    assert file.headers["content-disposition"] == "attachment; filename*=UTF-8''a.html"
    assert (await browser.get("/chat/files/none")).status_code == 404


async def test_links_to_this_bot_stay_on_the_page(
    state: Telegram, bot: Bot, browser: httpx.AsyncClient
) -> None:
    person = await started(state, browser)
    await bot.send_message(person, "https://t.me/intra_bot?start=faq https://t.me/other_bot?start=faq")
    page = (await browser.get("/chat")).text
    assert 'href="chat?start=faq"' in page
    assert 'href="https://t.me/other_bot?start=faq"' in page


@pytest.mark.parametrize("name", ["chat.css", "chat.js"])
async def test_the_page_brings_its_own_assets(browser: httpx.AsyncClient, name: str) -> None:
    assert (await browser.get(f"/chat/{name}")).status_code == 200
    assert (await browser.get("/chat/chat.html")).status_code == 404


async def test_a_stranger_gets_no_live_updates(browser: httpx.AsyncClient) -> None:
    assert (await browser.get("/chat/live")).status_code == 404


def test_the_app_speaks_the_first_language_it_knows() -> None:
    assert preferred_language("de-AT,pt-PT;q=0.8,en;q=0.5") == "pt"
    assert preferred_language("") == "en"


def test_a_token_must_look_like_one() -> None:
    with pytest.raises(ValueError, match="looks like"):
        Telegram("secret")


async def test_waiting_in_vain_shows_the_chat(state: Telegram, reader: int) -> None:
    await state.send_text(reader, "Hello?")
    with pytest.raises(TimeoutError, match=r"Hello\?"):
        await state.wait_for_message(reader, timeout=0.05)
