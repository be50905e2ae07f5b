"""Notice letters: complete in six languages, with the right links, whoever asked for them."""

from datetime import datetime
from email import message_from_bytes, policy
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.languages import Language
from domain.notices import Kind, Notice
from domain.projects import Project
from mailer import notice_letters
from mailer.messages import Stationery
from tests.mailer.offices import example_project

MOMENT = datetime.fromisoformat("2026-11-24T09:00:00+00:00")
PAYLOADS: dict[Kind, dict[str, Any]] = {
    Kind.CONFIRM: {"secret": "s3cret", "name": "Ana", "by_chat": True},
    Kind.WELCOME: {"name": "Ana", "subscriber_id": 7},
    Kind.PREFERENCES: {"secret": "s3cret", "name": "Ana"},
    Kind.QUESTION: {
        "question_id": 3,
        "text": "Quem é o parceiro líder?",
        "language": "pt",
        "asked_at": "2026-11-24T09:00:00+00:00",
    },
}


class _Words(HTMLParser):
    """Collects the tags and the words that a mail program would show."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words = ""

    def handle_starttag(self, tag: str, _attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.words += data


def _shown(html: str) -> _Words:
    words = _Words()
    words.feed(html)
    return words


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("kind", list(Kind))
def test_every_letter_is_complete_in_every_language(
    stationery: Stationery, project: Project, kind: Kind, language: Language
) -> None:
    content = notice_letters.render(stationery, project, kind, language, PAYLOADS[kind])
    assert content.subject.strip() == content.subject != ""
    assert f'<html lang="{language}"' in content.html
    assert content.html.count("<h1") == 1
    assert "@media (prefers-color-scheme: dark)" in content.html
    for part in (content.html, content.text):
        assert project.funding_statement[language] in part
        assert "Example Street 1, Maribor" in part
    preview = content.html.partition("display:none")[2].partition(">")[2].partition("&")[0]
    assert len(preview) > 10


@pytest.mark.parametrize(
    ("kind", "link"),
    [
        (Kind.CONFIRM, "https://intra.example.org/confirm/s3cret?language=sl"),
        (Kind.PREFERENCES, "https://intra.example.org/preferences/s3cret?language=sl"),
    ],
)
def test_the_link_stands_in_both_parts(
    stationery: Stationery, project: Project, kind: Kind, link: str
) -> None:
    content = notice_letters.render(stationery, project, kind, Language.SLOVENIAN, PAYLOADS[kind])
    assert f'href="{link}"' in content.html
    assert link in content.text


def test_the_welcome_says_how_to_leave(stationery: Stationery, project: Project) -> None:
    content = notice_letters.render(
        stationery, project, Kind.WELCOME, Language.ENGLISH, PAYLOADS[Kind.WELCOME]
    )
    token = stationery.service.keyring.sign_unsubscribe(7)
    for part in (content.html, content.text):
        assert f"https://intra.example.org/unsubscribe/{token}?language=en" in part
        assert "https://intra.example.org/preferences?language=en" in part


def test_the_team_reads_what_was_asked_when_and_in_which_language(
    stationery: Stationery, project: Project
) -> None:
    content = notice_letters.render(
        stationery, project, Kind.QUESTION, Language.ENGLISH, PAYLOADS[Kind.QUESTION]
    )
    for part in (content.html, content.text):
        assert "Quem é o parceiro líder?" in part
        assert "Português" in part
        assert "24 November 2026, 10:00 (Europe/Brussels)" in part


def test_a_letter_can_be_written_before_the_project_is_known(stationery: Stationery) -> None:
    content = notice_letters.render(stationery, None, Kind.CONFIRM, Language.ENGLISH, PAYLOADS[Kind.CONFIRM])
    assert "the INTRA newsletter" in content.text


@pytest.mark.parametrize(
    "hostile", ["<b>bold</b>", "<script>alert(1)</script>", "]]>", "</mj-text>", "{{ 7*7 }}", "&amp;", "<!--"]
)
def test_a_name_or_question_is_shown_as_words(stationery: Stationery, project: Project, hostile: str) -> None:
    for kind, key in ((Kind.CONFIRM, "name"), (Kind.QUESTION, "text")):
        payload = PAYLOADS[kind] | {key: hostile}
        plain = notice_letters.render(stationery, project, kind, Language.ENGLISH, PAYLOADS[kind])
        content = notice_letters.render(stationery, project, kind, Language.ENGLISH, payload)
        assert _shown(content.html).tags == _shown(plain.html).tags
        assert hostile in _shown(content.html).words
        assert hostile in content.text


@given(name=st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=80))
def test_whatever_a_stranger_calls_themselves_the_letter_can_be_sent(
    stationery: Stationery, name: str
) -> None:
    notice = Notice(
        id=5,
        kind=Kind.CONFIRM,
        email="a@example.org",
        language=Language.ENGLISH,
        payload=PAYLOADS[Kind.CONFIRM] | {"name": name},
        created_at=MOMENT,
        due_at=MOMENT,
    )
    envelope = notice_letters.compose(stationery, example_project(), notice, MOMENT)
    parsed = message_from_bytes(envelope.content, policy=policy.default)
    assert parsed["Subject"] == "Please confirm: the INTRA newsletter"
    assert parsed["Auto-Submitted"] == "auto-generated"
