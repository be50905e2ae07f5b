"""Quoted-printable (RFC 2045, 6.7) in pieces: each is encoded once, and encoded pieces add up."""

import re
from binascii import b2a_qp
from collections.abc import Callable, Iterable

from domain.errors import Invalid

CRLF = "\r\n"
LONGEST_LINE = 76
"""Characters of an encoded line without its end."""
_LINE_ENDS = re.compile(r"\r\n?|\n")
_SOFT = b"=\r\n"
_UNFIT = re.compile(rb"^(?:\.|[^\r\n]{77})", re.MULTILINE)
"""What the library leaves: lines that begin with a dot, and a last space that makes one too long."""
_UNIT = re.compile(rb"=[0-9A-F]{2}|.", re.DOTALL)


def encode(text: str) -> bytes:
    """Return a piece encoded: it begins a line and ends one, by a soft break where the text does not.

    So pieces may follow one another in any order. No line begins with a dot: nothing has to be stuffed
    on its way (RFC 5321, 4.5.2). Raises `Invalid` for halves of a character, which no encoding has.
    """
    if not text:
        return b""
    lines = _LINE_ENDS.sub(CRLF, text)
    try:
        coded = b2a_qp(f"{lines}{CRLF}".encode(), istext=True)[:-2]  # a space at its end is encoded then
    except UnicodeEncodeError:
        raise Invalid("letter", "it has half of a character in it; write it anew") from None
    if _UNFIT.search(coded):
        coded = b"\r\n".join(map(_wrap, coded.replace(_SOFT, b"").split(b"\r\n")))
    return coded if lines.endswith(CRLF) else coded + _SOFT


def encode_all(pieces: Iterable[str], encode: Callable[[str], bytes] = encode) -> list[bytes]:
    """Return a whole text encoded, from its pieces; `encode` may be one that remembers.

    What a mail program decodes is the pieces one after the other. A line break cut in two between them
    counts as two.
    """
    coded = [encode(piece) for piece in pieces]
    if coded:
        coded[-1] = coded[-1].removesuffix(_SOFT)
    # The last line break belongs to the boundary that follows (RFC 2046, 5.1.1).
    return [*coded, b"\r\n"]


def _wrap(line: bytes) -> bytes:
    """Break a coded line anew, with room for the soft break and no dot at a beginning."""
    wrapped, current = b"", b""
    for unit in _UNIT.findall(line):
        if len(current) + len(unit) >= LONGEST_LINE:
            wrapped, current = wrapped + current + _SOFT, b""
        current += b"=2E" if unit == b"." and not current else unit
    return wrapped + current
