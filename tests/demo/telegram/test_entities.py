"""HTML as strict as Telegram's own parser; expected answers are those of its published tests."""

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.telegram.detections import detect
from demo.telegram.entities import TYPES, parse_html
from demo.telegram.errors import RefusedError
from demo.telegram.rendering import render
from demo.telegram.texts import Entity, FormattedText, length_of

SIGN = "🏟 🏟&lt;"


def found(text: str) -> list[tuple[str, int, int]]:
    return [(entity.type, entity.offset, entity.length) for entity in parse_html(text).entities]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"{SIGN}<abacaba", "Unclosed start tag at byte offset 13"),
        (f"{SIGN}<abac aba>", 'Unsupported start tag "abac" at byte offset 13'),
        (f"{SIGN}<abac>", 'Unsupported start tag "abac" at byte offset 13'),
        ("a<br>b", 'Unsupported start tag "br" at byte offset 1'),
        ("1 < 2 and 3 > 2", 'Unsupported start tag "" at byte offset 2'),
        (f"{SIGN}<i   =aba>", 'Empty attribute name in the tag "i" at byte offset 13'),
        (
            f"{SIGN}<i    aba>",
            'Expected equal sign in declaration of an attribute of the tag "i" at byte offset 13',
        ),
        (f"{SIGN}<i    aba  =  ", 'Unclosed start tag "i" at byte offset 13'),
        (f"{SIGN}<i    aba  =  190azAz-.,", "Unexpected end of name token at byte offset 27"),
        (f'{SIGN}<i    aba  =  "&lt;&gt;&quot;>', "Unclosed start tag at byte offset 13"),
        (f"{SIGN}</", "Unexpected end tag at byte offset 13"),
        (f"{SIGN}<b></b></", "Unexpected end tag at byte offset 20"),
        (f"{SIGN}<i>a</i   ", "Unclosed end tag at byte offset 17"),
        (f"{SIGN}<i>a</em   >", 'Unmatched end tag at byte offset 17, expected "</i>", found "</em>"'),
        ("<b><i>x</i>", 'Can\'t find end tag corresponding to start tag "b"'),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        (
            "&#xDFDF;",
            (
                "Text contains invalid Unicode characters after decoding HTML entities, "
                "check for unmatched surrogate code units"
            ),
        ),
    ],
)
def test_broken_html_is_refused_in_telegrams_words(text: str, reason: str) -> None:
    with pytest.raises(RefusedError) as refusal:
        parse_html(text)
    assert refusal.value.status == 400
    assert refusal.value.description == f"Bad Request: can't parse entities: {reason}"


def test_only_four_names_and_numbers_are_decoded() -> None:
    said = parse_html("&lt;&gt;&amp;&quot;&nbsp;&laquo;&#38;&#x42f;&#12345678;")
    assert said.text == '<>&"&nbsp;&laquo;&Я&#12345678;'


def test_offsets_count_utf_16_units() -> None:
    assert found("🏟 🏟<i>🏟 &lt🏟</i>") == [("italic", 5, 6)]
    assert found("🏟 🏟<i>🏟 &gt;<b aba   =   caba>&lt🏟</b></i>") == [("italic", 5, 7), ("bold", 9, 3)]


@pytest.mark.parametrize(("tag", "kind"), [(t, k) for t, k in TYPES.items() if t not in {"a", "span"}])
def test_every_allowed_tag_has_its_meaning(tag: str, kind: str) -> None:
    assert found(f"<{tag}>x</{tag}>") == [(kind, 0, 1)]


def test_empty_tags_leave_nothing_and_a_nameless_end_closes_the_last() -> None:
    assert found("x<b></b><i>y</>") == [("italic", 1, 1)]


def test_a_link_needs_an_address_that_works() -> None:
    assert parse_html('<a href="https://a.example/?x=1&amp;y=2">x</a>').entities[0].url == (
        "https://a.example/?x=1&y=2"
    )
    assert parse_html("<a>interreg.eu</a>").entities[0].url == "http://interreg.eu"
    assert found('<a href="javascript:alert(1)">x</a>') == []


def test_a_code_block_keeps_its_language() -> None:
    said = parse_html('<pre><code class="language-python">x</code></pre>')
    assert said.entities == (Entity("pre", 0, 1, language="python"),)


def test_spoilers_and_expandable_quotes_are_understood() -> None:
    assert found('<span class="tg-spoiler">x</span>') == [("spoiler", 0, 1)]
    assert found("<blockquote expandable>x</blockquote>") == [("blockquote", 0, 1)]


def test_white_space_around_a_message_goes_and_entities_move_with_it() -> None:
    said = parse_html(" \n<b> Hello </b> \n").trimmed()
    assert said == FormattedText("Hello", (Entity("bold", 0, 5),))


def test_addresses_and_commands_are_found_in_plain_text() -> None:
    said = detect(FormattedText("/start see https://a.example/b. or write to x@y.example, @intra_bot"))
    assert [(entity.type, entity.offset, entity.length) for entity in said.entities] == [
        ("bot_command", 0, 6),
        ("url", 11, 19),
        ("email", 44, 11),
        ("mention", 57, 10),
    ]


def test_nothing_is_found_inside_code() -> None:
    assert [entity.type for entity in detect(parse_html("<code>/start</code>")).entities] == ["code"]


def test_a_page_shows_entities_and_never_foreign_markup() -> None:
    said = parse_html('<b>1 &lt; <i>2</i></b> <a href="https://a.example/&quot;">x</a>&lt;script&gt;')
    assert render(said) == (
        "<strong>1 &lt; <em>2</em></strong> "
        '<a href="https://a.example/&quot;" target="_blank" rel="noopener noreferrer">x</a>&lt;script&gt;'
    )


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_escaped_text_always_comes_back_unchanged(text: str) -> None:
    assert parse_html(html.escape(text, quote=False)).text == text


PIECES = st.sampled_from(
    ["<b>", "</b>", "<a href='x.eu'>", "</a>", "</>", "&lt;", "&#1", "🏟", "ж", " ", "<", "<i"]
)


@given(st.lists(PIECES).map("".join))
def test_any_text_is_either_refused_or_well_measured(text: str) -> None:
    try:
        said = parse_html(text)
    except RefusedError:
        return
    assert all(0 <= entity.offset < entity.end <= length_of(said.text) for entity in said.entities)
    assert render(said).count("<strong>") == sum(entity.type == "bold" for entity in said.entities)
