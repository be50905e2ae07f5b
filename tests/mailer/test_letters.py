"""Letters: compiled once, filled in per reader, and safe whatever either of them holds."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape

from domain.campaigns import Text
from domain.errors import Invalid
from domain.languages import Language
from domain.projects import Project
from mailer import letters
from mailer.letters import Letter, PersonalLetter
from mailer.messages import Content, Stationery
from tests.mailer.offices import example_project
from wording import readers
from wording.readers import SAMPLE, Reader

LINKS = readers.LINKS


def _compile(stationery: Stationery, project: Project, body: str, subject: str = "News") -> Letter:
    text = Text(subject, "In short, {{ subscriber.first_name }}", body)
    return letters.compile_letter(stationery, project, Language.ENGLISH, text, template="newsletter")


def _render(
    stationery: Stationery, project: Project, body: str, reader: Reader = SAMPLE, subject: str = "News"
) -> Content:
    letter = PersonalLetter(_compile(stationery, project, body, subject), Language.ENGLISH)
    addresses = {link: f"https://example.org/{link}?a=1&b=2" for link in LINKS}
    return letter.render(readers.values(reader, project, stationery.service, addresses))


@pytest.mark.parametrize("language", list(Language))
def test_the_newsletter_is_complete_in_every_language(
    stationery: Stationery, project: Project, language: Language
) -> None:
    text = Text("Naslov", "Na kratko", "# Uvod\n\nBesedilo")
    letter = letters.compile_letter(stationery, project, language, text, template="newsletter")
    html = letter.html
    assert f'<html lang="{language}"' in html
    assert "Na kratko" in html.partition("Naslov</h1>")[0]
    assert html.count("<h1") == 1
    for part in (html, letter.text):
        assert project.funding_statement[language] in part
        assert project.disclaimer[language] in part
        assert project.title[language] in part
        assert "Example Agency" in part
        assert "Example Street 1, Maribor" in part
        for link in ("unsubscribe_url", "preferences_url", "archive_url"):
            assert f"{{{{ {link} }}}}" in part
    assert "@media (prefers-color-scheme: dark)" in html
    assert '<meta name="color-scheme" content="light dark"' in html
    assert html.count("<table") == html.count('role="presentation"') - html.count(
        '<td align="center" bgcolor'
    )


def test_personal_nodes_reach_every_part(stationery: Stationery, project: Project) -> None:
    body = (
        "Dear {{ subscriber.first_name or 'reader' }},\n\n"
        "{% if subscriber.country == 'SI' %}\n\n## Lepo\n\n{% else %}\n\n## Nice\n\n{% endif %}\n\n"
        "[leave]({{ unsubscribe_url }}) {{ project.name }}"
    )
    content = _render(stationery, project, body, subject="For {{ subscriber.name }}")
    assert content.subject == "For Ana Example"
    for part in (content.html, content.text):
        assert "Dear Ana," in part
        assert "Lepo" in part
        assert "Nice" not in part
        assert "In short, Ana" in content.html
    assert '<a href="https://example.org/unsubscribe_url?a=1&amp;b=2"' in content.html
    assert "leave (https://example.org/unsubscribe_url?a=1&b=2) INTRA" in content.text
    assert not re.search(r"<p[^>]*>\s*</p>", content.html)


def test_the_other_branch_stands_for_other_readers(stationery: Stationery, project: Project) -> None:
    body = "{% if subscriber.organisation %}At {{ subscriber.organisation }}{% else %}Hello{% endif %}"
    nobody = SAMPLE._replace(organisation="")
    assert "At Example Institute" in _render(stationery, project, body).text
    assert "Hello" in _render(stationery, project, body, nobody).text


_hostile = st.text(
    alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), max_size=60
)


@given(
    name=_hostile | st.sampled_from(["<script>alert(1)</script>", "{{ 7*7 }}", "{% raw %}", '" onload="x'])
)
def test_a_hostile_name_is_words_and_nothing_more(stationery: Stationery, name: str) -> None:
    reader = SAMPLE._replace(name=name)
    content = _render(stationery, example_project(), "Dear {{ subscriber.name }}!", reader)
    assert f"Dear {escape(name)}!" in content.html
    assert f"Dear {name}!" in content.text


@given(body=st.text(alphabet="ab {}%#'\"<>&\n*_[]()!-`|.:/zq0x1", max_size=80))
def test_any_body_is_refused_or_renders_without_a_trace_of_placeholders(
    stationery: Stationery, body: str
) -> None:
    try:
        content = _render(stationery, example_project(), body)
    except Invalid:
        return
    assert "letterbodyslot" not in content.html
    assert "<script" not in content.html


def test_a_body_that_looks_like_a_placeholder_stays_what_it_is(
    stationery: Stationery, project: Project
) -> None:
    content = _render(stationery, project, "zq0x and zqq1x, {{ subscriber.first_name }}")
    assert "zq0x and zqq1x, Ana" in content.text


def test_script_in_markdown_does_not_become_html(stationery: Stationery, project: Project) -> None:
    content = _render(stationery, project, "<script>alert(1)</script> [x](javascript:alert(1)) **bold**")
    assert "<script" not in content.html
    assert 'href="javascript' not in content.html
    assert "bold</strong>" in content.html


@pytest.mark.parametrize(
    "link",
    [
        "{{ subscriber.name }}",
        "java{{ subscriber.name }}",
        "/{{ subscriber.name }}",
        "{{ subscriber.name or unsubscribe_url }}",
    ],
)
def test_a_reader_cannot_decide_where_a_link_leads(
    stationery: Stationery, project: Project, link: str
) -> None:
    with pytest.raises(Invalid, match="body:3: a link begins with https://"):
        _compile(stationery, project, f"Hi\n\n[x](<{link}>)")


def test_a_fixed_address_may_carry_a_value(stationery: Stationery, project: Project) -> None:
    content = _render(stationery, project, "[x](https://example.org/{{ subscriber.language }})")
    assert 'href="https://example.org/en"' in content.html


def test_the_sheet_s_rules_stand_at_the_elements(stationery: Stationery, project: Project) -> None:
    html = _compile(stationery, project, "## Part\n\nWords").html
    assert re.search(r'<h2 style="[^"]*font-size: 20px', html)
    assert re.search(r'<p style="[^"]*margin: 0 0 16px', html)


def test_parts_can_be_kept_and_opened_again(stationery: Stationery, project: Project) -> None:
    letter = _compile(stationery, project, "Hi")
    assert Letter(**letter.as_parts()) == letter


def test_an_unknown_field_in_a_frozen_letter_is_named() -> None:
    letter = PersonalLetter(Letter("{{ oops }}", "", "", ""), Language.ENGLISH)
    with pytest.raises(Invalid, match="oops"):
        letter.render({})
