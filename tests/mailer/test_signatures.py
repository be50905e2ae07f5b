"""Signatures: another implementation, dkimpy, accepts them, and refuses a letter that was changed."""

import asyncio
import re
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import dkim
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Problems
from domain.languages import Language
from mailer import messages, signatures, signing_keys
from mailer.envelopes import Envelope
from mailer.headers import words
from mailer.messages import Content, Stationery
from mailer.signatures import Headers, Signer, Signers, cover, hash_body
from mailer.signing_domains import DkimSettings, Kind

MOMENT = datetime(2026, 1, 2, 9, 0, tzinfo=UTC)
"""Past, for dkimpy looks at the machine's clock and refuses signatures from the future."""
RSA, ED25519 = signing_keys.generate(Kind.RSA), signing_keys.generate(Kind.ED25519)
KEYS = {"helix1": RSA, "helix2": ED25519}
RECORDS = {
    f"{selector}._domainkey.example.org.": signing_keys.record_of(key) for selector, key in KEYS.items()
}


def _section(selector: str) -> DkimSettings:
    return DkimSettings(domain="example.org", selector=selector, key=Path("unused.pem"))


SIGNERS = [Signer(_section(selector), key) for selector, key in KEYS.items()]


def _split(content: bytes) -> tuple[Headers, bytes]:
    head, _, body = content.partition(b"\r\n\r\n")
    fields = re.findall(r"^([^:\s]+): ((?:[^\r]|\r\n[ \t])*)", head.decode(), re.MULTILINE)
    return fields, body


def _signed(content: bytes, signers: Sequence[Signer] = SIGNERS) -> bytes:
    headers, body = _split(content)
    coverage = cover(headers, hash_body(body))
    return b"".join(signer.sign(coverage, MOMENT) for signer in signers) + content


def _verified(content: bytes, records: Mapping[str, str] = RECORDS) -> list[bool]:
    """Return for each signature whether dkimpy accepts it."""

    def look_up(name: bytes, timeout: int) -> str | None:
        return records.get(name.decode())

    def accepts(number: int) -> bool:
        try:
            return bool(dkim.DKIM(content, minkey=2048).verify(number, dnsfunc=look_up))
        except dkim.DKIMException:
            return False

    return [accepts(number) for number in range(content.count(b"DKIM-Signature: "))]


@pytest.fixture(scope="module")
def newsletter(stationery: Stationery) -> Envelope:
    subject = "Študijski obisk v Faru: kaj smo se naučili o vavčerjih za mala podjetja in inovacije"
    content = Content(subject, "<p>Živjo, Ana.</p>\n\n", "Živjo, Ana.  \n\n\n", Language.SLOVENIAN)
    return messages.newsletter(
        stationery, content, "ana@example.org", message_id="abc", token="7-" + "f" * 32, now=MOMENT
    )


@pytest.fixture(scope="module")
def notice(stationery: Stationery) -> Envelope:
    content = Content("Confirm", "<p>Hi</p>", "Hi", Language.ENGLISH)
    return messages.notice(stationery, content, "žiga@example.org", message_id="n", now=MOMENT)


def test_both_kinds_of_signatures_hold_over_our_letters(newsletter: Envelope, notice: Envelope) -> None:
    assert _verified(_signed(newsletter.content)) == [True, True]
    assert _verified(_signed(notice.content)) == [True, True]


def test_a_signature_by_another_key_does_not_hold(newsletter: Envelope) -> None:
    others = {name: signing_keys.record_of(signing_keys.generate(Kind.RSA)) for name in RECORDS}
    assert _verified(_signed(newsletter.content), others) == [False, False]


def test_what_a_signature_says_about_itself(newsletter: Envelope) -> None:
    signed = _signed(newsletter.content).decode()
    first, second = re.findall(r"DKIM-Signature: (?:[^\r]|\r\n )*", signed)
    for header, algorithm, selector in (first, "rsa-sha256", "helix1"), (second, "ed25519-sha256", "helix2"):
        flat = re.sub(r"\s+", "", header)
        assert (
            f"DKIM-Signature:v=1;a={algorithm};c=relaxed/simple;d=example.org;s={selector};t=1767344400;bh="
            in flat
        )
        assert max(map(len, header.split("\r\n"))) < 78


def test_a_signed_letter_has_one_header_more(newsletter: Envelope) -> None:
    signed = _signed(newsletter.content, SIGNERS[:1])
    signature = signed.removesuffix(newsletter.content).decode().removeprefix("DKIM-Signature: ")
    signature = signature.removesuffix("\r\n")
    messages.verify(newsletter._replace(lines=[("DKIM-Signature", signature), *newsletter.lines]))


def _names(headers: Headers) -> list[str]:
    return re.sub(r"\s+", "", cover(headers, "").names).removeprefix("h=").split(":")


def test_every_header_is_named_once_more_than_it_occurs(newsletter: Envelope, notice: Envelope) -> None:
    headers, _ = _split(newsletter.content)
    named = _names([*headers, ("Feedback-ID", "1:2:3"), ("X-Mailer", "none"), ("subject", "again")])
    assert (named.count("subject"), named.count("x-mailer")) == (3, 0)
    for name in {name.lower() for name, _ in headers} - {"subject"} | {"feedback-id"}:
        assert named.count(name) == 2, name
    assert _names(_split(notice.content)[0]).count("auto-submitted") == 2
    assert _names([]) == list(signatures.ALWAYS_NAMED)


@pytest.mark.parametrize(
    "added",
    [
        "Subject: You have won",
        "From: Bank <bank@example.net>",
        "Reply-To: thief@example.net",
        "To: others@example.net",
        "Cc: others@example.net",
        "Date: Fri, 02 Jan 2026 09:00:00 +0000",
        "Message-ID: <other@example.net>",
        "MIME-Version: 1.0",
        "Content-Type: text/html",
        "Content-Transfer-Encoding: base64",
        "List-Unsubscribe: <https://example.net/>",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        "LIST-ID: <other.example.net>",
        "Content-Language: en",
    ],
)
def test_a_header_put_in_on_the_way_breaks_the_signatures(newsletter: Envelope, added: str) -> None:
    signed = _signed(newsletter.content)
    assert _verified(f"{added}\r\n".encode() + signed) == [False, False]
    assert _verified(signed.replace(b"\r\n\r\n", f"\r\n{added}\r\n\r\n".encode(), 1)) == [False, False]


def test_a_notice_cannot_be_made_list_mail(notice: Envelope) -> None:
    added = b"List-Unsubscribe: <https://example.net/>\r\n"
    assert _verified(added + _signed(notice.content)) == [False, False]


@pytest.mark.parametrize("name", ["From", "To", "Subject", "List-Unsubscribe", "Message-ID", "Content-Type"])
def test_a_header_that_is_changed_or_lost_breaks_the_signatures(newsletter: Envelope, name: str) -> None:
    signed = _signed(newsletter.content)
    changed = re.sub(rf"^({name}: )".encode(), rb"\1X", signed, count=1, flags=re.MULTILINE)
    lost = re.sub(rf"^{name}: .*\r\n(?: .*\r\n)*".encode(), b"", signed, count=1, flags=re.MULTILINE)
    assert len(changed) > len(signed) > len(lost)
    assert (_verified(changed), _verified(lost)) == ([False, False], [False, False])


@pytest.mark.parametrize(
    ("old", "new"), [(b"Ana.", b"Ina."), (b"--\r\n", b"--\r\nMore\r\n"), (b"Ana", b"Ana ")]
)
def test_a_body_that_is_changed_breaks_the_signatures(newsletter: Envelope, old: bytes, new: bytes) -> None:
    signed = _signed(newsletter.content)
    head, separator, body = signed.rpartition(old)
    assert separator
    assert _verified(head + new + body) == [False, False]


def test_what_relays_do_on_the_way_breaks_nothing(newsletter: Envelope) -> None:
    signed = _signed(newsletter.content)
    received = b"Received: from a by b\r\nSender: relay@example.net\r\nX-Spam: no\r\n" + signed + b"\r\n\r\n"
    folded = received.replace(b"; boundary", b";\r\n\t boundary", 1).replace(b"Subject:", b"SUBJECT:  ", 1)
    assert len(folded) == len(received) + 5
    assert (_verified(received), _verified(folded)) == ([True, True], [True, True])


@pytest.mark.parametrize(
    ("body", "same"),
    [
        (b"", b"\r\n"),
        (b"a", b"a\r\n"),
        (b"a\r\n\r\n\r\n", b"a\r\n"),
        (b"\r\n\r\n", b""),
        (b"a\n\r\n", b"a\n\r\n"),
    ],
)
def test_empty_lines_at_the_end_do_not_count(body: bytes, same: bytes) -> None:
    assert hash_body(body) == hash_body(same)


def test_everything_else_in_a_body_counts() -> None:
    bodies = [b"", b"a\r\n", b" a\r\n", b"a \r\n", b"\r\na\r\n", b"a\n", b"a\r\n \r\n", b"a\r"]
    assert len({hash_body(body) for body in bodies}) == len(bodies)
    assert hash_body(b"") == "frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY="  # RFC 6376, 3.4.3


def test_headers_take_the_form_of_the_standards_example() -> None:
    assert cover([("Subject", "Y\t\r\n\tZ  ")], "").headers == b"subject:Y Z\r\n"  # RFC 6376, 3.4.5
    twice = cover([("To", "first"), ("From", "a"), ("TO", "last")], "").headers
    assert twice == b"from:a\r\nto:last\r\nto:first\r\n"


_pieces = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"], include_characters="\t"))
_values = st.lists(_pieces, min_size=1, max_size=5).map("\r\n ".join)
_encoded_words = st.binary(max_size=30).map(lambda octets: words(octets.decode("latin-1") + "č"))
_lines = st.binary(max_size=90).map(lambda line: line.replace(b"\r", b"=").replace(b"\n", b" "))
_bodies = st.builds(
    lambda lines, end: b"\r\n".join(lines) + b"\r\n" * end, st.lists(_lines), st.integers(0, 4)
)
_header_names = st.sampled_from(
    ["Subject", "To", "From", "List-Id", "list-ID", "X-Other", "Sender", "Feedback-ID"]
)


@given(headers=st.lists(st.tuples(_header_names, _values | _encoded_words)), body=_bodies)
def test_odd_headers_and_bodies_are_signed_as_others_read_them(
    headers: list[tuple[str, str]], body: bytes
) -> None:
    head = "".join(f"{name}: {value}\r\n" for name, value in [("From", "a@example.org"), *headers])
    coverage = cover([("From", "a@example.org"), *headers], hash_body(body))
    signed = SIGNERS[1].sign(coverage, MOMENT) + head.encode() + b"\r\n" + body
    assert _verified(signed) == [True]
    assert _verified(b"Subject: one more\r\n" + signed) == [False]


async def test_many_letters_are_signed_at_once_off_the_loop(newsletter: Envelope) -> None:
    headers, body = _split(newsletter.content)
    signers = Signers(SIGNERS)
    letters = [[*headers, ("List-Post", f"NO {number}")] for number in range(20)]
    signed = await asyncio.gather(*(signers.sign(letter, body, MOMENT) for letter in letters))
    signers.close()
    for number, signature in enumerate(signed):
        content = newsletter.content.replace(b"\r\n\r\n", f"\r\nList-Post: NO {number}\r\n\r\n".encode(), 1)
        assert _verified(signature + content) == [True, True]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("dkim")]


@pytest.mark.parametrize("signers", [[], SIGNERS[1:]], ids=["none", "ed25519"])
async def test_without_rsa_no_thread_is_needed(newsletter: Envelope, signers: list[Signer]) -> None:
    headers, body = _split(newsletter.content)
    opened = Signers(signers)
    signed = await opened.sign(headers, body, MOMENT)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("dkim")]
    assert _verified(signed + newsletter.content) == [True] * len(signers)
    opened.close()


async def test_every_section_signs_that_the_settings_name(tmp_path: Path, newsletter: Envelope) -> None:
    sections = [DkimSettings(domain="example.org", selector=name, key=tmp_path / name) for name in KEYS]
    for section in sections:
        signing_keys.write(KEYS[section.selector], section.key)
    signers = signatures.open_signers(sections, "example.org")
    signed = await signers.sign(*_split(newsletter.content), MOMENT)
    signers.close()
    assert _verified(signed + newsletter.content) == [True, True]


def test_everything_wrong_with_the_keys_is_said_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "helix2").write_text("no key")
    sections = [DkimSettings(domain="example.org", selector=name, key=tmp_path / name) for name in KEYS]
    with pytest.raises(Problems) as refusal:
        signatures.open_signers(sections, "news.example.org")
    assert [problem.field for problem in refusal.value.problems] == [
        "[[dkim]] helix1 of example.org: key",
        "[[dkim]] helix2 of example.org: key",
    ]
    with pytest.raises(Problems, match=r"sender is in example\.net"):
        signatures.open_signers(sections, "example.net")
