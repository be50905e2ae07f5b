"""Header values: what may reach a header, and how words outside ASCII are written there."""

import unicodedata
from base64 import b64encode
from collections.abc import Iterator
from email.errors import HeaderParseError
from email.header import decode_header

from domain.errors import Invalid

LONGEST_LINE = 998
"""Octets of a line without its end (RFC 5322, 2.1.1)."""
_PLAIN_UP_TO = 60
_OCTETS_PER_WORD = 42  # base64 makes 56 of them; with its frame a word stays under 75 (RFC 2047, 2)
_ENDS_A_LINE = frozenset({"Cc", "Cs", "Zl", "Zp"})


def checked(value: str, *, field: str) -> str:
    """Return the value trimmed; raises `Invalid` for anything that could end a header line.

    That is a control character, a line or paragraph separator, or an encoded word that hides one:
    some mail libraries decode and serialise those (CVE-2024-6923).
    """
    if value.isascii() and value.isprintable() and "=?" not in value:
        return value.strip()
    _refuse_line_ends(value, field)
    if "=?" in value:
        _refuse_line_ends(_decoded(value, field), field)
    return value.strip()


def words(value: str) -> str:
    """Return a checked value as it stands in a header: plain if it can be, else as encoded words."""
    if value.isascii() and "=?" not in value and len(value) <= _PLAIN_UP_TO:
        return value
    encoded = (b64encode(chunk.encode()).decode() for chunk in _chunks(value))
    return "\r\n ".join(f"=?utf-8?B?{chunk}?=" for chunk in encoded)


def phrase(name: str) -> str:
    """Return a checked name as it stands before an address (RFC 5322, 3.2.5)."""
    written = words(name)
    if written != name:
        return written
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}"'


def _refuse_line_ends(value: str, field: str) -> None:
    for character in value:
        if unicodedata.category(character) in _ENDS_A_LINE:
            code = f"U+{ord(character):04X}"
            raise Invalid(field, f"the character {code} cannot stand in a header; write it on one line")


def _decoded(value: str, field: str) -> str:
    try:
        parts = decode_header(value)
        return "".join(
            part if isinstance(part, str) else part.decode(charset or "ascii") for part, charset in parts
        )
    except (HeaderParseError, LookupError, ValueError):
        raise Invalid(field, "it looks like an encoded word; write the words themselves") from None


def _chunks(value: str) -> Iterator[str]:
    chunk, size = "", 0
    for character in value:
        octets = len(character.encode())
        if size + octets > _OCTETS_PER_WORD:
            yield chunk
            chunk, size = "", 0
        chunk, size = chunk + character, size + octets
    yield chunk
