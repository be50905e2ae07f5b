"""Return paths come back whole through any mail server, and nobody else can write one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.keys import Keyring
from mailer.bounce_settings import BouncesSettings, MailboxSettings
from mailer.return_paths import LONGEST_BASE, ReturnPaths

KEYRING = Keyring("one-secret-0123456789")
PATHS = ReturnPaths("bounces@news.example.org", KEYRING)
numbers = st.integers(min_value=1, max_value=2**31 - 1)


@given(numbers, numbers)
def test_a_return_path_leads_back_to_its_letter_whatever_its_case(campaign: int, reader: int) -> None:
    path = PATHS.of(campaign, reader)
    assert PATHS.read(path) == PATHS.read(path.upper()) == PATHS.read(path.title()) == (campaign, reader)


@given(numbers, numbers)
def test_the_longest_address_still_fits_a_local_part(campaign: int, reader: int) -> None:
    paths = ReturnPaths(f"{'b' * LONGEST_BASE}@example.org", KEYRING)
    local = paths.of(campaign, reader).partition("@")[0]
    assert len(local) <= 64
    assert paths.read(paths.of(campaign, reader)) == (campaign, reader)


@given(st.text(max_size=80))
def test_a_made_up_address_is_none_of_ours(text: str) -> None:
    assert PATHS.read(text) is None
    assert PATHS.read(f"bounces+{text}@news.example.org") is None


@given(
    numbers,
    numbers,
    st.integers(min_value=0, max_value=15),
    st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"),
)
def test_one_changed_letter_of_the_mac_is_a_forgery(campaign: int, reader: int, at: int, letter: str) -> None:
    local, _, domain = PATHS.of(campaign, reader).partition("@")
    head, mac = local[:-16], local[-16:]
    changed = mac[:at] + letter + mac[at + 1 :]
    found = PATHS.read(f"{head}{changed}@{domain}")
    assert found == ((campaign, reader) if changed == mac else None)


def test_the_mac_of_one_letter_does_not_open_another() -> None:
    mac = PATHS.of(1, 23).partition("@")[0][-16:]
    for other in ("12.3", "1.24", "2.23", "01.23"):
        assert PATHS.read(f"bounces+{other}.{mac}@news.example.org") is None


def test_another_domain_or_secret_is_foreign() -> None:
    assert PATHS.read(PATHS.of(1, 2).replace("news", "other")) is None
    assert PATHS.read(ReturnPaths("bounces@news.example.org", Keyring("another-9876543210")).of(1, 2)) is None


def test_the_bare_address_is_known_as_such() -> None:
    assert PATHS.is_bare("Bounces@News.example.org")
    assert not PATHS.is_bare(PATHS.of(1, 2))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"address": "bounces"}, "write bounces@news.example.org"),
        ({"address": "bounces+x@example.org"}, "letters, digits and hyphens"),
        ({"address": f"{'b' * (LONGEST_BASE + 1)}@example.org"}, f"{LONGEST_BASE} at most"),
        ({"address": "odbojé@example.org"}, "letters, digits and hyphens"),
        ({"address": "bounces@example.org"}, "name a way in"),
        ({"receiver": {"host": "127.0.0.1"}}, "set address"),
        ({"receiver": {"host": "127.0.0.1", "protocol": "http"}}, "lmtp"),
        ({"mailbox": {"host": "imap.example.org"}}, "username and password"),
        (
            {"mailbox": {"host": "imap.example.org", "username": "u", "password": "p", "security": "none"}},
            "encrypted connection",
        ),
        ({"mailbox": {"folder": "Odbitá"}}, "ASCII"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        BouncesSettings.model_validate(settings)


def test_settings_that_work() -> None:
    mailbox = MailboxSettings(host="localhost", username="u", password="p", security="none")
    assert (
        BouncesSettings(address="Bounces@News.Example.org", mailbox=mailbox).address
        == "bounces@news.example.org"
    )
