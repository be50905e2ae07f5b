"""Rosters: bad rows are named with their line, and a file that cannot be right is refused whole."""

import os
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import roster_rows, rosters
from domain.errors import Invalid
from domain.helixes import HelixGroup
from domain.refusals import NOTES, Refusal, RefusalFile, marked, unmarked
from domain.roster_rows import Row
from domain.rosters import Roster

HEADER = ",".join(roster_rows.COLUMNS)
TOPICS = frozenset({"events"})
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
HOSTILE = [
    "",
    "nobody",
    "nobody@",
    "@example.org",
    "a@b@example.org",
    "a..b@example.org",
    "a.@example.org",
    "a@-example.org",
    "a@localhost",
    "a@example.org,b@example.org",
    "A <a@example.org>",
    '"a b"@example.org',
    "a@[127.0.0.1]",
    "a@example.org\r\nBcc: x@example.org",
    "a@example.org\x00",
    "a\u2028@example.org",
    f"{'a' * 65}@example.org",
    f"a@{'b' * 64}.org",
    f"{'ž' * 130}@example.org",
]
"""Addresses of every kind that must not come through (the promise S2)."""


def _file(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "readers.csv"
    path.write_text("\n".join([HEADER, *lines]), encoding="utf-8")
    return path


def _roster(path: Path, *, most_rows: int = rosters.MOST_ROWS) -> Roster:
    return Roster(path, TOPICS, NOW, most_rows=most_rows)


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
    row = dict.fromkeys(roster_rows.COLUMNS, "") | {"email": "b@example.org"} | fields
    path = _file(tmp_path, "a@example.org,,,,,,,,,", ",".join(row.values()))
    good, bad = _roster(path)
    assert isinstance(good, Row)
    assert isinstance(bad, Refusal)
    assert bad.line == 3
    assert reason in bad.sentence


@pytest.mark.parametrize("line", ["a@example.org", "a@example.org" + "," * 10])
def test_a_row_of_another_length_is_refused(tmp_path: Path, line: str) -> None:
    [bad] = _roster(_file(tmp_path, line))
    assert isinstance(bad, Refusal)
    assert (bad.field, bad.fields) == ("row", tuple(line.split(",")))


def test_the_line_is_the_one_on_which_a_row_begins(tmp_path: Path) -> None:
    good, bad, last = _roster(_file(tmp_path, "a@example.org,,,,,,,,,", 'b@x.org,"B\nC",,,,,,,,', "", "c"))
    assert isinstance(good, Row)
    assert [good.line, bad.line, last.line] == [2, 3, 6]


def test_a_file_in_another_encoding_is_refused_with_the_cure(tmp_path: Path) -> None:
    path = tmp_path / "readers.csv"
    path.write_bytes(f"{HEADER}\nana@example.org,Žiga,,,,,,,,\n".encode("cp1250"))
    with pytest.raises(Invalid, match=r"readers\.csv:2: not UTF-8; save it as CSV UTF-8"):
        list(_roster(path))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_wide_encodings_are_refused_too(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "readers.csv"
    path.write_bytes(f"{HEADER}\nana@example.org,,,,,,,,,\n".encode(encoding))
    with pytest.raises(Invalid, match=r"readers\.csv:1: not UTF-8"):
        list(_roster(path))


@pytest.mark.parametrize("header", ["mail,name", "name,country", "", "email,email"])
def test_a_header_without_our_columns_is_refused(tmp_path: Path, header: str) -> None:
    path = tmp_path / "readers.csv"
    path.write_text(f"{header}\nx,y\n", encoding="utf-8")
    with pytest.raises(Invalid, match=r"readers\.csv:1: .*column"):
        list(_roster(path))


def test_an_open_quote_is_named_with_the_line_on_which_its_row_begins(tmp_path: Path) -> None:
    path = _file(tmp_path, "a@example.org,,,,,,,,,", 'b@example.org,"B,,,,,,,,', "c@example.org,,,,,,,,,")
    with pytest.raises(Invalid, match=r"readers\.csv:3: this is not CSV"):
        list(_roster(path))


def test_an_open_quote_before_a_long_file_takes_no_memory_for_it(tmp_path: Path) -> None:
    path = _file(tmp_path, 'b@example.org,"B,,,,,,,,', *["c@example.org,,,,,,,,,"] * 10_000)
    with pytest.raises(Invalid, match=r"readers\.csv:2: this is not CSV \(field larger"):
        list(_roster(path))


def test_a_file_without_ends_of_lines_is_not_taken_into_memory(tmp_path: Path) -> None:
    path = _file(tmp_path, "x" * (rosters.LONGEST_LINE + 1))
    with pytest.raises(Invalid, match=r"readers\.csv:2: 100,000 characters without the end of a line"):
        list(_roster(path))


def test_more_rows_than_may_be_are_refused(tmp_path: Path) -> None:
    path = _file(tmp_path, *["a@example.org,,,,,,,,,"] * 3)
    assert len(list(_roster(path, most_rows=3))) == 3
    with pytest.raises(Invalid, match="more than 2 rows; split it"):
        list(_roster(path, most_rows=2))


@pytest.mark.parametrize("address", HOSTILE)
def test_no_hostile_address_comes_through(tmp_path: Path, address: str) -> None:
    quoted = address.replace('"', '""')
    [found] = _roster(_file(tmp_path, f'"{quoted}",,,,,,,,,'))
    assert isinstance(found, Refusal)
    assert found.field == "email"


def test_a_helix_group_follows_from_the_target_group(tmp_path: Path) -> None:
    [row] = _roster(_file(tmp_path, "a@example.org,Ana,Uni,higher_education_and_research,,SI,,sl,events,"))
    assert isinstance(row, Row)
    assert (row.helix_group, row.topics) == (HelixGroup.ACADEMIA, ("events",))


def test_a_pipe_is_read_as_a_file_is(tmp_path: Path) -> None:
    pipe, roster_file = tmp_path / "pipe", _file(tmp_path, "a@example.org,,,,,,,,,")
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(roster_file.read_bytes()))
    writer.start()
    roster = _roster(pipe)
    assert [(row.line, roster.size, roster.position) for row in roster] == [(2, 0, 0)]
    writer.join()


def test_how_far_it_is_read_is_told_in_bytes(tmp_path: Path) -> None:
    roster = _roster(_file(tmp_path, *["a@example.org,,,,,,,,,"] * 2000))
    told = [(roster.position, roster.size) for _ in roster]
    assert told[0][0] < told[-1][0] == told[-1][1] == roster.path.stat().st_size


@given(st.text())
def test_what_is_marked_is_no_formula_and_comes_back(text: str) -> None:
    assert not marked(text).startswith(("=", "+", "-", "@", "\t", "\r"))
    assert unmarked(marked(text)) == text


@given(st.from_regex(r"'*[=+\-@]?.*", fullmatch=True))
def test_apostrophes_of_ones_own_come_back_too(text: str) -> None:
    assert unmarked(marked(text)) == text


def test_refused_rows_stand_in_their_file_as_they_were_and_are_read_from_there(tmp_path: Path) -> None:
    lines = [
        "nobody,=HYPERLINK(1),'t Hooft,,,,-1,,,",
        '"a@example.org","A\x00na",,,,,,,,',
        "b@example.org,too,few",
        '"c@example.org","C",,,,,,,,,too,"many, it seems"',
        "d@example.org,'=D,,,,XX,,,,",
    ]
    first = _roster(_file(tmp_path, *lines))
    bad = [refusal for refusal in first if isinstance(refusal, Refusal)]
    path = tmp_path / "refused.csv"
    with RefusalFile(path, first) as file:
        for refusal in bad:
            file.write(refusal)
    text = path.read_text(encoding="utf-8-sig")
    assert text.startswith(",".join([*NOTES, HEADER]))
    assert "3,name,it has control characters; take them out,a@example.org,A\x00na," in text
    assert ",'=HYPERLINK(1),'t Hooft,,,,'-1," in text
    again = list(_roster(path))
    assert [refusal[1:] for refusal in again] == [refusal[1:] for refusal in bad]
    assert len(again) == len(lines)


def test_a_mended_row_is_good(tmp_path: Path) -> None:
    path = tmp_path / "refused.csv"
    path.write_text("line,field,reason,email,name\n7,email,not one,a@example.org,'=Ana\n", encoding="utf-8")
    [row] = _roster(path)
    assert isinstance(row, Row)
    assert (row.email, row.name) == ("a@example.org", "=Ana")


def test_a_file_of_refused_rows_is_made_only_when_there_is_one_and_never_over_another(tmp_path: Path) -> None:
    path, roster = tmp_path / "refused.csv", _roster(_file(tmp_path))
    with RefusalFile(path, roster):
        pass
    assert not path.exists()
    path.write_text("half mended", encoding="utf-8")
    with pytest.raises(Invalid, match="is there already; name another file"):
        RefusalFile(path, roster)
