"""The bytes that travel: headers mail programs need, parts that parse back, settings that are checked."""

from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.errors import Invalid
from domain.languages import Language
from mailer import messages
from mailer.envelopes import Envelope
from mailer.mail_settings import MailSettings
from mailer.messages import Content, Stationery

MOMENT = datetime.fromisoformat("2026-11-24T09:00:00+00:00")


def _newsletter(stationery: Stationery, recipient: str = "ana@example.org", **changes: Any) -> Envelope:
    content = Content(**{"subject": "News", "html": "<p>Hi</p>", "text": "Hi", "language": "en"} | changes)
    return messages.newsletter(
        stationery, content, recipient, message_id="abc", token="7-" + "f" * 32, now=MOMENT
    )


def _parsed(envelope: Envelope) -> EmailMessage:
    return message_from_bytes(envelope.content, policy=policy.default)


def test_a_newsletter_carries_what_bulk_mail_must_on_one_raw_line_each(stationery: Stationery) -> None:
    envelope = _newsletter(stationery)
    lines = envelope.content.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    token, by_mail = "7-" + "f" * 32, "<mailto:hello@example.org?subject=unsubscribe>"
    for line in (
        f"List-Unsubscribe: <https://intra.example.org/unsubscribe/{token}>, {by_mail}",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        "List-Id: <newsletter.example.org>",
        "List-Archive: <https://intra.example.org/archive>",
        "List-Owner: <mailto:hello@example.org>",
        "List-Help: <mailto:hello@example.org?subject=help>",
        "Message-ID: <abc@example.org>",
        'From: "INTRA" <news@example.org>',
        "Reply-To: hello@example.org",
        "To: ana@example.org",
    ):
        assert line in lines
    assert not any(line.startswith("Auto-Submitted") for line in lines)
    messages.verify(envelope)


def test_a_notice_says_that_it_was_generated_and_is_no_list_mail(stationery: Stationery) -> None:
    content = Content("Confirm", "<p>Hi</p>", "Hi", Language.ENGLISH)
    parsed = _parsed(messages.notice(stationery, content, "a@example.org", message_id="n", now=MOMENT))
    assert parsed["Auto-Submitted"] == "auto-generated"
    assert not [name for name in parsed if name.startswith("List-")]


_bodies = st.text(alphabet=st.characters(exclude_categories=["Cs"]))


@given(html=_bodies, text=_bodies)
def test_the_parts_parse_back_to_what_was_rendered(stationery: Stationery, html: str, text: str) -> None:
    envelope = _newsletter(stationery, html=html, text=text)
    messages.verify(envelope)
    assert envelope.content.isascii()
    assert envelope.content.replace(b"\r\n", b"").find(b"\n") == -1
    plain, rich = _parsed(envelope).iter_parts()
    for part, written in ((plain, text), (rich, html)):
        arrived = part.get_payload(decode=True)
        assert isinstance(arrived, bytes)
        lines = written.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        assert arrived.decode().split("\r\n") == lines


@given(subject=st.text(max_size=300))
def test_a_subject_arrives_as_written_or_is_refused(stationery: Stationery, subject: str) -> None:
    try:
        envelope = _newsletter(stationery, subject=subject)
    except Invalid:
        return
    messages.verify(envelope)
    assert _parsed(envelope)["Subject"] == subject.strip()
    assert _parsed(envelope).get_all("To") == ["ana@example.org"]


def test_an_added_header_is_noticed(stationery: Stationery) -> None:
    envelope = _newsletter(stationery)
    forged = [(name, value.replace("abc", "abc\r\nSubject: second")) for name, value in envelope.lines]
    with pytest.raises(Invalid, match="headers"):
        messages.verify(envelope._replace(lines=forged))


def test_a_line_that_is_too_long_is_refused(stationery: Stationery) -> None:
    content = Content("News", "", "", Language.ENGLISH)
    with pytest.raises(Invalid, match="longer than 998"):
        messages.newsletter(stationery, content, "a@example.org", message_id="a", token="x" * 999, now=MOMENT)


def test_a_non_ascii_local_part_needs_smtputf8_and_an_idn_alone_does_not(stationery: Stationery) -> None:
    assert _newsletter(stationery, "žiga@example.org").international
    assert not _newsletter(stationery, "ziga@xn--ebela-gya.example").international


@pytest.mark.parametrize(
    ("sender", "cure"),
    [
        ("INTRA", "write INTRA <news@example.org>"),
        ("INTRA <news@>", "write INTRA"),
        ("A\r\nBcc: b@example.org <news@example.org>", "one line"),
        ("INTRA <žiga@example.org>", "ASCII before the @"),
    ],
)
def test_a_sender_that_is_no_mailbox_is_refused(sender: str, cure: str) -> None:
    with pytest.raises(ValidationError, match=cure):
        MailSettings(sender=sender, postal_address="Street 1")


def test_a_blank_postal_address_is_refused() -> None:
    with pytest.raises(ValidationError, match="street"):
        MailSettings(sender="a@example.org", postal_address=" ")


def test_a_bare_sender_has_no_name_and_answers_go_to_it() -> None:
    mail = MailSettings(sender="news@example.org", postal_address="Street 1")
    assert (mail.sender_name, mail.contact, mail.domain) == ("", "news@example.org", "example.org")
