"""What the inbox reads from a letter's bytes, broken ones included."""

from datetime import UTC, datetime

import pytest

from demo.mail.letters import Letter


def letter_of(raw: bytes) -> Letter:
    return Letter(1, "a@example.org", ("b@example.org",), raw, datetime(2026, 5, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("raw", "language"),
    [
        (b"Content-Language: PT-pt\r\n\r\nx", "pt"),
        (b'Subject: x\r\n\r\n<!doctype html><html class="x" lang="bg"><body>', "bg"),
        (b'Subject: x\r\n\r\n<html lang=3D"sl">', "sl"),
        (b"Subject: x\r\n\r\n<p lang='it'>", ""),
    ],
)
def test_the_language_comes_from_the_header_or_the_html(raw: bytes, language: str) -> None:
    assert letter_of(raw).language == language


def test_an_encoded_subject_is_read_and_its_source_kept() -> None:
    letter = letter_of(b"Subject: =?utf-8?q?=C5=BDiga?=\r\n\r\nx")

    assert letter.subject == "Žiga"
    assert letter.all_headers() == [("Subject", "=?utf-8?q?=C5=BDiga?=")]


def test_bytes_that_are_no_letter_still_show() -> None:
    letter = letter_of(b"\xff\xfe no headers at all")

    assert (letter.subject, letter.html, letter.one_click_url) == ("", "", None)
    assert "no headers" in letter.text


def test_a_charset_nobody_knows_does_not_hide_the_text() -> None:
    letter = letter_of(b"Content-Type: text/plain; charset=klingon\r\n\r\nreadable")

    assert "readable" in letter.text


def test_an_inline_picture_takes_its_place_in_the_html() -> None:
    raw = (
        b'Content-Type: multipart/related; boundary="b"\r\n\r\n'
        b'--b\r\nContent-Type: text/html\r\n\r\n<img src="cid:logo" alt="">\r\n'
        b"--b\r\nContent-Type: image/png\r\nContent-ID: <logo>\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--b--\r\n"
    )

    assert '<img src="data:image/png;base64,AAAA" alt="">' in letter_of(raw).html


POST = b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"


@pytest.mark.parametrize(
    ("headers", "url"),
    [
        (
            POST + b"List-Unsubscribe: <mailto:x@example.org>,\r\n <https://example.org/u/\r\n 1>\r\n",
            "https://example.org/u/1",
        ),
        (POST + b"List-Unsubscribe: <http://localhost/u>\r\n", "http://localhost/u"),
        (b"List-Unsubscribe: <https://example.org/u>\r\n", None),
        (POST + b"List-Unsubscribe: <mailto:x@example.org>\r\n", None),
        (POST + b"List-Unsubscribe: =?utf-8?q?=3Chttps=3A//example=2Eorg/u=3E?=\r\n", None),
        (POST + b"List-Unsubscribe: <javascript:alert(1)>\r\n", None),
    ],
)
def test_one_click_needs_both_headers_bare_and_a_web_address(headers: bytes, url: str | None) -> None:
    assert letter_of(headers + b"\r\nx").one_click_url == url
