"""Nothing that could end a header line gets into one, and what gets in comes back unchanged."""

from email.header import decode_header, make_header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid
from mailer import headers


@pytest.mark.parametrize(
    "hostile",
    [
        "Hi\r\nBcc: b@example.org",
        "Hi\nBcc: b@example.org",
        "Hi\rBcc",
        "Hi\0",
        "Hi\u2028Bcc: b@example.org",
        "Hi\u2029",
        "Hi\x85",
        "\ud800",
        "=?utf-8?q?Hi=0D=0ABcc=3A_b@example.org?=",
        "=?utf-8?b?SGkNCkJjYzogYkBleGFtcGxlLm9yZw==?=",
        "=?no-such-charset?q?Hi?=",
        "=?utf-8?b?SGk=====SGk?= =?utf-8?q?=FF?=",
    ],
)
def test_what_could_end_a_line_is_refused(hostile: str) -> None:
    with pytest.raises(Invalid, match=r"^subject: "):
        headers.checked(hostile, field="subject")


@pytest.mark.parametrize("fine", ["Zdravo, Ana", "1 = 1?", "👩‍🔬 and a no-break\u00a0space", "a =? b"])
def test_harmless_values_pass(fine: str) -> None:
    assert headers.checked(f"  {fine} ", field="subject") == fine


@given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"])))
def test_words_survive_the_journey_on_short_ascii_lines(value: str) -> None:
    try:
        value = headers.checked(value, field="subject")
    except Invalid:
        return
    written = headers.words(value)
    assert written.isascii()
    assert all(len(line) <= 75 for line in written.split("\r\n"))
    assert str(make_header(decode_header(written.replace("\r\n", "")))) == value


def test_a_phrase_quotes_what_would_read_as_an_address() -> None:
    assert headers.phrase('A "B", C') == '"A \\"B\\", C"'
    assert headers.phrase("Novičke").startswith("=?utf-8?B?")
