"""Rosters: bad rows are named with their line, good rows are kept, nobody who left comes back."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from domain import consents, rosters, subscribers, suppressions
from domain.addresses import address_of
from domain.database import Database
from domain.errors import Invalid
from domain.helixes import HelixGroup
from domain.keys import Keyring
from domain.rosters import Refusal, Row, Tally

HEADER = ",".join(rosters.COLUMNS)
TOPICS = frozenset({"events"})
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def _file(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "readers.csv"
    path.write_text("\n".join([HEADER, *lines]), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"email": "nobody"}, "email: not an e-mail address"),
        ({"target_group": "wizards"}, "target_group"),
        ({"country": "Slovenia"}, "country"),
        ({"language": "de"}, "language"),
        ({"topics": "gossip"}, "topics"),
        ({"consented_at": "yesterday"}, "consented_at"),
        ({"name": "x" * 501}, "name"),
        ({"name": "An\x00a"}, "name: it has control characters"),
        ({"consented_at": "0001-01-01T00:00:00+14:00"}, "consented_at"),
        ({"consented_at": "2999-01-01"}, "consented_at"),
        ({"consented_at": "9999-12-31T23:59:59-14:00"}, "consented_at"),
        ({"consented_at": "2026-12-24"}, "still to come"),
        ({"country": "ZZ"}, "not a country"),
        ({"email": f"{'a' * 65}@example.org"}, "email"),
    ],
)
def test_a_bad_row_is_refused_with_its_line_and_field(
    tmp_path: Path, fields: dict[str, str], reason: str
) -> None:
    row = dict.fromkeys(rosters.COLUMNS, "") | {"email": "b@example.org"} | fields
    path = _file(tmp_path, "a@example.org,,,,,,,,,", ",".join(row.values()))
    good, bad = rosters.read(path, TOPICS, NOW)
    assert isinstance(good, Row)
    assert isinstance(bad, Refusal)
    assert bad.line == 3
    assert reason in bad.reason


def test_the_same_address_twice_is_refused_with_the_first_line(tmp_path: Path) -> None:
    path = _file(tmp_path, "a@example.org,,,,,,,,,", "A@Example.org,,,,,,,,,")
    _, second = rosters.read(path, TOPICS, NOW)
    assert isinstance(second, Refusal)
    assert "line 2" in second.reason


def test_a_file_in_another_encoding_is_refused_with_the_cure(tmp_path: Path) -> None:
    path = tmp_path / "readers.csv"
    path.write_bytes(f"{HEADER}\nana@example.org,Žiga,,,,,,,,\n".encode("cp1250"))
    with pytest.raises(Invalid, match=r"readers\.csv:2: not UTF-8; save it as CSV UTF-8"):
        list(rosters.read(path, TOPICS, NOW))


@pytest.mark.parametrize("header", ["mail,name", "name,country", ""])
def test_a_header_without_our_columns_is_refused(tmp_path: Path, header: str) -> None:
    path = tmp_path / "readers.csv"
    path.write_text(f"{header}\nx,y\n", encoding="utf-8")
    with pytest.raises(Invalid, match="column"):
        list(rosters.read(path, TOPICS, NOW))


def test_a_helix_group_follows_from_the_target_group(tmp_path: Path) -> None:
    [row] = rosters.read(
        _file(tmp_path, "a@example.org,Ana,Uni,higher_education_and_research,,SI,,sl,events,"), TOPICS, NOW
    )
    assert isinstance(row, Row)
    assert row.profile.helix_group is HelixGroup.ACADEMIA


async def test_importing_adds_the_new_keeps_the_known_and_revives_nobody(
    database: Database, tmp_path: Path, keyring: Keyring, now: datetime
) -> None:
    path = _file(
        tmp_path,
        "a@example.org,Ana,Uni,sme,,SI,,sl,events,2026-01-02T10:00:00Z",
        "b@example.org,Bor,Uni,sme,,SI,,sl,,",
        "c@example.org,Cene,,,,,,,,",
    )
    rows = [row for row in rosters.read(path, TOPICS, NOW) if isinstance(row, Row)]
    async with database.transaction() as session:
        hashed = keyring.hash_address("c@example.org")
        await suppressions.suppress(session, hashed, suppressions.Reason.LEFT, now)
        await rosters.add(session, rows[:1], "I agree", keyring, "first.csv", now)
        assert await rosters.compare(session, rows, keyring) == Tally(1, 1, 1)
        assert await rosters.add(session, rows, "I agree", keyring, "second.csv", now) == Tally(1, 1, 1)
        ana = await subscribers.get(session, address_of("a@example.org"))
        [(consent, text)] = await consents.history(session, ana)
        assert await subscribers.topics_of(session, ana) == ["events"]
        assert await subscribers.find(session, address_of("c@example.org")) is None
    assert consent.evidence == "first.csv, line 2"
    assert consent.at.isoformat() == "2026-01-02T10:00:00+00:00"
    assert text is not None
    assert text.body == "I agree"


async def test_a_row_without_a_date_says_so_in_the_register(
    database: Database, tmp_path: Path, keyring: Keyring, now: datetime
) -> None:
    path = _file(tmp_path, "a@example.org,,,,,,,,,")
    rows = [row for row in rosters.read(path, TOPICS, NOW) if isinstance(row, Row)]
    async with database.transaction() as session:
        await rosters.add(session, rows, "I agree", keyring, "first.csv", now)
        ana = await subscribers.get(session, address_of("a@example.org"))
        [(consent, _)] = await consents.history(session, ana)
    assert "gives no date" in consent.evidence
    assert consent.at == now
