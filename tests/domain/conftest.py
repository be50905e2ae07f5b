"""Stories the domain's tests begin with."""

from datetime import datetime

import pytest

from domain.addresses import Address, address_of
from domain.consents import Method, Proof
from domain.languages import Language
from domain.subscribers import Profile
from domain.subscriptions import Request


@pytest.fixture
def ana() -> Address:
    return address_of("ana@example.org")


@pytest.fixture
def asked(ana: Address, now: datetime) -> Request:
    profile = Profile(language=Language.SLOVENIAN, name="Ana Novak", country="SI", topics=("events",))
    return Request(ana, profile, "I agree to letters.", Proof(Method.WEB, "form", now))
