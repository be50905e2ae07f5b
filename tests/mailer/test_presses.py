"""Presses: every printed copy, read by a mail program, is what the template says for that reader."""

import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import example, given, reject
from hypothesis import strategies as st

from domain.addressees import Addressee
from domain.campaigns import Text
from domain.errors import Invalid
from domain.helixes import HelixGroup
from domain.languages import Language
from domain.projects import Project
from mailer import letters
from mailer.issues import Issue
from mailer.letters import PersonalLetter
from mailer.messages import Stationery
from mailer.presses import FORMS
from tests.mailer.offices import example_project
from wording import readers

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
PLAIN = """\
.Dear {{ subscriber.first_name or "reader" }},

{% if subscriber.country == "SI" %}

## Lepo, {{ subscriber.name }}

{% elif subscriber.helix %}

## Nice, {{ subscriber.helix | upper }} 😀

{% else %}

.

{% endif %}

{{ subscriber.organisation | default("nobody") }}{{ subscriber.region }}{{ unsubscribe_url }}
[leave]({{ unsubscribe_url }}) [choose]({{ preferences_url }})
"""
BODIES = [
    PLAIN,
    "No field at all.\n\n.A dot",
    "{{ subscriber.name }}",
    "{{ unsubscribe_url | upper }} {{ unsubscribe_url }}",
    "{% if unsubscribe_url == subscriber.name %}same{% endif %}[leave]({{ unsubscribe_url }})",
    f"{{{{ subscriber.first_name }}}}{'é' * 400} {'.' * 200}",
]
SUBJECTS = ["News", "For {{ subscriber.first_name or 'you' }}", "{{ unsubscribe_url | default('x') }}"]
WORDS = st.one_of(
    st.sampled_from(["", "Ana", ".", "=?utf-8?q?x?=", "Žiga <b>&amp;", "a" * 300, "😀" * 40, "\r\n.\r\n"]),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=90),
)
PEOPLE = st.builds(
    Addressee,
    id=st.integers(1, 9**9),
    email=st.just("ana@example.org"),
    name=WORDS,
    organisation=WORDS,
    helix_group=st.sampled_from([None, *HelixGroup]),
    country=st.sampled_from([None, "SI", "PT"]),
    region=WORDS,
    language=st.sampled_from(Language),
)


def _issue(stationery: Stationery, project: Project, body: str, subject: str = "News") -> Issue:
    text = Text(subject, "In short, {{ subscriber.first_name }}", body)
    letter = letters.compile_letter(stationery, project, Language.ENGLISH, text, template="newsletter")
    return Issue(stationery, 1, project, PersonalLetter(letter, Language.ENGLISH))


def _address(issue: Issue, addressee: Addressee) -> bytes:
    """Return the message; a name that cannot stand in a subject is another test's."""
    try:
        return issue.address(addressee, NOW).content
    except Invalid:
        reject()


def _read(content: bytes) -> tuple[str, list[str]]:
    """Return the subject and both parts as a mail program sees them."""
    message = message_from_bytes(content, policy=policy.default)
    parts = [part for part in message.iter_parts() if isinstance(part, EmailMessage)]
    payloads = [part.get_payload(decode=True) for part in parts]
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]
    return message["Subject"], [payload.decode() for payload in payloads if isinstance(payload, bytes)]


def _with_line_ends(text: str) -> str:
    return re.sub(r"\r\n?|\n", "\r\n", text)


@given(
    body=st.sampled_from(BODIES),
    subject=st.sampled_from(SUBJECTS),
    people=st.lists(PEOPLE, min_size=2, max_size=4),
)
@example(
    body=PLAIN,
    subject="News",
    people=[Addressee(1, "a@b.example", name="Ana"), Addressee(2, "b@b.example", name="Ana")],
)
def test_what_arrives_is_what_the_template_says(
    stationery: Stationery, body: str, subject: str, people: list[Addressee]
) -> None:
    issue = _issue(stationery, example_project(), body, subject)
    for addressee in people:
        token = stationery.service.keyring.sign_unsubscribe(addressee.id)
        said = issue.fill_in(readers.reader_of(addressee), token)
        arrived, (plain, rich) = _read(_address(issue, addressee))
        assert arrived.split() == said.subject.split()
        assert (plain, rich) == (_with_line_ends(said.text), _with_line_ends(said.html))


def test_readers_who_share_their_values_get_links_of_their_own(stationery: Stationery) -> None:
    issue = _issue(stationery, example_project(), "Dear {{ subscriber.first_name }}")
    for number in range(FORMS * 2):
        addressee = Addressee(number, "ana@example.org", name=f"Ana{number % 3}")
        _, parts = _read(issue.address(addressee, NOW).content)
        token = stationery.service.keyring.sign_unsubscribe(number)
        for part in parts:
            assert f"/unsubscribe/{token}" in part
            assert part.count("/unsubscribe/") == part.count(token)
            assert f"Dear Ana{number % 3}" in part


def test_an_unknown_field_is_named_for_every_reader(stationery: Stationery, project: Project) -> None:
    letter = letters.Letter("{{ oops }}", "", "", "")
    issue = Issue(stationery, 1, project, PersonalLetter(letter, Language.ENGLISH))
    for number in (1, 2):
        with pytest.raises(Invalid, match="oops"):
            issue.address(Addressee(number, "ana@example.org"), NOW)
