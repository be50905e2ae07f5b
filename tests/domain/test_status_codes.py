"""Codes are found in what servers write, and judged by whom they are about."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.status_codes import Kind, code_in, kind_of, meaning_of


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("550 5.1.1", "5.1.1"),
        ("550", "5.0.0"),
        ("552", "5.2.2"),
        ("556", "5.1.10"),
        ("too late: 450 4.2.2", "4.2.2"),
        ("550-5.1.1 no such user", "5.1.1"),
        ("Sorry (#5.1.1)", "5.1.1"),
        ("5.01.001", "5.1.1"),
        ("5.1.1 (bad destination)", "5.1.1"),
        ("host 192.0.2.5[5.1.1.2] said: 554 no", "5.0.0"),
        ("connection_lost", ""),
        ("unfit_to_send", ""),
        ("2.0.0 taken", "2.0.0"),
        ("version 15.1.1", ""),
        ("", ""),
    ],
)
def test_a_code_is_found_in_a_servers_words(text: str, code: str) -> None:
    assert code_in(text) == code


@pytest.mark.parametrize(
    ("kind", "codes"),
    [
        (Kind.HARD, ["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1", "5.4.4"]),
        (Kind.SOFT, ["4.2.1", "4.4.7", "5.2.2", "5.3.4", "5.0.0", "5.1.0", "5.4.1", "5.99.99"]),
        (Kind.POLICY, ["5.7.1", "5.7.26", "4.7.0", "5.1.8", "5.1.7"]),
    ],
)
def test_a_code_is_about_the_address_its_state_or_us(kind: Kind, codes: list[str]) -> None:
    assert {kind_of(code) for code in codes} == {kind}


@given(st.text(max_size=40))
def test_every_code_has_a_meaning_in_words(code: str) -> None:
    assert meaning_of(code)
    assert kind_of(code) in (Kind.HARD, Kind.SOFT, Kind.POLICY)


def test_a_code_without_a_meaning_of_its_own_is_told_by_its_subject() -> None:
    assert meaning_of("5.2.99") == "something is wrong with the mailbox"
    assert meaning_of("5.1.10") == "the domain takes no mail at all"
    assert meaning_of("") == "the mail server gave no reason"
