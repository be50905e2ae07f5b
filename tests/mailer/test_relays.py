"""A relay's settings keep a password off an open line."""

import pytest
from pydantic import ValidationError

from mailer.relays import RelaySettings


def test_a_password_is_not_sent_unencrypted() -> None:
    with pytest.raises(ValidationError, match="starttls"):
        RelaySettings(host="mail.example.org", security="none", username="a", password="b")


def test_half_of_a_login_is_refused() -> None:
    with pytest.raises(ValidationError, match="both username and password"):
        RelaySettings(host="mail.example.org", username="a")


def test_a_relay_on_this_machine_may_have_an_open_login() -> None:
    relay = RelaySettings(host="127.0.0.1", port=2525, security="none", username="a", password="b")
    assert relay.name == "127.0.0.1:2525"
