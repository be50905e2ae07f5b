"""Unsubscribe links cannot be forged and never expire."""

from hypothesis import given
from hypothesis import strategies as st

from domain.keys import Keyring

KEYRING = Keyring("one-secret-0123456789")


@given(st.integers(min_value=1, max_value=10**15))
def test_a_genuine_link_leads_back_to_its_subscriber(number: int) -> None:
    assert KEYRING.read_unsubscribe(KEYRING.sign_unsubscribe(number)) == number


@given(st.text(max_size=60))
def test_a_made_up_link_leads_nowhere(token: str) -> None:
    assert KEYRING.read_unsubscribe(token) is None


def test_the_mac_of_one_reader_does_not_open_another() -> None:
    mac = KEYRING.sign_unsubscribe(1).partition("-")[2]
    assert KEYRING.read_unsubscribe(f"2-{mac}") is None


def test_another_secret_makes_other_links() -> None:
    assert Keyring("another-secret-9876543210").read_unsubscribe(KEYRING.sign_unsubscribe(1)) is None
