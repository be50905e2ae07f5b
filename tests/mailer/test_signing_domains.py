"""In whose name we sign: domains aligned with the sender, selectors that the DNS can hold."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from domain.errors import Problems
from mailer import signing_domains
from mailer.signing_domains import DkimSettings


def _section(domain: str = "example.org", selector: str = "helix1") -> DkimSettings:
    return DkimSettings(domain=domain, selector=selector, key=Path("helix1.pem"))


def test_domain_and_selector_are_kept_as_the_dns_has_them() -> None:
    assert _section("Čebela.Example", "Helix1").record_name == "helix1._domainkey.xn--ebela-gya.example"


@pytest.mark.parametrize(
    "domain", ["", "org", "exa mple.org", "a@example.org", "[127.0.0.1]", "x" * 60 + ".y" * 90]
)
def test_what_is_no_domain_is_refused(domain: str) -> None:
    with pytest.raises(ValidationError, match=r"such as example\.org|a domain above it"):
        _section(domain)


@pytest.mark.parametrize("selector", ["", "-a", "a_b", "a..b", "a b", "a;b", "č", "a" * 64])
def test_what_is_no_selector_is_refused(selector: str) -> None:
    with pytest.raises(ValidationError, match="letters, digits and hyphens, such as helix1"):
        _section(selector=selector)


def test_the_longest_names_fit_the_dns() -> None:
    domain = ".".join(["x" * 58] * 3) + "." + "y"
    assert len(_section(domain, "s" * 63).record_name) == 253


@pytest.mark.parametrize("sender", ["example.org", "EXAMPLE.org", "news.example.org"])
def test_a_domain_vouches_for_itself_and_what_lies_below_it(sender: str) -> None:
    signing_domains.check([_section()], sender)


@pytest.mark.parametrize("sender", ["example.com", "notexample.org", "org", "example.org.evil.net"])
def test_a_domain_that_is_not_the_senders_is_refused_with_the_cure(sender: str) -> None:
    with pytest.raises(
        Problems, match=rf"\[\[dkim\]\] helix1 of example.org: domain: .* is in {sender}; name"
    ):
        signing_domains.check([_section()], sender)


def test_two_keys_cannot_share_a_record() -> None:
    signing_domains.check([_section(), _section(selector="helix2")], "example.org")
    with pytest.raises(Problems, match="a selector of its own"):
        signing_domains.check([_section(), _section(selector="HELIX1")], "example.org")
