"""The inbox under /inbox: every page, every link, and the button."""

import re
from collections.abc import Awaitable, Callable
from email.message import EmailMessage
from html import unescape
from typing import Protocol

import aiosmtplib
import httpx
import pytest

from demo.mail import Relay
from demo.mail.listing import PAGE_SIZE

Send = Callable[..., Awaitable[None]]


class Listener(Protocol):
    requests: list[str]
    answer: str
    url: str


def subjects(page: httpx.Response) -> list[str]:
    return [unescape(found) for found in re.findall(r'<a id="letter-\d+"[^>]*>([^<]*)</a>', page.text)]


def addresses(page: httpx.Response) -> list[str]:
    return [unescape(found) for found in re.findall(r'(?:href|src|action)="([^"]*)"', page.text)]


async def test_an_empty_inbox_says_what_to_do(inbox: httpx.AsyncClient) -> None:
    page = await inbox.get("/inbox/")

    assert page.status_code == 200
    assert "No letters yet" in page.text


async def test_letters_are_listed_newest_first_with_what_is_in_them_escaped(
    inbox: httpx.AsyncClient, send: Send
) -> None:
    await send("ana@example.org", "First")
    await send("bor@example.org", "<b>Second</b>")

    page = await inbox.get("/inbox/")

    assert subjects(page) == ["<b>Second</b>", "First"]
    assert "<b>Second" not in page.text
    assert "ana@example.org" in page.text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "учебно"}, ["Учебно посещение"]),
        ({"q": "BOR@"}, ["Visita"]),
        ({"language": "bg"}, ["Учебно посещение"]),
        ({"to": "bor@example.org"}, ["Visita"]),
        ({"to": "bor@example.org", "language": "bg"}, []),
    ],
)
async def test_search_and_filters_narrow_the_list(
    inbox: httpx.AsyncClient, send: Send, query: dict[str, str], found: list[str]
) -> None:
    await send("ana@example.org", "Учебно посещение", Content_Language="bg")
    await send("bor@example.org", "Visita", Content_Language="it")

    page = await inbox.get("/inbox/", params=query)

    assert subjects(page) == found
    assert ("No letter matches" in page.text) is (not found)


async def test_older_letters_are_on_the_next_page_with_the_filter_kept(
    inbox: httpx.AsyncClient, send: Send
) -> None:
    for number in range(PAGE_SIZE + 2):
        await send("ana@example.org", f"Letter {number}")

    first = await inbox.get("/inbox/", params={"q": "letter"})
    [older] = {link for link in addresses(first) if "page=2" in link}
    second = await inbox.get(older)

    assert len(subjects(first)) == PAGE_SIZE
    assert subjects(second) == ["Letter 1", "Letter 0"]


async def test_every_link_stays_below_the_mount_and_works(
    inbox: httpx.AsyncClient, send: Send, listener: Listener
) -> None:
    await send("ana@example.org", "One", html="<p>Hello", **one_click(listener.url))
    seen, waiting = set(), ["/inbox/"]

    while waiting:
        path = waiting.pop().partition("#")[0]
        if not path.startswith("/inbox") or path in seen or path.endswith("/unsubscribe"):
            assert path.startswith("/inbox/") or path in {"", "/", "data:,"}
            continue
        seen.add(path)
        answer = await inbox.get(path)
        assert answer.status_code == 200, path
        if "/assets/" not in path and "body.html" not in path:
            waiting += addresses(answer)

    assert {"/inbox/1?tab=source&width=desktop&scheme=light", "/inbox/1/source.eml"} <= seen


async def test_pausing_stops_the_script_and_the_refresh(inbox: httpx.AsyncClient) -> None:
    live, paused = await inbox.get("/inbox/"), await inbox.get("/inbox/", params={"live": "off"})

    assert "inbox.js" in live.text
    assert '<noscript><meta http-equiv="refresh"' in live.text
    assert "inbox.js" not in paused.text
    assert 'http-equiv="refresh"' not in paused.text


async def test_the_letter_is_framed_without_rights(inbox: httpx.AsyncClient, send: Send) -> None:
    await send(
        "ana@example.org", html="<html><head></head><body><script>alert(1)</script><a href='/x'>Go</a>"
    )

    page, body = await inbox.get("/inbox/1"), await inbox.get("/inbox/1/body.html")

    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page.text
    assert "alert(1)" not in page.text
    assert '<base target="_blank">' in body.text
    assert body.headers["content-security-policy"].startswith("sandbox allow-popups")
    assert "script" not in body.headers["content-security-policy"]


async def test_the_tabs_show_text_source_and_headers(inbox: httpx.AsyncClient, send: Send) -> None:
    await send("ana@example.org", "Žiga", text="Plain words", html="<p>Rich words", List_Id="<news.example>")

    text = await inbox.get("/inbox/1", params={"tab": "text"})
    source = await inbox.get("/inbox/1", params={"tab": "source"})
    headers = await inbox.get("/inbox/1", params={"tab": "headers"})

    assert "Plain words" in text.text
    assert "Rich words" not in text.text
    assert "=?utf-8?" in source.text
    assert '<th scope="row">List-Id</th><td>&lt;news.example&gt;</td>' in headers.text


async def test_a_letter_without_html_shows_its_text(inbox: httpx.AsyncClient, send: Send) -> None:
    await send("ana@example.org", text="Only words")

    page = await inbox.get("/inbox/1")

    assert "Only words" in page.text
    assert "<iframe" not in page.text


async def test_the_phone_in_the_dark_is_a_link_away(inbox: httpx.AsyncClient, send: Send) -> None:
    await send("ana@example.org", html="<p>Hello")

    page = await inbox.get("/inbox/1", params={"width": "phone", "scheme": "dark"})

    assert 'class="stage phone dark"' in page.text
    assert "/inbox/1/body.html?scheme=dark" in addresses(page)


async def test_the_source_downloads_as_it_came(inbox: httpx.AsyncClient, send: Send, relay: Relay) -> None:
    await send("ana@example.org")

    download = await inbox.get("/inbox/1/source.eml")

    assert download.content == relay.letters[0].raw
    assert download.headers["content-type"] == "message/rfc822"
    assert download.headers["content-disposition"] == 'attachment; filename="letter-1.eml"'


async def test_a_letter_that_is_not_kept_has_a_page_that_says_so(inbox: httpx.AsyncClient) -> None:
    for path in ("7", "7/body.html", "7/source.eml", "7/attachments/1"):
        page = await inbox.get(f"/inbox/{path}")
        assert page.status_code == 404
        assert "This letter is not here" in page.text


def one_click(url: str) -> dict[str, str]:
    return {"List_Unsubscribe": f"<{url}/u/1>", "List_Unsubscribe_Post": "List-Unsubscribe=One-Click"}


async def test_the_button_unsubscribes_and_shows_the_answer(
    inbox: httpx.AsyncClient, send: Send, listener: Listener
) -> None:
    await send("ana@example.org", html="<p>Hello", **one_click(listener.url))
    assert "/inbox/1/unsubscribe" in addresses(await inbox.get("/inbox/1"))

    page = await inbox.post("/inbox/1/unsubscribe")

    assert listener.requests[0].startswith("POST /u/1 ")
    assert "The server accepted the unsubscription" in page.text
    assert "<strong>200</strong>" in page.text


async def test_a_redirecting_server_is_shown_as_a_failure(
    inbox: httpx.AsyncClient, send: Send, listener: Listener
) -> None:
    listener.answer = "HTTP/1.1 303 See Other\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n"
    await send("ana@example.org", **one_click(listener.url))

    page = await inbox.post("/inbox/1/unsubscribe")

    assert "A mail program would call this a failure" in page.text
    assert "<code>/login</code>" in page.text


async def test_without_one_click_there_is_no_button_and_no_post(inbox: httpx.AsyncClient, send: Send) -> None:
    await send("ana@example.org", List_Unsubscribe="<https://example.org/u>")

    assert "Unsubscribe as" not in (await inbox.get("/inbox/1")).text
    assert (await inbox.post("/inbox/1/unsubscribe")).status_code == 404


async def test_looking_never_unsubscribes(inbox: httpx.AsyncClient, send: Send, listener: Listener) -> None:
    await send("ana@example.org", html="<p>Hello", **one_click(listener.url))

    for path in ("1", "1/body.html", "1/source.eml", "1?tab=headers"):
        await inbox.get(f"/inbox/{path}")

    assert (await inbox.get("/inbox/1/unsubscribe")).status_code == 405
    assert listener.requests == []


async def test_programs_read_the_letters_of_one_address(inbox: httpx.AsyncClient, send: Send) -> None:
    await send("ana@example.org", "One", Content_Language="sl", Message_ID="<1@intra.example>")
    await send("bor@example.org", "Two")

    told = (await inbox.get("/inbox/api/letters", params={"to": "ana@example.org"})).json()

    [letter] = told["letters"]
    assert told["received"] == 2
    assert letter["received_at"].endswith("Z")
    assert letter["size"] > 0
    assert {
        name: letter[name] for name in ("id", "from", "to", "subject", "language", "message_id", "url")
    } == {
        "id": 1,
        "from": "bounce@intra.example",
        "to": ["ana@example.org"],
        "subject": "One",
        "language": "sl",
        "message_id": "<1@intra.example>",
        "url": "/inbox/1",
    }


async def test_an_attachment_downloads_and_never_opens(
    inbox: httpx.AsyncClient, relay: Relay, write: Callable[..., EmailMessage]
) -> None:
    letter = write()
    letter.add_attachment(b"<script>", maintype="text", subtype="html", filename="event.ics")
    await aiosmtplib.send(
        letter, sender="a@example.org", recipients=["b@example.org"], hostname=relay.host, port=relay.port
    )

    download = await inbox.get("/inbox/1/attachments/1")

    assert "event.ics" in (await inbox.get("/inbox/1")).text
    assert download.content.strip() == b"<script>"
    assert download.headers["content-type"] == "application/octet-stream"
    assert download.headers["content-disposition"].startswith("attachment")
    assert (await inbox.get("/inbox/1/attachments/2")).status_code == 404
