"""Addresses are checked before anything is stored."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import addresses
from domain.addresses import Address, address_of
from domain.errors import Invalid


def test_an_internationalised_domain_is_stored_in_ascii() -> None:
    assert address_of("ana@bücher.example").email == "ana@xn--bcher-kva.example"


def test_addresses_that_differ_in_case_are_the_same() -> None:
    assert address_of("Ana@Example.ORG").key == address_of("ana@example.org").key


@pytest.mark.parametrize("other", ["straße@example.org", "ſtrasse@example.org", "STRASSE\u0301@example.org"])
def test_addresses_that_differ_in_more_than_ascii_case_are_two_mailboxes(other: str) -> None:
    assert address_of(other).key != address_of("strasse@example.org").key


def test_an_address_is_masked_for_others() -> None:
    assert address_of("ana@example.org").masked == "a***@example.org"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ana",
        "ana@",
        "@example.org",
        "a@b@example.org",
        "ana@exa mple.org",
        "ana@example.org,bor@example.org",
        "ana@example.org\r\nBcc: x@example.org",
        "ana@example.org\x00",
        "a\udcffna@example.org",
        "ana\u2028@example.org",
        "Ana <ana@example.org>",
        "ana@-example.org",
        "ana..b@example.org",
        f"{'a' * 250}@example.org",
        f"{'ž' * 130}@example.org",
    ],
)
def test_what_is_no_single_address_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="email: "):
        address_of(text)


@given(st.text(max_size=80))
def test_any_text_is_either_an_address_or_refused(text: str) -> None:
    try:
        address = address_of(text)
    except Invalid:
        return
    assert address.email.count("@") == 1
    assert not any(character.isspace() for character in address.email)


def _thoroughly_checked(text: str) -> Address | None:
    try:
        return addresses._checked(text, "email")
    except Invalid:
        return None


_PARTS = st.text("aAzZ09.-_+'=é ", max_size=8)
_LIKE_AN_ADDRESS = st.one_of(
    st.from_regex(addresses._EVERYDAY, fullmatch=True),
    st.builds("{}@{}.{}".format, _PARTS, _PARTS, st.sampled_from(["org", "Org", "test", "local", "o", "x1"])),
    st.builds("{}@{}".format, st.sampled_from(["Postmaster", "info", "ABUSE", "a" * 60]), _PARTS),
    st.emails(),
)


@given(_LIKE_AN_ADDRESS)
def test_the_short_way_for_plain_addresses_answers_as_the_long_one_does(text: str) -> None:
    quick = addresses._everyday(text)
    assert quick is None or quick == _thoroughly_checked(text)


@pytest.mark.parametrize("text", ["Ana.Novak+news@Example.ORG", "a_1-b@sub.town7.example.com", "info@x.eu"])
def test_plain_addresses_take_the_short_way(text: str) -> None:
    assert addresses._everyday(text) == addresses._checked(text, "email")


@pytest.mark.parametrize(
    "text", ["Postmaster@example.org", "a@x.test", "a@b.localhost", "a@1.2", "a@x--y.org"]
)
def test_what_the_rules_have_an_opinion_about_takes_the_long_way(text: str) -> None:
    assert addresses._everyday(text) is None
