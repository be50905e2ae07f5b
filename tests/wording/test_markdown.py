"""Markdown becomes clean HTML and readable text; nothing in it can run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wording import markdown


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        "![x](data:text/html;base64,PHNjcmlwdD4=)",
        '<a href="x" onclick="alert(1)">x</a>',
        "<img src=x onerror=alert(1)>",
    ],
)
def test_what_could_run_is_taken_out(hostile: str) -> None:
    html = markdown.to_html(hostile)
    for mark in ("<script", 'href="javascript', 'src="data', "<img src=x", '<a href="x" onclick'):
        assert mark not in html


@given(st.text(max_size=300))
def test_any_text_becomes_html_without_script(text: str) -> None:
    assert "<script" not in markdown.to_html(text).lower()
    assert isinstance(markdown.to_text(text), str)


def test_text_keeps_words_lists_and_addresses() -> None:
    source = "# Title\n\nSee [the site](https://example.org/a).\n\n1. one\n2. two\n\n- **bold**"
    told = markdown.to_text(source)
    assert "the site (https://example.org/a)" in told
    assert "1. one" in told
    assert "- bold" in told


def test_under_a_heading_no_text_has_another_of_the_first_level() -> None:
    assert markdown.to_html_under_heading("# One\n\n## Two") == "<h2>One</h2>\n<h2>Two</h2>"
