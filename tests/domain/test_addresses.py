"""Addresses are checked before anything is stored."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.addresses import address_of
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
