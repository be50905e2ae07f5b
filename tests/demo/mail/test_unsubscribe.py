"""The one-click POST, seen from the server that receives it."""

from typing import Protocol

from demo.mail.unsubscribe import unsubscribe_one_click


class Listener(Protocol):
    requests: list[str]
    answer: str
    url: str


async def test_the_post_is_the_one_of_rfc_8058(listener: Listener) -> None:
    answer = await unsubscribe_one_click(f"{listener.url}/u/token?x=1")

    [request] = listener.requests
    assert request.startswith("POST /u/token?x=1 HTTP/1.1\r\n")
    assert request.endswith("\r\n\r\nList-Unsubscribe=One-Click")
    assert "content-type: application/x-www-form-urlencoded" in request.lower()
    assert "cookie:" not in request.lower()
    assert answer.accepted


async def test_a_redirect_is_a_failure_and_is_not_followed(listener: Listener) -> None:
    listener.answer = f"HTTP/1.1 302 Found\r\nLocation: {listener.url}/login\r\nContent-Length: 0\r\n\r\n"

    answer = await unsubscribe_one_click(f"{listener.url}/u")

    assert len(listener.requests) == 1
    assert (answer.status, answer.location, answer.accepted) == (302, f"{listener.url}/login", False)


async def test_an_html_answer_is_shown_as_its_words(listener: Listener) -> None:
    page = "<title>t</title><script>alert(1)</script><h1>Gone &amp;\n done</h1>"
    listener.answer = (
        f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(page)}\r\n\r\n{page}"
    )

    assert (await unsubscribe_one_click(listener.url)).text == "Gone & done"


async def test_a_server_that_is_not_there_is_an_answer_too(unused_tcp_port: int) -> None:
    answer = await unsubscribe_one_click(f"http://127.0.0.1:{unused_tcp_port}/u")

    assert (answer.status, answer.accepted) == (None, False)
    assert answer.problem
