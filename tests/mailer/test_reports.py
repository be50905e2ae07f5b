"""Reports of real mail servers are understood; all other mail is none, and nothing trips the reader."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.bounces import Action, Finding
from mailer import reports
from mailer.reports import Complaint, DeliveryReport
from tests.mailer.returned_mail import BOUNCES, everything, report

PATH = "bounces+1.2.mac@bounces.example.org"
ANA = "ana@example.org"
FAILED, DELAYED = Action.FAILED, Action.DELAYED


@pytest.mark.parametrize(
    ("name", "action", "code", "recipients"),
    [
        ("postfix-unknown-user", FAILED, "5.1.1", (ANA, ANA)),
        ("postfix-delayed", DELAYED, "4.4.1", (ANA,)),
        ("postfix-expired", FAILED, "4.4.1", (ANA,)),
        ("postfix-policy", FAILED, "5.7.1", (ANA,)),
        ("exchange-no-such-recipient", FAILED, "5.1.10", (ANA,)),
        ("gmail-no-such-user", FAILED, "5.1.1", (ANA,)),
        ("gmail-full", FAILED, "5.2.2", (ANA,)),
        ("exim", FAILED, "5.1.1", (ANA,)),
        ("exim-without-mime", FAILED, "5.0.0", ()),
        ("qmail", FAILED, "5.1.1", ()),
        ("qmail-too-late", FAILED, "4.4.1", ()),
        ("sendmail-warning", DELAYED, "4.4.1", ()),
        ("wrapped-by-a-gateway", FAILED, "5.2.1", (ANA,)),
        ("broken-mime", FAILED, "5.1.2", ()),
        ("without-an-end", FAILED, "5.1.2", (ANA,)),
        ("delivered", Action.RELAYED, "5.0.0", (ANA,)),
    ],
)
def test_a_report_is_understood(name: str, action: Action, code: str, recipients: tuple[str, ...]) -> None:
    assert reports.read(report(name)) == DeliveryReport((Finding(action, code, recipients),))


def test_every_recipient_of_a_list_has_a_finding_of_its_own() -> None:
    found = reports.read(report("several-recipients"))
    assert isinstance(found, DeliveryReport)
    assert [(finding.action, finding.recipients[-1]) for finding in found.findings] == [
        (Action.DELIVERED, "first@example.org"),
        (Action.FAILED, "second@example.org"),
        (Action.RELAYED, "third@example.org"),
    ]
    assert found.findings[0].recipients == ("office@example.org", "first@example.org")


@pytest.mark.parametrize(
    "name",
    [
        "a-persons-letter",
        "not-spam",
        "postmaster-on-holiday",
        "read-receipt",
        "vacation",
    ],
)
def test_other_mail_is_no_report(name: str) -> None:
    assert reports.read(report(name)) is None


def test_a_complaint_tells_which_letter_it_is_about() -> None:
    found = reports.read(report("yahoo-complaint", PATH, message_id="0" * 32))
    assert found == Complaint((PATH,), (), ("0" * 32,))
    token = f"7-{'a' * 32}"
    found = reports.read(report("complaint-by-link", message_id="1" * 32, token=token))
    assert found == Complaint(("srs0=x=y=bounces@forwarder.example.net",), (token,), ("1" * 32,))


@pytest.mark.parametrize("name", ["postfix-unknown-user", "exim", "qmail", "exchange-no-such-recipient"])
def test_where_a_report_arrived_is_found_in_its_header(name: str) -> None:
    assert PATH in reports.arrivals(report(name, PATH))


def test_the_recipient_that_a_mail_server_noted_in_passing_is_an_arrival_too() -> None:
    content = f"Received: from a by b\r\n\tfor <{PATH}>; Tue, 24 Nov 2026 10:00:00 +0100\r\n\r\n".encode()
    assert reports.arrivals(content) == [PATH]


def test_what_the_returned_letter_says_is_no_arrival() -> None:
    # A forger knows no return path but can send our own letter back in a report.
    head, blank, body = report("exim", PATH).partition(b"\r\n\r\n")
    assert PATH.encode() in body
    forged = head.replace(PATH.encode(), BOUNCES.encode()) + blank + body
    assert reports.arrivals(forged) == [BOUNCES]


def test_only_the_beginning_of_a_huge_report_is_read() -> None:
    content = report("exim") + b"x" * (2 * reports.LARGEST)
    assert isinstance(reports.read(content), DeliveryReport)
    assert reports.read(b"x" * reports.LARGEST + report("exim")) is None


@given(st.sampled_from(everything()), st.integers(), st.integers(min_value=1, max_value=40))
def test_a_mutated_report_never_trips_the_reader(name: str, seed: int, changes: int) -> None:
    content, chance = bytearray(report(name)), random.Random(seed)
    for _ in range(changes):
        at, other = chance.randrange(len(content)), chance.randrange(len(content))
        match chance.randrange(4):
            case 0:
                content[at] = chance.randrange(256)
            case 1:
                del content[at : at + chance.randrange(1, 60)]
                content = content or bytearray(b"x")
            case 2:
                content[at:at] = content[other : other + chance.randrange(1, 200)]
            case 3:
                content[at:at] = chance.choice(
                    [b"\0", b"\r", b"\n\n", b"\xff\xfe", b"=?utf-8?b?/?=", b";boundary="]
                )
    _read(bytes(content))


@given(st.binary(max_size=2000))
def test_no_bytes_trip_the_reader(content: bytes) -> None:
    _read(content)


def _read(content: bytes) -> None:
    found = reports.read(content)
    assert found is None or isinstance(found, Complaint | DeliveryReport)
    if isinstance(found, DeliveryReport):
        assert all(finding.code[0] in "45" for finding in found.findings)
    assert all("@" in address for address in reports.arrivals(content))


def test_the_collection_names_nobody_real() -> None:
    assert BOUNCES.encode() in report("yahoo-complaint")
    for name in everything():
        domains = [word.rpartition("@")[2] for word in reports.arrivals(report(name))]
        assert all(domain.endswith(("example.org", "example.net")) for domain in domains), name
