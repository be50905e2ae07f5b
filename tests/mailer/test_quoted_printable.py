"""Quoted-printable in pieces: what a mail program decodes is what was written."""

import quopri
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.errors import Invalid
from mailer import quoted_printable

PIECES = st.lists(
    st.text(st.one_of(st.sampled_from(".= \t\nFé€😀-"), st.characters(exclude_categories=["Cs"])))
)


def _with_line_ends(text: str) -> str:
    return re.sub(r"\r\n?|\n", "\r\n", text)


@given(PIECES)
@example(["a" * 74 + " "])
@example(["." * 200, ".", "\n.", ".\n"])
@example(["a" * 75, "b"])
@example(["é" * 200, " "])
def test_what_is_decoded_is_the_pieces_one_after_the_other(pieces: list[str]) -> None:
    coded = b"".join(quoted_printable.encode_all(pieces))
    assert coded.endswith(b"\r\n")
    assert quopri.decodestring(coded[:-2]).decode() == "".join(map(_with_line_ends, pieces))


@given(PIECES)
@example(["a" * 74 + " "])
@example(["." * 200])
def test_every_line_may_travel_as_it_is(pieces: list[str]) -> None:
    for line in b"".join(quoted_printable.encode_all(pieces)).split(b"\r\n"):
        assert len(line) <= quoted_printable.LONGEST_LINE
        assert not line.startswith(b".")
        assert not line.endswith((b" ", b"\t"))
        assert line.isascii()


def test_half_a_character_is_refused() -> None:
    with pytest.raises(Invalid, match="half of a character"):
        quoted_printable.encode("\ud83d")
