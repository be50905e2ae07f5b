"""Markdown into Telegram's HTML, and long texts in parts, judged by the stand-in's strict parser."""

import re

from hypothesis import given
from hypothesis import strategies as st

from bot import markup
from demo.telegram.entities import parse_html

WORDS = st.text(st.sampled_from("ab <>&*_[]()`#-\n1.|!😀ж\"'"), max_size=300)


def test_what_telegram_knows_stays_and_the_rest_becomes_text() -> None:
    html = markup.from_markdown("# Title\n\nA **b** *c* <script>x</script>\n\n- one\n- two\n\n1. first")
    assert (
        html
        == "<b>Title</b>\n\nA <b>b</b> <i>c</i> &lt;script&gt;x&lt;/script&gt;\n\n• one\n• two\n\n1. first"
    )


def test_only_links_that_telegram_opens_are_links() -> None:
    html = markup.from_markdown(
        "[web](https://example.org/?a=1&b=2) [run](javascript:alert(1)) [post](mailto:a@example.org)"
    )
    assert re.findall(r"<a href=\"(.*?)\">", html) == ["https://example.org/?a=1&amp;b=2"]


def test_a_table_becomes_lines() -> None:
    html = markup.from_markdown("| a | b |\n| --- | --- |\n| 1 | 2 |")
    assert html == "<b>a</b> · <b>b</b>\n1 · 2"


@given(WORDS)
def test_whatever_markdown_says_telegram_takes_it(text: str) -> None:
    for part in markup.split(markup.from_markdown(text)):
        assert parse_html(part).trimmed().text


@given(WORDS, st.integers(min_value=10, max_value=60))
def test_parts_keep_every_word_and_no_part_is_too_long(text: str, limit: int) -> None:
    html = markup.from_markdown(text)
    parts = [parse_html(part) for part in markup.split(html, limit)]
    assert all(0 < part.length <= limit for part in parts)
    whole, together = parse_html(html).text, "".join(part.text for part in parts)
    assert "".join(whole.split()) == "".join(together.split())


def test_a_cut_inside_a_tag_closes_and_opens_it_again() -> None:
    first, second = markup.split("<b>" + "word " * 10 + '</b><a href="https://example.org">link</a>', 30)
    assert re.fullmatch(r"<b>(word ?)+</b>", first)
    assert re.fullmatch(r'<b>(word ?)+</b><a href="https://example.org">link</a>', second)


def test_the_limit_counts_what_telegram_counts() -> None:
    assert markup.length_of("a😀&") == 4
    [whole] = markup.split("&amp;" * 4096)
    assert parse_html(whole).length == 4096
    assert len(markup.split("😀" * 2049)) == 2


def test_a_text_is_cut_between_paragraphs_where_it_can_be() -> None:
    paragraph = "word " * 30
    assert markup.split(f"{paragraph}\n\n{paragraph}", 250) == [paragraph.strip(), paragraph.strip()]
